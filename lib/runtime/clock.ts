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

const MINUTE_MS = 60_000;

/**
 * How far ahead each stored end can lie, ms, with some minutes for clocks that differ. What lies farther ahead was
 * written by a clock that was wrong, or ours has been set back: it is not believed, or everybody would wait for it.
 */
export const reachMs = {
  /** A claim, or the doubt that it leaves: the longest POST and its settling. */
  claim: 10 * MINUTE_MS,
  /** A run's lease, permits, and the probe of a target that rests: one invocation, 15 minutes at most. */
  invocation: 20 * MINUTE_MS,
  /** From one probe of a target that rests to the next. */
  nextProbe: 20 * MINUTE_MS,
  /** The lock of a token: one token request. */
  tokenLock: 10 * MINUTE_MS,
  /** When something was written: in the past, but for clocks that differ. */
  written: 10 * MINUTE_MS,
  /** A pause: the longest Retry-After that is taken at its word is 24 hours. */
  pause: 25 * 60 * MINUTE_MS,
  /** An appointment: a line is booked for some minutes, and lies behind a pause at most. */
  appointment: 26 * 60 * MINUTE_MS,
  /** What a list of changes was read up to lies in the past. */
  watermark: 10 * MINUTE_MS,
  /** A run that ends late moves a watermark that later runs have moved on: these began that much later at most. */
  lateRun: 48 * 60 * MINUTE_MS,
} as const;

/** Whether something of `atMs` is younger than `lifeMs` at `nowMs`; what lies ahead by more than that is of a wrong clock. */
export const isRecent = (atMs: number, nowMs: number, lifeMs: number): boolean => Math.abs(nowMs - atMs) < lifeMs;

/** Whether something that was to last until `untilMs` lasts at `nowMs`, and can last that long at all. */
export const lasts = (untilMs: number, nowMs: number, longestMs: number): boolean =>
  untilMs > nowMs && untilMs - nowMs <= longestMs;

// China has had no summer time since 1991: Beijing is UTC+8 all year.
export const BEIJING_OFFSET_MS = 8 * 3_600_000;

// The years that have four digits.
const FIRST_MS = Date.UTC(0, 0, 1) - BEIJING_OFFSET_MS;
const LAST_MS = Date.UTC(9999, 11, 31) - BEIJING_OFFSET_MS;

/** An instant as Beijing's clock shows it, `YYYY-MM-DD HH:MM:SS`; undefined outside the years 1900 to 9999. */
export const beijingTime = (ms: number): string | undefined =>
  ms >= FIRST_MS && ms <= LAST_MS
    ? new Date(ms + BEIJING_OFFSET_MS).toISOString().slice(0, 19).replace('T', ' ')
    : undefined;
