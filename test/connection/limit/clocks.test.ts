import { describe, expect, it } from 'vitest';
import { healthView, healthy, type Rest } from '../../../lib/connection/limit/health.ts';
import { bookPlaces } from '../../../lib/connection/limit/line.ts';
import { isProbeDue, withSeen } from '../../../lib/connection/limit/rest.ts';
import { leasePermits, unusedLimiter } from '../../../lib/connection/limit/window.ts';
import { cachedSecrets } from '../../../lib/connection/secrets.ts';
import { standardTuning } from '../../../lib/runtime/tuning.ts';
import { memoryHealthStore } from '../../fakes/memory-health-store.ts';
import { seededRandom } from '../../fakes/seeded-random.ts';

const NOW_MS = Date.UTC(2026, 0, 5);
const HOUR_MS = 3_600_000;
const limit = { requests: 60, intervalMs: 60_000 };
const inAMinute = NOW_MS + 60_000;

describe('stored times that no clock of ours can have meant', () => {
  it.each([
    [HOUR_MS, 'an hour'],
    [400 * 24 * HOUR_MS, 'more than a year'],
  ])('a next permit %i ms ahead (%s): after one quiet interval requests go on', (aheadMs) => {
    for (const stored of [
      { ...unusedLimiter, tatMs: NOW_MS + aheadMs },
      { ...unusedLimiter, grants: [{ atMs: NOW_MS + aheadMs, count: 60 }] },
    ]) {
      // The first who comes writes that it was by now; who came next would otherwise wait as long again.
      const first = leasePermits(stored, limit, 1, NOW_MS, NOW_MS + 2_000);
      expect(first.permits).toEqual([]);
      const next = leasePermits(first.state, limit, 1, inAMinute, inAMinute + 2_000);
      expect(next.permits).toEqual([{ notBeforeMs: inAMinute + 750, untilMs: inAMinute + 1_349 }]);
    }
  });

  it('a line that ends in two days: the next one who books begins it anew', () => {
    const line = { startMs: NOW_MS + 48 * HOUR_MS, used: 7 };
    const stored = { ...unusedLimiter, rate: '60/60000', line };
    const booked = bookPlaces(stored, { connection: 'crm', limit }, 1, NOW_MS, Number.POSITIVE_INFINITY);
    expect(booked.appointments[0]).toBeLessThan(inAMinute);
    const hours = { ...stored, line: { startMs: NOW_MS + 20 * HOUR_MS, used: 7 } };
    const behind = bookPlaces(hours, { connection: 'crm', limit }, 1, NOW_MS, Number.POSITIVE_INFINITY);
    expect(behind.appointments).toEqual([NOW_MS + 20 * HOUR_MS]);
  });

  it('a pause of days is none', () => {
    const stored = { ...unusedLimiter, pausedUntilMs: NOW_MS + 72 * HOUR_MS };
    expect(leasePermits(stored, limit, 1, NOW_MS, inAMinute).permits).toMatchObject([{ notBeforeMs: NOW_MS }]);
    expect(leasePermits(stored, undefined, 1, NOW_MS, inAMinute).permits).toHaveLength(1);
  });
});

describe('a rest that a wrong clock has written', () => {
  const rest: Rest = {
    cause: 'down',
    why: 'status 503',
    sinceMs: NOW_MS,
    probeAtMs: NOW_MS,
    failedProbes: 1,
    runs: [],
  };

  it.each<[string, Partial<Rest>]>([
    ['the next probe is two hours ahead', { probeAtMs: NOW_MS + 2 * HOUR_MS }],
    ['a lost probe ends in two hours', { probe: { owner: 'lost', untilMs: NOW_MS + 2 * HOUR_MS } }],
  ])('is tried at once: %s', (_, wrong) => {
    expect(isProbeDue({ ...rest, ...wrong }, NOW_MS)).toBe(true);
  });

  it.each<[string, Partial<Rest>]>([
    ['the next probe is five minutes ahead', { probeAtMs: NOW_MS + 300_000 }],
    ['a probe ends with its invocation', { probe: { owner: 'other', untilMs: NOW_MS + 900_000 } }],
  ])('waits where that can be: %s', (_, right) => {
    expect(isProbeDue({ ...rest, ...right }, NOW_MS)).toBe(false);
  });

  it('does not begin for failures of tomorrow', () => {
    const failed = { atMs: NOW_MS + 24 * HOUR_MS, failed: ['a 1'], isUnsent: true };
    const seen = { integration: 'a', records: ['2'], sign: 'unsent', why: 'refused', wellBefore: 0 } as const;
    const after = withSeen({ ...healthy, tries: [failed, failed] }, seen, NOW_MS, standardTuning.connection.rest);
    expect(after.rests).toEqual([]);
  });
});

describe('a clock that is set back', () => {
  const clock = { nowMs: () => NOW_MS, sleep: () => Promise.resolve() };
  const setBack = () => {
    clock.nowMs = () => NOW_MS - HOUR_MS;
  };

  it('leaves no worker with what it knew of a target an hour long', async () => {
    const store = memoryHealthStore();
    const view = healthView(store, { clock, random: seededRandom(1) });
    expect((await view.look('crm')).rests).toEqual([]);
    const rest: Rest = { cause: 'down', why: 'status 503', sinceMs: NOW_MS, failedProbes: 0, runs: [] };
    await store.write('crm', { ...healthy, rests: [rest] }, 0);
    setBack();
    expect((await view.look('crm')).rests).toEqual([rest]);
  });

  it('leaves no secret known an hour longer', async () => {
    clock.nowMs = () => NOW_MS;
    let value = 'old';
    const secrets = cachedSecrets({ read: async () => value }, clock, 60_000);
    expect(await secrets.read({ ssm: '/token' })).toBe('old');
    value = 'new';
    setBack();
    expect(await secrets.read({ ssm: '/token' })).toBe('new');
  });
});

describe('stored times that can be', () => {
  it('a next permit within an invocation, or one step of a slow limit after it, is waited for', () => {
    const within = { ...unusedLimiter, grants: [{ atMs: NOW_MS + 600_000, count: 20 }] };
    expect(leasePermits(within, limit, 1, NOW_MS, inAMinute)).toMatchObject({
      permits: [],
      retryAtMs: NOW_MS + 618_000,
    });
    const slow = { requests: 1, intervalMs: 6 * HOUR_MS };
    const step = { ...unusedLimiter, tatMs: NOW_MS + 6 * HOUR_MS };
    expect(leasePermits(step, slow, 1, NOW_MS, inAMinute)).toMatchObject({ permits: [], retryAtMs: step.tatMs + 150 });
  });

  it('a pause of a day is kept', () => {
    const stored = { ...unusedLimiter, pausedUntilMs: NOW_MS + 24 * HOUR_MS };
    expect(leasePermits(stored, limit, 1, NOW_MS, inAMinute)).toMatchObject({ permits: [] });
  });
});
