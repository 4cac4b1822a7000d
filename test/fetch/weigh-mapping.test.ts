import { describe, expect, it, test } from 'vitest';
import { failureOfMapping, isToBeWeighed } from '../../lib/fetch/weigh-mapping.ts';
import { mappingOf, transformPlanOf } from '../../lib/integration/compile/run-plan.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import { holds } from '../../lib/runs/books.ts';
import { reconcile } from '../../lib/runs/reconcile.ts';
import { standardTuning } from '../../lib/runtime/tuning.ts';
import { openTransform } from '../../lib/transform/transform.ts';
import { type Changes, integrationWith } from '../integration/sample.ts';
import { loadingFor } from '../runs/load-all.ts';
import { DUE_MS, fetchWorld, group, NAME, schedule } from './fetch-world.ts';

describe('the fingerprint of a mapping', () => {
  const crm = 'okki-product-groups-to-crm';
  const before = mappingOf(integrationWith(crm));
  test.each<[string, Changes, boolean]>([
    ['a template', { 'target.metadata.request': [{ field: 'group_id', value: '{{id}}x' }] }, true],
    ['a conversion', { 'transform.types': { group_name: { to: 'string' } } }, true],
    ['how records are cleaned', { 'transform.clean.trim': false }, true],
    ['whether loaded records are overwritten', { 'target.metadata.idCheck': true }, true],
    ['the schedule', { 'schedule.expression': 'rate(7 hours)' }, false],
    ['a limit', { 'target.rateLimit': { requests: 1, intervalMs: 1_000 } }, false],
    ['the path of the target', { 'target.metadata.api': '/elsewhere' }, false],
    ['the title', { title: 'another' }, false],
    ['how often is tried', { 'target.retry': { maxAttempts: 3 } }, false],
  ])('changes with %s: %j → %s', (_, changes, isChanged) => {
    expect(mappingOf(integrationWith(crm, changes)) !== before).toBe(isChanged);
  });
});

test.each<[string, overwrites: number, loaded: number, maxChangedShare: number, isStopped: boolean]>([
  ['more than half of a hundred', 51, 100, 0.5, true],
  ['half of a hundred', 50, 100, 0.5, false],
  ['all of ninety-nine', 99, 99, 0.5, false],
  ['more than the file allows', 11, 100, 0.1, true],
  ['what the file allows', 90, 100, 0.9, false],
])('a changed mapping that overwrites %s', (_, overwrites, loaded, maxChangedShare, isStopped) => {
  const failure = failureOfMapping(overwrites, loaded, { maxChangedShare }, standardTuning.fetch);
  expect(failure?.code).toBe(isStopped ? 'mapping-changed' : undefined);
});

test('nothing is weighed where nothing can be overwritten, or where it is known that it may', () => {
  const plan = { mapping: 'two', policy: { idCheck: false, onUncertain: 'resend' as const }, maxChangedShare: 0.5 };
  const run = { mapping: 'one' };
  expect(isToBeWeighed({}, run, plan)).toBe(true);
  expect(isToBeWeighed({}, { mapping: 'two' }, plan)).toBe(false);
  expect(isToBeWeighed({}, {}, plan)).toBe(false);
  expect(isToBeWeighed({}, {}, plan)).toBe(false);
  expect(isToBeWeighed({ confirmed: true }, run, plan)).toBe(false);
  expect(isToBeWeighed({}, run, { ...plan, maxChangedShare: 1 })).toBe(false);
  expect(isToBeWeighed({}, run, { ...plan, policy: { ...plan.policy, idCheck: true } })).toBe(false);
});

const COUNT = 120;
const PAGE = 40;
const pagesOf = (count: number): JsonValue[][] =>
  Array.from({ length: Math.ceil(count / PAGE) }, (_, page) =>
    Array.from({ length: Math.min(PAGE, count - page * PAGE) }, (_, n) => group(page * PAGE + n + 1)),
  );

/** A world in which all records are loaded, and the mapping changes then. */
const remappedWorld = async (count = COUNT) => {
  const world = fetchWorld({ pages: pagesOf(count) });
  const target = loadingFor(world);
  const settle = async () => {
    await target.all();
    await reconcile(
      { integration: NAME, policy: { idCheck: false, onUncertain: 'resend' }, deadlineMs: 1 },
      world.deps,
    );
  };
  await world.invoke();
  await settle();
  const other = integrationWith(NAME, {
    'target.metadata.request': [
      { field: 'id', value: '{{id}}' },
      { field: 'shown', value: '{{name}}' },
    ],
  });
  world.plan.transform = openTransform(transformPlanOf(other));
  world.plan.mapping = 'two';
  world.reads.length = 0;
  return { world, target, settle };
};

const LATER_MS = DUE_MS + 3_600_000;

describe('a run under a changed mapping', () => {
  it('ends before it sends where it would overwrite most records: what it would send waits', async () => {
    const { world, target } = await remappedWorld();
    world.pages.push([group('new')]);
    const told: string[] = [];
    world.deps.onFailed = async ({ status }) => {
      told.push(status);
    };
    await world.invoke(schedule({ scheduledMs: LATER_MS }));
    const run = await world.run(LATER_MS);
    expect(run).toMatchObject({
      status: 'failed',
      failure: { code: 'mapping-changed' },
      counts: { fetched: 121, waiting: 121, enqueued: 0 },
      mapping: 'one',
    });
    expect(run && holds(run.counts)).toBe(true);
    expect([world.records.bodies(), target.posts.length, told]).toEqual([[], COUNT, ['failed']]);
  });

  it('is stopped again by every run, until somebody says yes; then it is the mapping of the runs after it', async () => {
    const { world, settle } = await remappedWorld();
    for (const hour of [1, 2]) {
      await world.invoke(schedule({ scheduledMs: DUE_MS + hour * 3_600_000 }));
      expect(await world.run(DUE_MS + hour * 3_600_000)).toMatchObject({ status: 'failed' });
    }
    await world.invoke(schedule({ scheduledMs: DUE_MS + 3 * 3_600_000, confirmed: true }));
    await settle();
    expect(await world.run(DUE_MS + 3 * 3_600_000)).toMatchObject({
      status: 'balanced',
      counts: { loaded: COUNT },
      mapping: 'two',
    });
    world.reads.length = 0;
    await world.invoke(schedule({ scheduledMs: DUE_MS + 4 * 3_600_000 }));
    expect(await world.run(DUE_MS + 4 * 3_600_000)).toMatchObject({ status: 'balanced', counts: { unchanged: COUNT } });
    expect(world.reads).toHaveLength(3);
  });

  it('is read twice and goes on where it overwrites few', async () => {
    const { world, settle } = await remappedWorld();
    world.plan.maxChangedShare = 1 - 1 / COUNT;
    world.pages = [...pagesOf(COUNT).slice(0, -1), pagesOf(COUNT).at(-1)?.slice(1) ?? []];
    await world.invoke(schedule({ scheduledMs: LATER_MS }));
    await settle();
    expect(world.reads).toHaveLength(6);
    expect(await world.run(LATER_MS)).toMatchObject({
      status: 'balanced',
      counts: { loaded: COUNT - 1 },
      weighing: { isDone: true, overwrites: COUNT - 1 },
    });
  });

  it('goes on with the reading that sends nothing in other invocations, and sends nothing meanwhile', async () => {
    const { world } = await remappedWorld();
    world.pageMs = 200_000;
    await world.untilExtracted(schedule({ scheduledMs: LATER_MS }));
    expect(await world.run(LATER_MS)).toMatchObject({ status: 'failed', counts: { fetched: COUNT, waiting: COUNT } });
    expect(world.reads).toHaveLength(3);
    expect(world.records.bodies()).toEqual([]);
  });

  it('does not go on with a run of the mapping before', async () => {
    const { world } = await remappedWorld();
    world.plan.mapping = 'one';
    world.answers.set(1, { kind: 'failed', code: 'source-down', message: 'no', requests: 1, warnings: [] });
    await world.invoke(schedule({ scheduledMs: LATER_MS }));
    expect(await world.run(LATER_MS)).toMatchObject({ status: 'incomplete', checkpoint: { fetched: PAGE } });
    world.plan.mapping = 'two';
    world.reads.length = 0;
    world.answers.clear();
    await world.invoke(schedule({ scheduledMs: LATER_MS + 60_000 }));
    expect(world.reads[0]).toBe('start');
    expect(await world.run(LATER_MS + 60_000)).toMatchObject({ failure: { code: 'mapping-changed' } });
  });
});
