import { describe, expect, it } from 'vitest';
import { leasePermits } from '../../../lib/connection/limit/gcra.ts';

const NOW_MS = Date.UTC(2026, 0, 5);
const HOUR_MS = 3_600_000;
const limit = { requests: 60, intervalMs: 60_000 };
const inAMinute = NOW_MS + 60_000;

describe('stored times that no clock of ours can have meant', () => {
  it.each([
    [HOUR_MS, 'an hour'],
    [400 * 24 * HOUR_MS, 'more than a year'],
  ])('a next permit %i ms ahead (%s): after one quiet interval requests go on', (aheadMs) => {
    const stored = { tatMs: NOW_MS + aheadMs, pausedUntilMs: 0 };
    expect(leasePermits(stored, limit, 1, NOW_MS, inAMinute + 1)).toMatchObject({
      permits: [{ notBeforeMs: NOW_MS + limit.intervalMs }],
    });
  });

  it('a pause of days is none', () => {
    const stored = { tatMs: 0, pausedUntilMs: NOW_MS + 72 * HOUR_MS };
    expect(leasePermits(stored, limit, 1, NOW_MS, inAMinute).permits).toMatchObject([{ notBeforeMs: NOW_MS }]);
    expect(leasePermits(stored, undefined, 1, NOW_MS, inAMinute).permits).toHaveLength(1);
  });
});

describe('stored times that can be', () => {
  it('a next permit within an invocation, or one step of a slow limit after it, is waited for', () => {
    const within = { tatMs: NOW_MS + 600_000, pausedUntilMs: 0 };
    expect(leasePermits(within, limit, 1, NOW_MS, inAMinute)).toMatchObject({ permits: [], retryAtMs: within.tatMs });
    const slow = { requests: 1, intervalMs: 6 * HOUR_MS };
    const step = { tatMs: NOW_MS + 6 * HOUR_MS, pausedUntilMs: 0 };
    expect(leasePermits(step, slow, 1, NOW_MS, inAMinute)).toMatchObject({ permits: [], retryAtMs: step.tatMs });
  });

  it('a pause of a day is kept', () => {
    const stored = { tatMs: 0, pausedUntilMs: NOW_MS + 24 * HOUR_MS };
    expect(leasePermits(stored, limit, 1, NOW_MS, inAMinute)).toMatchObject({ permits: [] });
  });
});
