/** Time as a port, so that flows run under a simulated clock. */
export interface Clock {
  /** Now, in milliseconds since the epoch. */
  nowMs(): number;
  /** Resolves after `ms` milliseconds. */
  sleep(ms: number): Promise<void>;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms))),
};

/** What is left of an invocation, in milliseconds (Lambda: `context.getRemainingTimeInMillis`). */
export type RemainingMs = () => number;
