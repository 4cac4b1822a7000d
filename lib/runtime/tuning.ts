import type { Backoff } from './backoff.ts';

/**
 * The numbers that decide: how long, how often, how many. The flows get them as one value, so that a simulated world
 * can have others. What a service sets (ten entries of a batch, 400 KB of an item) stands with its adapter, and what an
 * integration sets (attempts, rows, timeouts) in its file.
 */
export type Tuning = {
  fetch: FetchTuning;
  load: LoadTuning;
  dispatch: DispatchTuning;
  books: BooksTuning;
  source: SourceTuning;
  target: TargetTuning;
  connection: ConnectionTuning;
};

export type FetchTuning = {
  /** Records in one ledger chunk at most. */
  chunkRecords: number;
  /**
   * An item of DynamoDB has 400 KB: this many bytes for the texts of a ledger chunk (ids, reasons, postponed records), so
   * that its hashes have their room whatever does not compress.
   */
  chunkTextBytes: number;
  /** Ids whose deletions go together: read in one piece, written into one ledger chunk. */
  deletionPart: number;
  /** The lease outlives the invocation by this: Lambda ends the invocation, not we. */
  leaseMarginMs: number;
  /** Kept free at the end of an invocation for ledger, checkpoint, lease and the next request: a share, no more than so long. */
  reserveShare: number;
  maxReserveMs: number;
  /** A run ends some time before its lease does: so often a request that waits for it looks. */
  lookAgainMs: number;
  /** A crashed or incomplete run older than this is not resumed: its first pages would be too old. */
  resumeWithinMs: number;
  /** Runs looked back on for one that learnt the fields of its answers. */
  runsLookedAt: number;
  /** Fewer loaded records say nothing of the share that a changed mapping would overwrite. */
  leastWeighed: number;
};

export type LoadTuning = {
  /** Kept free at the end of an invocation and of a claim: settling, letters, sending back what was put off. */
  settleReserveMs: number;
  /** So long a batch begins POSTs; what is left comes back, that a slow target does not hold up the batches of others. */
  postingMs: number;
  /** The longest sleep for a permit; what would have to wait longer gets an appointment. */
  permitWaitMs: number;
  /** What comes this much before its appointment, or more, goes back. */
  earlyMs: number;
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
  /**
   * A message that is still put off so long after it was first sent ends: Lambda's own guard against endless circles is
   * off (`RecursiveLoop: Allow`). Its record stays open, and the next run sends it anew. Longer than a pause, and than a
   * parent is waited for; short, since until then nobody knows whether a message is lost.
   */
  maxAgeMs: number;
};

export type DispatchTuning = {
  /**
   * What is due later than this waits in the ledger: a message can be delayed by 15 minutes at most (SQS, DelaySeconds),
   * and each return to the queue costs more than that.
   */
  aheadMs: number;
  /** Requests that are booked, sent and written down together: what a crash repeats. */
  requestsAtOnce: number;
  /** An item of DynamoDB has 400 KB: this many bytes of messages, however badly they compress. */
  chunkBytes: number;
  /** A dispatcher that has vanished holds the line for so long. */
  leaseMs: number;
  /** Kept free at the end of an invocation. */
  reserveMs: number;
};

/** When a connection rests, since its other end is down or not understood, and how it is tried again. */
export type RestTuning = {
  /** Failures of so long are weighed together. */
  windowMs: number;
  /** Of so many different records at least, this share must have failed. */
  minRecords: number;
  failedShare: number;
  /** In so many requests at least. So many are enough by themselves where all of them got no connection. */
  minRequests: number;
  /** Answers in a row that are not understood. */
  unclearAnswers: number;
  /** The pause before one record is tried; doubled after each try that failed. */
  pause: Backoff;
};

export type BooksTuning = {
  /** Runs looked back on. Older ones still open have long been named, and later runs have sent their records again. */
  runsLookedAt: number;
};

export type SourceTuning = {
  /** A page that still fails after so many retries fails for good. */
  maxRetries: number;
  retryBackoff: Backoff;
  /** The pause after a 429 that does not say how long: at least half of this, growing. */
  pauseBackoff: Backoff;
};

export type TargetTuning = {
  /** The pause after a 429 without Retry-After: long enough to matter, short enough to notice the end of a short limit. */
  pauseMs: number;
};

export type ConnectionTuning = {
  rest: RestTuning;
  /** With less time than this no request is begun: it could hardly end. */
  minRequestMs: number;
  /** A rotated secret is seen after this long at the latest. */
  secretLifeMs: number;
  /** A token is renewed ahead of time from this share of its life on. */
  tokenAheadShare: number;
  /** While a renewal ahead of time does not succeed, the old token serves this long before the next try. */
  tokenAheadPauseMs: number;
  /** The pause after a token request that was throttled without a word of how long: at least half of this, growing. */
  tokenPauseBackoff: Backoff;
  /** A refused token request is not repeated in a process for so long. */
  tokenRefusedMs: number;
  /** Who waits for another's renewal looks again this often. */
  tokenPollMs: number;
  /** The lock of a renewal outlives the token request by this: reading and writing the item around it. */
  tokenLockMarginMs: number;
  /**
   * A token that was refused right after it had taken another's place is not renewed again for so long: a wrong scope or
   * a want of rights is not cured by it, and each record would ask for one more. `forbidden`: refused by a 403.
   */
  refusedAnewMs: { expired: number; forbidden: number };
};

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Outside of simulated worlds. */
export const standardTuning: Tuning = {
  fetch: {
    chunkRecords: 5_000,
    chunkTextBytes: 150_000,
    deletionPart: 1_000,
    leaseMarginMs: 5_000,
    reserveShare: 0.25,
    maxReserveMs: 20_000,
    lookAgainMs: MINUTE_MS,
    // The next invocation of a daily schedule, an hour late and on the day on which clocks go back, still resumes.
    resumeWithinMs: 26 * HOUR_MS,
    runsLookedAt: 10,
    leastWeighed: 100,
  },
  load: {
    settleReserveMs: 10_000,
    postingMs: 20_000,
    permitWaitMs: 2_000,
    earlyMs: 3_500,
    claimTries: 4,
    settleTries: 3,
    settlePauseMs: 200,
    letterRetryMs: MINUTE_MS,
    unreachableWaitMs: 30_000,
    misconfiguredWaitMs: 5 * MINUTE_MS,
    parentWaitMs: 1_000,
    maxParentWaitMs: 24 * HOUR_MS,
    maxAgeMs: 30 * HOUR_MS,
  },
  dispatch: {
    aheadMs: 890_000,
    requestsAtOnce: 100,
    chunkBytes: 350_000,
    leaseMs: MINUTE_MS,
    reserveMs: 20_000,
  },
  books: { runsLookedAt: 50 },
  source: {
    maxRetries: 5,
    retryBackoff: { baseMs: 500, capMs: 30_000 },
    pauseBackoff: { baseMs: 1_000, capMs: 60_000 },
  },
  target: { pauseMs: 10_000 },
  connection: {
    rest: {
      windowMs: 5 * MINUTE_MS,
      minRecords: 10,
      failedShare: 0.7,
      minRequests: 3,
      unclearAnswers: 5,
      pause: { baseMs: 2_000, capMs: 5 * MINUTE_MS },
    },
    minRequestMs: 250,
    secretLifeMs: 5 * MINUTE_MS,
    tokenAheadShare: 0.9,
    tokenAheadPauseMs: MINUTE_MS,
    tokenPauseBackoff: { baseMs: 2_000, capMs: 60_000 },
    tokenRefusedMs: 10_000,
    tokenPollMs: 250,
    tokenLockMarginMs: 10_000,
    refusedAnewMs: { expired: MINUTE_MS, forbidden: 10 * MINUTE_MS },
  },
};
