/** How a wait grows: `baseMs` before the first retry, doubled each time, never above `capMs`. */
export type Backoff = { baseMs: number; capMs: number };

/**
 * The wait in ms before retry number `retry` (0 is the first), with full jitter: anything from 0 to the doubled wait,
 * since workers that failed together must not come back together. `fraction` is a random number in [0, 1).
 * Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
 */
export const backoffMs = (retry: number, fraction: number, { baseMs, capMs }: Backoff): number =>
  Math.floor(fraction * Math.min(capMs, baseMs * 2 ** retry));
