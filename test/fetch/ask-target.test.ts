import { expect, test } from 'vitest';
import { type ConnectionHealth, healthy } from '../../lib/connection/limit/health.ts';
import { fetchWorld, group, schedule } from './fetch-world.ts';

const stopped: ConnectionHealth = {
  ...healthy,
  rests: [
    {
      cause: 'not-understood',
      integration: 'groups',
      why: 'no-known-status 200',
      sinceMs: 1,
      failedProbes: 0,
      runs: [],
    },
  ],
};

test('a run that begins has one record tried at a target that rests; one that goes on does not', async () => {
  const world = fetchWorld({ pages: [[group(1)]], plan: { integration: 'groups' } });
  const { health } = world.deps;
  await health.change('target', () => stopped);
  const beganMs = world.clock.nowMs();
  await world.invoke({ kind: 'continue', integration: 'groups', runId: 'groups-none' });
  expect((await health.change('target', () => undefined)).after).toEqual(stopped);
  await world.invoke(schedule({ scheduledMs: beganMs + 1_000 }));
  expect((await health.change('target', () => undefined)).after.rests).toMatchObject([
    { probeAtMs: expect.any(Number) },
  ]);
});

test('that nobody can tell whether the target rests holds no run up', async () => {
  const world = fetchWorld({ pages: [[group(1)]] });
  world.deps.health = { change: () => Promise.reject(new Error('unreachable')) };
  expect(await world.invoke()).toMatchObject({ end: 'extracted' });
  expect(world.logged.map(({ event }) => event)).toContain('health-unreachable');
});
