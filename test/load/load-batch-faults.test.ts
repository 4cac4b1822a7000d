import { describe, expect, it } from 'vitest';
import { canGoWrong, type FaultKind, faultKinds } from '../fakes/faults.ts';
import { loadWorld, refuses, takes, throttles } from './load-world.ts';
import { NOW_MS, recordMessage } from './message.ts';

const ids = ['0', '1', '2', '3', '4'];
/** The id that the target refuses. */
const refusedId = '4';

/**
 * Five ids, one of them refused by the target, one with newer content in the same batch: every port is called, and the
 * call of number `at` goes wrong.
 */
const loadWith = async (at: number, kind: FaultKind, onUncertain: 'resend' | 'park', rows: number) => {
  const world = loadWorld({ policy: { onUncertain }, rows });
  world.answer = (records, index) => {
    if (index === 0) return throttles(10_000);
    return records.some(({ id }) => id === refusedId) ? refuses : takes;
  };
  world.faults.arm(at, kind);
  await world.send(
    ...ids.map((id) => recordMessage({ id })),
    recordMessage({ id: '0', hash: 'B', versionMs: NOW_MS + 1 }),
  );
  await world.run();
  return world;
};

const portsCalled = ['deadLetters', 'health', 'idStore', 'limiter', 'records', 'runs', 'target'];

const callsOf = async (onUncertain: 'resend' | 'park', rows: number): Promise<string[]> =>
  (await loadWith(-1, 'refused', onUncertain, rows)).faults.calls;

// A target that throws has applied nothing: that is the contract of the port.
const mayGoWrong = (call: string, kind: FaultKind) =>
  canGoWrong(call, kind) && (call !== 'target.post' || kind !== 'answer lost');

describe.each([
  { onUncertain: 'resend', rows: 1 },
  { onUncertain: 'resend', rows: 4 },
  { onUncertain: 'park', rows: 1 },
  { onUncertain: 'park', rows: 4 },
] as const)('with one call gone wrong, $onUncertain, $rows to a request', ({ onUncertain, rows }) => {
  it.each(faultKinds)(
    '(%s) nothing is lost, nothing is written twice unexplained, the newest content wins',
    async (kind) => {
      const calls = await callsOf(onUncertain, rows);
      expect([...new Set(calls.map((call) => call.split('.')[0]))].sort()).toEqual(portsCalled);
      const isKilled = kind.startsWith('killed');
      for (const [at, call] of calls.entries()) {
        if (!mayGoWrong(call, kind)) continue;
        const world = await loadWith(at, kind, onUncertain, rows);
        const told = `call ${at}, ${call}`;
        expect(world.records.bodies(), told).toEqual([]);
        const items = new Map(world.idStore.items('groups').map((item) => [item.id, item]));
        const letters = await world.letters();
        for (const id of ids) {
          const newest = id === '0' ? 'B' : 'A';
          const applied = world.applied(id);
          const { trouble, loaded, claim } = items.get(id) ?? {};
          expect(claim, told).toBeUndefined();
          const itsLetters = letters.filter((letter) => letter.id === id).map(({ reason }) => reason);
          // Without a crash no content comes twice; under park never.
          if (!isKilled || onUncertain === 'park') expect(new Set(applied).size, told).toBe(applied.length);
          expect(applied.length, told).toBeLessThanOrEqual(isKilled ? 3 : 2);
          expect([...applied].sort(), told).toEqual(applied);
          if (trouble?.kind === 'parked') {
            expect([onUncertain, isKilled], told).toEqual(['park', true]);
            expect(itsLetters, told).toContain('uncertain');
          } else if (id === refusedId) {
            expect([trouble?.kind, loaded, applied], told).toEqual(['rejected', undefined, []]);
            expect(itsLetters, told).toContain('rejected');
          } else {
            expect([loaded?.hash, trouble, applied.at(-1)], told).toEqual([newest, undefined, newest]);
            expect(itsLetters, told).toEqual([]);
          }
        }
        // Only what the target refused, or nobody can know, ends as a letter, and nothing as crashed.
        expect(
          letters.every(({ reason }) => reason === 'rejected' || reason === 'uncertain'),
          told,
        ).toBe(true);
      }
    },
  );
});
