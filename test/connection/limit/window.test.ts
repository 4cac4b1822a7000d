import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bookPlaces, receive } from '../../../lib/connection/limit/line.ts';
import type { Permit, RateLimit } from '../../../lib/connection/limit/rate-limit.ts';
import { grantsText, readGrants } from '../../../lib/connection/limit/stored-log.ts';
import {
  blocksOf,
  type LimiterState,
  leasePermits,
  slackMs,
  unusedLimiter,
} from '../../../lib/connection/limit/window.ts';
import { leaseAsEarlier } from '../../fakes/earlier-limiter.ts';

const START_MS = Date.UTC(2026, 0, 5);

const limits: fc.Arbitrary<RateLimit> = fc
  .record({
    requests: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 500 })),
    intervalMs: fc.oneof(
      fc.integer({ min: 1, max: 300 }),
      fc.constantFrom(1_000, 10_000, 60_000, 86_400_000),
      fc.nat(100_000).map((ms) => ms + 1),
    ),
    burst: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 500 })),
    isBurstGiven: fc.boolean(),
  })
  .map(({ requests, intervalMs, burst, isBurstGiven }) =>
    isBurstGiven ? { requests, intervalMs, burst: Math.min(burst, requests) } : { requests, intervalMs },
  );

const fraction = fc.double({ min: 0, max: 1, noNaN: true });

/** What a worker does next: comes `afterShare` of the interval later, and sends each permit somewhere in its time. */
const step = fc.record({
  afterShare: fc.oneof(fc.constant(0), fraction),
  does: fc.constantFrom('lease', 'lease', 'receive', 'receive', 'book', 'earlier build leases', 'crash'),
  count: fc.integer({ min: 0, max: 40 }),
  fresh: fc.integer({ min: 0, max: 20 }),
  withinIntervals: fc.double({ min: 0.001, max: 5, noNaN: true }),
  latenesses: fc.array(fc.oneof(fc.constantFrom(0, 1), fraction), { minLength: 1, maxLength: 8 }),
  pauseShare: fc.option(fc.double({ min: -1, max: 3, noNaN: true }), { freq: 6 }),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** What comes back from the item: the log as the text holds it. */
const stored = (state: LimiterState, limit: RateLimit): LimiterState => ({
  ...state,
  grants: readGrants(grantsText(state.grants, limit)) ?? [],
});

/** Requests of one limit, as late as their permits let them be. */
const sendsOf = (permits: readonly Permit[], latenesses: readonly number[]): number[] =>
  permits.map(({ notBeforeMs, untilMs }, index) => {
    const lateness = latenesses[index % latenesses.length] ?? 0;
    // A clock that shows whole ms says `untilMs` until just before the next one.
    return notBeforeMs + lateness * (untilMs - notBeforeMs) + lateness * 0.999;
  });

/** Plays the steps against one shared state; gives when each request was sent. */
const play = (start: LimiterState, limit: RateLimit, steps: readonly Step[], startMs: number) => {
  let nowMs = startMs;
  let state = start;
  const sendsMs: number[] = [];
  for (const { afterShare, does, count, fresh, withinIntervals, latenesses, pauseShare } of steps) {
    nowMs += Math.round(afterShare * limit.intervalMs);
    if (pauseShare !== null) {
      const untilMs = nowMs + Math.round(pauseShare * Math.min(limit.intervalMs, 3_600_000));
      state = { ...state, pausedUntilMs: Math.max(state.pausedUntilMs, untilMs) };
    }
    const deadlineMs = nowMs + withinIntervals * Math.min(limit.intervalMs, 180_000);
    let permits: Permit[] = [];
    if (does === 'earlier build leases') {
      const lease = leaseAsEarlier(state, limit, count, nowMs, deadlineMs);
      state = { ...state, tatMs: lease.tatMs };
      permits = lease.permits;
    } else if (does === 'book') {
      const booked = bookPlaces(state, { connection: 'crm', limit }, count, nowMs, nowMs + 890_000);
      state = stored(booked.state, limit);
    } else if (does === 'receive') {
      const arrived = { due: count, fresh, together: 8 };
      const received = receive(state, 'crm', limit, arrived, nowMs, deadlineMs);
      permits = received.permits;
      expect(permits.length + received.appointments.length).toBeLessThanOrEqual(count + fresh);
      for (const dueMs of received.appointments) expect(dueMs).toBeGreaterThanOrEqual(nowMs + 1_500);
      state = stored(received.state, limit);
    } else {
      const lease = leasePermits(state, limit, count, nowMs, deadlineMs);
      // A worker that crashes has taken its permits and sends nothing.
      if (does === 'lease') permits = lease.permits;
      expect(lease.permits.length).toBeLessThanOrEqual(count);
      if (lease.permits.length < count) expect(lease.retryAtMs).toBeGreaterThanOrEqual(deadlineMs);
      state = stored(lease.state, limit);
    }
    for (const { notBeforeMs, untilMs } of permits) {
      expect(notBeforeMs).toBeGreaterThanOrEqual(Math.max(nowMs, state.pausedUntilMs));
      expect(notBeforeMs).toBeLessThan(deadlineMs);
      expect(untilMs).toBeGreaterThan(notBeforeMs);
    }
    sendsMs.push(...sendsOf(permits, latenesses));
  }
  return { sendsMs, state, nowMs };
};

const expectKept = (sendsMs: readonly number[], { requests, intervalMs }: RateLimit) => {
  const inOrder = [...sendsMs].sort((a, b) => a - b);
  inOrder.slice(requests).forEach((lateMs, index) => {
    expect(lateMs - (inOrder[index] ?? 0)).toBeGreaterThanOrEqual(intervalMs);
  });
};

const steps = fc.array(step, { minLength: 1, maxLength: 60 });

describe('permits by a log of the last interval', () => {
  it('never are more than the limit in any window, whoever takes, books, crashes, or is of an earlier build', () => {
    fc.assert(
      fc.property(limits, steps, (limit, these) => {
        expectKept(play(unusedLimiter, limit, these, START_MS).sendsMs, limit);
      }),
      { numRuns: 2_000 },
    );
  });

  it('never are more after what an earlier build has left in the item', () => {
    fc.assert(
      fc.property(limits, steps, fc.integer({ min: 1, max: 600 }), (limit, these, count) => {
        const withinMs = START_MS + Math.min(3 * limit.intervalMs, 600_000);
        const before = leaseAsEarlier(unusedLimiter, limit, count, START_MS, withinMs);
        const item = { ...unusedLimiter, tatMs: before.tatMs };
        const sent = play(item, limit, these, START_MS).sendsMs;
        expectKept([...sendsOf(before.permits, [0, 1, 0.5]), ...sent], limit);
      }),
      { numRuns: 500 },
    );
  });

  it('never are more than a changed limit in a window that ends after the change', () => {
    fc.assert(
      fc.property(limits, limits, steps, steps, (before, after, first, second) => {
        const own = (these: Step[]) => these.filter(({ does }) => does !== 'earlier build leases');
        const one = play(unusedLimiter, before, own(first), START_MS);
        const two = play(one.state, after, own(second), one.nowMs);
        const all = [...one.sendsMs, ...two.sendsMs];
        for (const endMs of two.sendsMs) {
          const inWindow = all.filter((sentMs) => sentMs <= endMs && sentMs > endMs - after.intervalMs);
          expect(inWindow.length).toBeLessThanOrEqual(after.requests);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    [{ requests: 60, intervalMs: 60_000 }, 20],
    [{ requests: 60, intervalMs: 60_000, burst: 1 }, 1],
    [{ requests: 47, intervalMs: 60_000 }, 16],
    [{ requests: 7, intervalMs: 60_000 }, 7],
    [{ requests: 10, intervalMs: 1_000 }, 1],
    [{ requests: 600, intervalMs: 60_000 }, 20],
  ])('of %j come in blocks of at most %i, at once', (limit, size) => {
    expect(blocksOf(limit).size).toBe(size);
    const { permits } = leasePermits(unusedLimiter, limit, 1_000, START_MS, START_MS + 1);
    expect(permits).toHaveLength(size);
  });

  it.each<RateLimit & { percent: number }>([
    { requests: 1, intervalMs: 1_000, percent: 97 },
    { requests: 10, intervalMs: 1_000, percent: 97 },
    { requests: 50, intervalMs: 1_000, percent: 97 },
    { requests: 60, intervalMs: 60_000, percent: 97 },
    { requests: 60, intervalMs: 60_000, burst: 1, percent: 97 },
    { requests: 47, intervalMs: 60_000, percent: 97 },
    { requests: 600, intervalMs: 60_000, percent: 97 },
    { requests: 600, intervalMs: 60_000, burst: 1, percent: 97 },
    // More blocks than the log has room for.
    { requests: 5_000, intervalMs: 60_000, percent: 96.5 },
    { requests: 100_000, intervalMs: 86_400_000, percent: 97 },
  ])(
    'use at least $percent % of $requests/$intervalMs ms where they are asked for at once',
    ({ percent, ...limit }) => {
      let state: LimiterState = unusedLimiter;
      const intervals = limit.requests > 10_000 ? 2 : 20;
      const spanMs = intervals * limit.intervalMs;
      let nowMs = START_MS;
      let used = 0;
      while (nowMs < START_MS + spanMs) {
        const { permits, retryAtMs, state: next } = leasePermits(state, limit, 20, nowMs, nowMs + 2_000);
        state = stored(next, limit);
        used += permits.length;
        if (permits.length < 20) nowMs = retryAtMs;
      }
      expect(used / (intervals * limit.requests)).toBeGreaterThanOrEqual(percent / 100);
      expect(used / ((intervals + 1) * limit.requests)).toBeLessThanOrEqual(1);
    },
  );

  it('leave a request some ms of slack, 1 % of a long interval', () => {
    expect(slackMs({ requests: 1, intervalMs: 10 })).toBe(20);
    expect(slackMs({ requests: 1, intervalMs: 60_000 })).toBe(600);
  });

  it('change nothing where none is given', () => {
    const limit = { requests: 1, intervalMs: 1_000 };
    const { state } = leasePermits(unusedLimiter, limit, 1, START_MS, START_MS + 1);
    for (const [count, deadlineMs] of [
      [3, START_MS + 500],
      [0, START_MS + 50_000],
      [3, START_MS - 1],
    ] as const) {
      const lease = leasePermits(state, limit, count, START_MS, deadlineMs);
      expect(lease.permits).toEqual([]);
      expect(lease.state).toBe(state);
    }
  });
});

describe('the stored log', () => {
  it('is short, and forgets no permit and moves none to an earlier time', () => {
    const grants = fc.array(fc.record({ afterMs: fc.nat(2_000), count: fc.integer({ min: 1, max: 100 }) }), {
      maxLength: 400,
    });
    fc.assert(
      fc.property(limits, grants, (limit, entries) => {
        let atMs = START_MS;
        const log = entries.map(({ afterMs, count }) => {
          atMs += afterMs;
          return { atMs, count };
        });
        const text = grantsText(log, limit);
        expect(text.length).toBeLessThanOrEqual(500);
        const read = readGrants(text) ?? [];
        const total = (of: typeof log) => of.reduce((sum, { count }) => sum + count, 0);
        expect(total(read)).toBe(total(log));
        for (const { atMs: fromMs } of log) {
          const since = (of: typeof log) => total(of.filter((grant) => grant.atMs >= fromMs));
          expect(since(read)).toBeGreaterThanOrEqual(since(log));
        }
      }),
      { numRuns: 300 },
    );
  });

  it.each(['! 1', '1 !', '1 5*0', '1 5*', '1  2'])('is no log: %j', (text) => {
    expect(readGrants(text)).toBeUndefined();
  });
});
