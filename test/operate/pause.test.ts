import { expect, test } from 'vitest';
import { pausedOf, setPaused } from '../../lib/operate/pause.ts';
import { rename } from '../../lib/operate/rename.ts';
import { forgottenEnds, noEnds } from '../../lib/runs/ends.ts';
import { reconcile } from '../../lib/runs/reconcile.ts';
import type { LogFields } from '../../lib/runtime/log.ts';
import { standardTuning } from '../../lib/runtime/tuning.ts';
import { groups, loaded, operateWorld, runAt } from './operate-world.ts';

const signature = { by: 'li@desk', why: 'the target is migrated' };
const pausedSince = async (world: ReturnType<typeof operateWorld>, name = groups.name) =>
  (await world.runs.ends(name))?.pausedSinceMs;

test('an integration is paused and resumed once each, with an audit entry for either', async () => {
  const world = operateWorld();
  const sinceMs = world.clock.nowMs();
  expect(await setPaused(groups.name, true, signature, world)).toEqual({ pausedSinceMs: sinceMs, isNew: true });
  expect(await pausedOf([groups.name, 'others'], world)).toEqual({ [groups.name]: sinceMs });
  await world.clock.advance(1_000);
  expect(await setPaused(groups.name, true, signature, world)).toEqual({ pausedSinceMs: sinceMs, isNew: false });
  expect(await setPaused(groups.name, false, signature, world)).toEqual({ isNew: true });
  expect(await setPaused(groups.name, false, signature, world)).toEqual({ isNew: false });
  expect((await world.audit.list(groups.name)).map(({ action, by }) => [action, by])).toEqual([
    ['paused', 'li@desk'],
    ['resumed', 'li@desk'],
  ]);
});

test('a pause outlives a new name, and a fresh start', async () => {
  const world = operateWorld();
  await world.knows(loaded('1'));
  await setPaused(groups.name, true, signature, world);
  const sinceMs = await pausedSince(world);
  await rename({ from: groups.name, to: 'groups-v2' }, signature, { ...world, batchMs: 0 });
  expect(await pausedSince(world, 'groups-v2')).toBe(sinceMs);
  expect(forgottenEnds((await world.runs.ends('groups-v2')) ?? noEnds()).pausedSinceMs).toBe(sinceMs);
});

test('nobody is told of a missing run of a paused integration', async () => {
  const world = operateWorld();
  await world.ran(runAt(0, { status: 'balanced' }));
  await world.clock.advance(86_400_000);
  const missing: unknown[] = [];
  const note = (event: string, fields: LogFields = {}) => {
    if (event === 'integration-reconciled') missing.push(fields.missing);
  };
  const log = { debug: note, info: note, warn: note, error: note };
  const policy = { idCheck: false, onUncertain: 'resend' } as const;
  const reconciling = { integration: groups.name, policy, deadlineMs: 1, missingAfterMs: 3_600_000 };
  const deps = { ...world, log, tuning: standardTuning };
  await reconcile(reconciling, deps);
  await setPaused(groups.name, true, signature, world);
  await reconcile(reconciling, deps);
  expect(missing).toEqual([1, 0]);
});
