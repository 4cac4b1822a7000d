/** How rate limits and pauses held one side of a run up. */
export type LimitHits = {
  /**
   * Time for which requests were held back, ms. The target's counts permits and pauses, not workers: ten workers that
   * wait for the same moment count it once.
   */
  heldMs: number;
  /** Answers that said "too many": 429, 503 with Retry-After, the target's own code. */
  throttled: number;
  /** Times that a record, or the reading of the source, was put off to a later invocation. */
  putOff: number;
};

/** How limits held up each side of a run. */
export type RunLimits = { source: LimitHits; target: LimitHits };

/** What loading used of the target: requests, and how its limits held them up. */
export type TargetUse = LimitHits & { requests: number };

export const noHits = (): LimitHits => ({ heldMs: 0, throttled: 0, putOff: 0 });
export const noUse = (): TargetUse => ({ requests: 0, ...noHits() });

/** Of both sides, whether or not a limit was hit. */
export const limitsOf = ({ limits }: { limits?: RunLimits }): RunLimits =>
  limits ?? { source: noHits(), target: noHits() };

export const addHits = (a: LimitHits, b: LimitHits): LimitHits => ({
  heldMs: a.heldMs + b.heldMs,
  throttled: a.throttled + b.throttled,
  putOff: a.putOff + b.putOff,
});

export const addUse = (a: TargetUse, b: TargetUse): TargetUse => ({
  requests: a.requests + b.requests,
  ...addHits(a, b),
});

export const isHit = ({ heldMs, throttled, putOff }: LimitHits): boolean => heldMs + throttled + putOff > 0;
