import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { fetchPlanOf } from '../../lib/fetch/fetch-plan.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import type { Selection } from '../../lib/messages/run-request.ts';
import { holds } from '../../lib/runs/books.ts';
import { reconcile } from '../../lib/runs/reconcile.ts';
import { defined } from '../../lib/runtime/defined.ts';
import { type Changes, integrationWith } from '../integration/sample.ts';
import { loadingFor } from '../runs/load-all.ts';
import { DUE_MS, fetchWorld, group, NAME, schedule } from './fetch-world.ts';

const HOUR_MS = 3_600_000;

const limitedWorld = (pages: JsonValue[][], changes: Changes = {}) => {
  const integration = integrationWith(NAME, changes);
  const world = fetchWorld({ pages });
  const { source: _, ...plan } = fetchPlanOf(integration, world.plan.source, world.plan.ends, {});
  Object.assign(world.plan, plan, { policy: { idCheck: false, onUncertain: 'resend' } });
  const target = loadingFor(world);
  /** One run to its closed books; `at`: how many hours after the first. */
  const run = async (at: number, selection?: Selection) => {
    const scheduledMs = DUE_MS + at * HOUR_MS;
    await world.untilExtracted(schedule({ scheduledMs, ...defined({ selection }) }));
    await target.all();
    await reconcile(
      { integration: NAME, policy: { idCheck: false, onUncertain: 'resend' }, deadlineMs: 1 },
      world.deps,
    );
    await world.clock.advance(HOUR_MS);
    return world.run(scheduledMs);
  };
  const posted = () => target.posts.map(({ id }) => id);
  return { world, target, run, posted };
};

const pages = [
  [group(1), group(2), group(3)],
  [group(4), group(5)],
];

describe('a run that takes on only some records', () => {
  it.each<[Selection, ids: string[]]>([
    [{ limit: 1 }, ['1']],
    [{ limit: 4 }, ['1', '2', '3', '4']],
    [{ ids: ['5', '2'] }, ['2', '5']],
    [{ ids: ['5', '2'], limit: 1 }, ['2']],
  ])('%j sends those, the rest waits, and it is balanced', async (selection, ids) => {
    const { run, posted } = limitedWorld(pages);
    const first = await run(0, selection);
    expect(posted()).toEqual(ids);
    const left = 5 - ids.length;
    expect(first).toMatchObject({
      status: 'balanced',
      selection,
      leftOut: left,
      counts: { fetched: 5, enqueued: ids.length, loaded: ids.length, waiting: left },
    });
    expect(first).not.toHaveProperty('notGiven');
  });

  it('takes up where it stopped when it is asked again, and an ordinary run takes the rest', async () => {
    const { run, posted } = limitedWorld(pages);
    await run(0, { limit: 2 });
    await run(1, { limit: 2 });
    expect(posted()).toEqual(['1', '2', '3', '4']);
    const whole = await run(2);
    expect(whole).toMatchObject({ status: 'balanced', counts: { unchanged: 4, loaded: 1, waiting: 0 } });
    expect(whole).not.toHaveProperty('leftOut');
  });

  it('counts to its limit over all its invocations, in any pages', async () => {
    const cases = fc.record({
      count: fc.integer({ min: 1, max: 12 }),
      cut: fc.integer({ min: 1, max: 5 }),
      limit: fc.integer({ min: 1, max: 13 }),
      pageMs: fc.constantFrom(0, 200_000),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ count, cut, limit, pageMs }) => {
        const rows = Array.from({ length: count }, (_, n) => group(n + 1));
        const cutPages = Array.from({ length: Math.ceil(count / cut) }, (_, n) => rows.slice(n * cut, (n + 1) * cut));
        const { world, run, posted } = limitedWorld(cutPages);
        world.pageMs = pageMs;
        const ended = await run(0, { limit });
        expect(posted()).toHaveLength(Math.min(count, limit));
        expect(ended).toMatchObject({ status: 'balanced', counts: { waiting: Math.max(0, count - limit) } });
        expect(ended && holds(ended.counts)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('names the ids that the source does not give, and somebody is to look', async () => {
    const { run } = limitedWorld(pages);
    const ended = await run(0, { ids: ['2', '77', '78'] });
    expect(ended).toMatchObject({
      status: 'balanced',
      counts: { loaded: 1, waiting: 4 },
      notGiven: { count: 2, sample: ['77', '78'] },
      warnings: [{ code: 'ids-not-given', count: 2 }],
    });
  });

  it('has found an id that it does not send: unchanged, filtered or invalid', async () => {
    const deep = JSON.parse(`${'{"a":'.repeat(150)}1${'}'.repeat(150)}`);
    const { run } = limitedWorld([[group(1), { id: 2, name: '' }, { id: 3, name: 'deep', deep }]]);
    await run(0, { ids: ['1'] });
    const ended = await run(1, { ids: ['1', '2', '3'] });
    expect(ended).toMatchObject({ counts: { unchanged: 1, filtered: 1, invalid: 1 } });
    expect(ended).not.toHaveProperty('notGiven');
  });
});

describe('what stands below a parent, in a run that takes on only some', () => {
  const child = (id: number, parent_id: number): JsonValue => ({ id, parent_id, name: `分组${id}` });
  const tree = { 'transform.dependsOn': { parent: 'parent_id' } };
  // 3 below 2 below 1, the last come first.
  const upsideDown = [[child(3, 2)], [child(2, 1)], [child(1, 0)]];
  const reasons = async ({ world }: ReturnType<typeof limitedWorld>) =>
    (await world.ledger()).flatMap(({ entries }) => entries).find(({ id }) => id === '3')?.reason;

  it('waits by name where its parent is neither loaded nor taken', async () => {
    const one = limitedWorld(upsideDown, tree);
    expect(await one.run(0, { ids: ['3'] })).toMatchObject({ status: 'balanced', counts: { enqueued: 0, waiting: 3 } });
    expect(await reasons(one)).toBe('left out: its parent 2 is not loaded, and this run does not take it');
  });

  it('goes with its parents where they are asked for, too, or loaded before', async () => {
    const { run, posted } = limitedWorld(upsideDown, tree);
    expect(await run(0, { ids: ['3', '2', '1'] })).toMatchObject({ status: 'balanced', counts: { loaded: 3 } });
    expect(posted()).toEqual(['1', '2', '3']);
    const later = limitedWorld(upsideDown, tree);
    await later.run(0, { ids: ['1', '2'] });
    expect(await later.run(1, { ids: ['3'] })).toMatchObject({ status: 'balanced', counts: { loaded: 1 } });
  });

  it('never stays open for a parent beyond the limit, whatever the forest', async () => {
    const forests = fc.record({
      parents: fc.array(fc.nat(9), { minLength: 2, maxLength: 10 }),
      cut: fc.integer({ min: 1, max: 4 }),
      limit: fc.integer({ min: 1, max: 4 }),
      pageMs: fc.constantFrom(0, 200_000),
    });
    await fc.assert(
      fc.asyncProperty(forests, async ({ parents, cut, limit, pageMs }) => {
        const rows = parents.map((parent, index) => child(index + 1, parent));
        const cutPages = Array.from({ length: Math.ceil(rows.length / cut) }, (_, n) =>
          rows.slice(n * cut, (n + 1) * cut),
        );
        const { world, run } = limitedWorld(cutPages, tree);
        world.pageMs = pageMs;
        for (let at = 0; at < parents.length; at++) {
          const ended = await run(at, { limit });
          expect(ended?.counts.open).toBe(0);
          if ((ended?.leftOut ?? 0) === 0) break;
        }
      }),
      { numRuns: 60 },
    );
  });
});

test('a limited run deletes nothing, and the next whole one does what it would have done', async () => {
  const vanished = { action: 'post', maxShare: 1, path: '/remove' };
  const { world, run } = limitedWorld(structuredClone(pages), { vanished });
  await run(0);
  world.pages[1] = [group(4)];
  await run(1);
  world.pages[1] = [group(4), group(6)];
  const limited = await run(2, { ids: ['6'] });
  expect(limited).toMatchObject({ vanished: 1, warnings: [{ code: 'vanished-kept' }] });
  expect(limited).not.toHaveProperty('deletions');
  expect(await run(3)).toMatchObject({ deletions: { enqueued: 1 } });
});

test('a window does not move past what a run left out', async () => {
  const { world, run } = limitedWorld(pages);
  world.plan.window = { initialMs: 0, overlapMs: 0, staysAtInvalid: false };
  await run(0, { limit: 2 });
  expect(await world.runs.watermark(NAME)).toBeUndefined();
  await run(1, { limit: 5 });
  expect(await world.runs.watermark(NAME)).toBe(DUE_MS + HOUR_MS);
});

test('a changed mapping is weighed by the next whole run, although a limited one has tried it', async () => {
  const rows = Array.from({ length: 120 }, (_, n) => group(n + 1));
  const { world, run } = limitedWorld([rows]);
  await run(0);
  const integration = integrationWith(NAME, {
    'target.metadata.request': [
      { field: 'id', value: '{{id}}' },
      { field: 'shown', value: '{{name}}' },
    ],
  });
  const { transform, mapping } = fetchPlanOf(integration, world.plan.source, world.plan.ends, {});
  Object.assign(world.plan, { transform, mapping });
  expect(await run(1, { limit: 3 })).toMatchObject({ status: 'balanced', counts: { loaded: 3, waiting: 117 } });
  expect(await run(2)).toMatchObject({ status: 'failed', failure: { code: 'mapping-changed' } });
});
