/**
 * The numbers that decide: how long, how often, how many. The flows get them as one value, so that a simulated world
 * can have others. What a service sets (ten entries of a batch, 400 KB of an item) stands with its adapter, and what an
 * integration sets (attempts, rows, timeouts) in its file.
 */
export type Tuning = { load: LoadTuning };

export type LoadTuning = {
  /** Kept free at the end of an invocation and of a claim: settling, letters, sending back what was put off. */
  settleReserveMs: number;
  /** Two workers that race for one id need two tries to claim it; more means that something else keeps writing. */
  claimTries: number;
  /** An outcome that cannot be written down is tried again so often, after so long times the number of tries. */
  settleTries: number;
  settlePauseMs: number;
  /** When a record comes back whose dead letter could not be written. */
  letterRetryMs: number;
  /** A store, queue or secret that cannot be reached: nobody may POST, everybody waits. */
  unreachableWaitMs: number;
  /** Configuration is mended by people. */
  misconfiguredWaitMs: number;
  /** A parent is mostly a moment away: its own POST. */
  parentWaitMs: number;
  /**
   * A parent that has not come for so long will not: it has left the source, or its message was lost. The next run
   * looks at both anew, so a message that waits on would only go round for ever.
   */
  maxParentWaitMs: number;
};

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Outside of simulated worlds. */
export const standardTuning: Tuning = {
  load: {
    settleReserveMs: 10_000,
    claimTries: 4,
    settleTries: 3,
    settlePauseMs: 200,
    letterRetryMs: MINUTE_MS,
    unreachableWaitMs: 30_000,
    misconfiguredWaitMs: 5 * MINUTE_MS,
    parentWaitMs: 1_000,
    maxParentWaitMs: 24 * HOUR_MS,
  },
};
