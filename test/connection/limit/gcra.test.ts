import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leasePermits, slackMs, unusedLimiter } from '../../../lib/connection/limit/gcra.ts';
import type { RateLimit } from '../../../lib/connection/limit/rate-limit.ts';

const START_MS = Date.UTC(2026, 0, 5);

const limits: fc.Arbitrary<RateLimit> = fc.record({
  requests: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 500 })),
  intervalMs: fc.oneof(
    fc.integer({ min: 1, max: 300 }),
    fc.constantFrom(1_000, 10_000, 60_000),
    fc.nat(100_000).map((ms) => ms + 1),
  ),
});

const fraction = fc.double({ min: 0, max: 1, noNaN: true });

/** What a worker does next: asks `afterShare` of the interval later, and sends each permit somewhere in its time. */
const step = fc.record({
  afterShare: fc.oneof(fc.constant(0), fraction),
  count: fc.integer({ min: 0, max: 20 }),
  withinIntervals: fc.double({ min: 0.001, max: 5, noNaN: true }),
  latenesses: fc.array(fc.oneof(fc.constantFrom(0, 1), fraction), { minLength: 1, maxLength: 8 }),
  pauseShare: fc.option(fc.double({ min: -1, max: 3, noNaN: true }), { freq: 4 }),
});

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** Plays the steps against one shared state; gives all sends and pauses. */
const play = (limit: RateLimit, steps: readonly Step[]) => {
  let nowMs = START_MS;
  let state = unusedLimiter;
  const sendsMs: number[] = [];
  for (const { afterShare, count, withinIntervals, latenesses, pauseShare } of steps) {
    nowMs += Math.round(afterShare * limit.intervalMs);
    if (pauseShare !== null) {
      const pausedUntilMs = Math.max(state.pausedUntilMs, nowMs + pauseShare * limit.intervalMs);
      state = { ...state, pausedUntilMs };
    }
    const deadlineMs = nowMs + withinIntervals * limit.intervalMs;
    const { permits, tatMs, retryAtMs } = leasePermits(state, limit, count, nowMs, deadlineMs);
    expect(permits.length).toBeLessThanOrEqual(count);
    if (permits.length < count) expect(retryAtMs).toBeGreaterThanOrEqual(deadlineMs);
    permits.forEach(({ notBeforeMs, untilMs }, index) => {
      expect(notBeforeMs).toBeGreaterThanOrEqual(Math.max(nowMs, state.pausedUntilMs));
      expect(notBeforeMs).toBeLessThan(deadlineMs);
      expect(untilMs).toBeGreaterThan(notBeforeMs);
      const lateness = latenesses[index % latenesses.length] ?? 0;
      // A clock that shows whole ms says `untilMs` until just before the next one.
      sendsMs.push(notBeforeMs + lateness * (untilMs - notBeforeMs) + lateness * 0.999);
    });
    state = { ...state, tatMs };
  }
  return sendsMs.sort((a, b) => a - b);
};

describe('leasePermits', () => {
  it('never allows more requests than the limit in any window, wherever workers send within their permits', () => {
    fc.assert(
      fc.property(limits, fc.array(step, { minLength: 1, maxLength: 60 }), (limit, steps) => {
        const sendsMs = play(limit, steps);
        sendsMs.slice(limit.requests).forEach((lateMs, index) => {
          expect(lateMs - (sendsMs[index] ?? 0)).toBeGreaterThanOrEqual(limit.intervalMs);
        });
      }),
      { numRuns: 2_000 },
    );
  });

  it('comes as close to the limit as it may: the worst case misses it by less than 2 ms', () => {
    for (const limit of [
      { requests: 10, intervalMs: 1_000 },
      { requests: 60, intervalMs: 60_000 },
      { requests: 1, intervalMs: 500 },
    ]) {
      const { permits } = leasePermits(unusedLimiter, limit, limit.requests + 1, START_MS, START_MS + 1e9);
      const spanMs = (permits.at(-1)?.notBeforeMs ?? 0) - (permits[0]?.untilMs ?? 0);
      expect(spanMs - limit.intervalMs).toBeLessThan(2);
    }
  });

  it.each([
    { requests: 1, intervalMs: 170 },
    { requests: 10, intervalMs: 1_000 },
    { requests: 20, intervalMs: 1_000 },
    { requests: 5_000, intervalMs: 1_000 },
    { requests: 60, intervalMs: 60_000 },
    { requests: 100_000, intervalMs: 86_400_000 },
  ])('uses at least 97 % of $requests requests per $intervalMs ms under load', (limit) => {
    let state = unusedLimiter;
    const intervals = 50;
    const endMs = START_MS + intervals * limit.intervalMs;
    let used = 0;
    for (;;) {
      const { permits, tatMs } = leasePermits(state, limit, 10, START_MS, endMs);
      if (permits.length === 0) break;
      used += permits.length;
      state = { ...state, tatMs };
    }
    expect(used / (intervals * limit.requests)).toBeGreaterThanOrEqual(0.97);
    expect(used / (intervals * limit.requests)).toBeLessThanOrEqual(1);
  });

  it('leaves a permit some ms of slack, 2 % of a long interval', () => {
    expect(slackMs({ requests: 1, intervalMs: 10 })).toBe(5);
    expect(slackMs({ requests: 1, intervalMs: 60_000 })).toBe(1_200);
  });

  it('changes nothing when it leases nothing', () => {
    const state = { tatMs: START_MS + 5_000, pausedUntilMs: 0 };
    const limit = { requests: 1, intervalMs: 1_000 };
    const none = { permits: [], tatMs: state.tatMs, retryAtMs: state.tatMs };
    expect(leasePermits(state, limit, 3, START_MS, START_MS + 5_000)).toEqual(none);
    expect(leasePermits(state, limit, 0, START_MS, START_MS + 50_000)).toEqual(none);
    expect(leasePermits(state, limit, 3, START_MS, START_MS - 1)).toEqual(none);
  });
});
