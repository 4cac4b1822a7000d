import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fetchPlanOf } from '../../lib/fetch/fetch-plan.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import { replay } from '../../lib/replay/replay.ts';
import { holds } from '../../lib/runs/books.ts';
import { reconcile } from '../../lib/runs/reconcile.ts';
import { memoryAuditLog } from '../fakes/memory-audit-log.ts';
import { integrationWith } from '../integration/sample.ts';
import { loadingFor } from '../runs/load-all.ts';
import { DUE_MS, fetchWorld, NAME, schedule } from './fetch-world.ts';

const child = (id: number, parent_id: number, name = `分组${id}`): JsonValue => ({ id, parent_id, name });

const treeWorld = (pages: JsonValue[][], dependsOn: Record<string, JsonValue> = {}) => {
  const integration = integrationWith(NAME, { 'transform.dependsOn': { parent: 'parent_id', ...dependsOn } });
  const world = fetchWorld({ pages });
  const { source: _, ...plan } = fetchPlanOf(integration, world.plan.source, world.plan.ends, {});
  Object.assign(world.plan, plan, { policy: { idCheck: false, onUncertain: 'resend' } });
  const target = loadingFor(world);
  const settle = async (scheduledMs = DUE_MS) => {
    await target.all();
    await reconcile(
      { integration: NAME, policy: { idCheck: false, onUncertain: 'resend' }, deadlineMs: 1 },
      world.deps,
    );
    return world.run(scheduledMs);
  };
  const reasons = async () => {
    const entries = (await world.ledger()).flatMap((chunk) => chunk.entries);
    return Object.fromEntries(entries.flatMap(({ id, reason }) => (reason === undefined ? [] : [[id, reason]])));
  };
  return { world, target, settle, reasons };
};

const order = (posts: readonly { id: string }[]) => posts.map(({ id }) => id);

describe('a run with dependsOn', () => {
  it('loads no child before its parent, whatever the order of the list and of the pages', async () => {
    const { world, target, settle } = treeWorld([
      [child(3, 2), child(2, 1)],
      [child(1, 0), child(4, 1)],
    ]);
    await world.invoke();
    const run = await settle();
    const posted = order(target.posts);
    expect([...posted].sort()).toEqual(['1', '2', '3', '4']);
    expect(posted.indexOf('1')).toBeLessThan(posted.indexOf('2'));
    expect(posted.indexOf('2')).toBeLessThan(posted.indexOf('3'));
    expect(run).toMatchObject({ status: 'balanced', counts: { fetched: 4, enqueued: 4, loaded: 4 } });
  });

  it('keeps the order in any forest, cut into any pages, with a time budget and without', async () => {
    const forests = fc.record({
      parents: fc.array(fc.nat(9), { minLength: 2, maxLength: 12 }),
      cut: fc.integer({ min: 1, max: 5 }),
      pageMs: fc.constantFrom(0, 200_000),
    });
    await fc.assert(
      fc.asyncProperty(forests, async ({ parents, cut, pageMs }) => {
        const records = parents.map((parent, index) => child(index + 1, parent));
        const pages = Array.from({ length: Math.ceil(records.length / cut) }, (_, page) =>
          records.slice(page * cut, (page + 1) * cut),
        );
        const { world, target, settle } = treeWorld(pages);
        world.pageMs = pageMs;
        await world.untilExtracted();
        const run = await settle();
        const posted = order(target.posts);
        expect(new Set(posted).size).toBe(posted.length);
        for (const [index, parent] of parents.entries()) {
          const at = posted.indexOf(String(index + 1));
          if (at < 0 || parent === 0 || parent === index + 1) continue;
          expect(posted.slice(0, at)).toContain(String(parent));
        }
        const { counts, status } = run ?? {};
        const isFailed =
          counts?.invalid === records.length || (records.length >= 10 && (counts?.invalid ?? 0) > records.length / 2);
        expect([status, counts?.fetched, counts && holds(counts)]).toEqual([
          isFailed ? 'failed' : 'balanced',
          records.length,
          true,
        ]);
        expect((counts?.loaded ?? 0) + (counts?.invalid ?? 0)).toBe(records.length);
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it('names missing parents and circles, and what hangs on them', async () => {
    const { world, target, settle, reasons } = treeWorld([
      [child(2, 9), child(3, 2), child(5, 6), child(6, 5), child(7, 6)],
      [child(0, 0), child(1, 0)],
    ]);
    await world.invoke();
    const run = await settle();
    expect(order(target.posts).sort()).toEqual(['0', '1']);
    expect(await reasons()).toEqual({
      2: 'parent 9 is missing: it is not among the records to be loaded',
      3: 'parent 2 was rejected',
      5: 'parents run in a circle: 5 → 6 → 5',
      6: 'parents run in a circle: 5 → 6 → 5',
      7: 'parent 6 was rejected',
    });
    expect(run).toMatchObject({ status: 'balanced', counts: { fetched: 7, invalid: 5, loaded: 2 } });
  });

  it('sends them as roots where the file says so', async () => {
    const { world, target, settle } = treeWorld([[child(2, 9), child(5, 6), child(6, 5)]], {
      missingParent: 'root',
      cycle: 'root',
    });
    await world.invoke();
    expect(await settle()).toMatchObject({ counts: { invalid: 0, loaded: 3 } });
    expect(order(target.posts).sort()).toEqual(['2', '5', '6']);
  });

  it('counts a parent that was loaded before as loaded, though it is not in this list', async () => {
    const { world, target, settle } = treeWorld([[child(2, 9)]]);
    await world.idStore.write(
      NAME,
      { id: '9', rev: 1, loaded: { hash: 'x', versionMs: 1, atMs: 1 } },
      { absent: true },
    );
    await world.invoke();
    await settle();
    expect(order(target.posts)).toEqual(['2']);
  });

  it('rejects the children of a rejected parent by name, without a POST and without letters of their own', async () => {
    const { world, target, settle } = treeWorld([[child(1, 0), child(2, 1), child(3, 2), child(4, 0)]]);
    target.refused.add('1');
    await world.invoke();
    const run = await settle();
    expect(order(target.posts)).toEqual(expect.arrayContaining(['1', '4']));
    expect(order(target.posts)).toHaveLength(2);
    expect(run).toMatchObject({ status: 'balanced', counts: { enqueued: 4, loaded: 1, rejected: 3, open: 0 } });
    expect(target.deadLetters.bodies()).toHaveLength(1);
    expect((await world.idStore.read(NAME, ['3'])).get('3')?.trouble).toMatchObject({
      kind: 'rejected',
      reason: 'parent 2 was rejected',
      parentId: '2',
    });
  });

  it('frees them, all levels at once, when the parent is mended by replay', async () => {
    const { world, target, settle } = treeWorld([[child(1, 0), child(2, 1), child(3, 2)]]);
    target.refused.add('1');
    await world.invoke();
    await settle();

    const secondMs = DUE_MS + 3_600_000;
    await world.invoke(schedule({ scheduledMs: secondMs }));
    expect(await settle(secondMs)).toMatchObject({ counts: { skipped: 3, enqueued: 0 } });

    target.refused.clear();
    const { clock } = world;
    const audit = memoryAuditLog();
    await replay(
      {},
      { deadLetters: target.deadLetters, records: world.records, audit, clock, log: world.deps.log, runs: world.runs },
    );
    await target.all();
    const thirdMs = DUE_MS + 7_200_000;
    await world.invoke(schedule({ scheduledMs: thirdMs }));
    expect(await settle(thirdMs)).toMatchObject({
      status: 'balanced',
      counts: { unchanged: 1, enqueued: 2, loaded: 2 },
    });
    expect(order(target.posts)).toEqual(['1', '1', '2', '3']);
  });

  describe('with a refused parent', () => {
    const refusedFirst = async (dependsOn: Parameters<typeof treeWorld>[1] = {}, first = [child(1, 0)]) => {
      const parts = treeWorld([first], dependsOn);
      parts.target.refused.add('1');
      await parts.world.invoke();
      await parts.settle();
      const againMs = DUE_MS + 3_600_000;
      const again = async (pages: ReturnType<typeof child>[][], pageMs = 0) => {
        parts.world.pages = pages;
        parts.world.pageMs = pageMs;
        await parts.world.untilExtracted(schedule({ scheduledMs: againMs }));
        return parts.settle(againMs);
      };
      return { ...parts, again };
    };

    it.each([
      { order: 'parents first', pages: [[child(1, 0), child(2, 1), child(3, 2)]] },
      { order: 'children first', pages: [[child(3, 2), child(2, 1), child(1, 0)]] },
      { order: 'children on earlier pages', pages: [[child(3, 2)], [child(2, 1)], [child(1, 0)]] },
      { order: 'children on later pages', pages: [[child(1, 0)], [child(2, 1)], [child(3, 2)]] },
    ])('what is new below it is skipped on every level: $order', async ({ pages }) => {
      for (const pageMs of [0, 200_000]) {
        const { again } = await refusedFirst();
        expect(await again(pages, pageMs)).toMatchObject({ status: 'balanced', counts: { skipped: 3, enqueued: 0 } });
      }
    });

    it('a loaded record that moves below it is skipped, not sent and refused by every run', async () => {
      const { again, target } = await refusedFirst({}, [child(1, 0), child(2, 0)]);
      expect(await again([[child(1, 0), child(2, 1, 'moved')]])).toMatchObject({ counts: { skipped: 2, enqueued: 0 } });
      expect(order(target.posts)).toEqual(['1', '2']);
    });

    it('what is new below it is sent where refused parents hold nobody up', async () => {
      const { again, target } = await refusedFirst({ rejectedParent: 'root' });
      expect(await again([[child(1, 0), child(2, 1)]])).toMatchObject({ counts: { skipped: 1, loaded: 1 } });
      expect(order(target.posts)).toEqual(['1', '2']);
    });
  });

  it('goes on where it stopped when an invocation ends among the postponed records', async () => {
    const pages = [[child(2, 1)], [child(3, 1)], [child(4, 9)], [child(1, 0)]];
    const { world, settle } = treeWorld(pages);
    const { saveChunk } = world.runs;
    let killed = false;
    world.deps.runs = {
      ...world.runs,
      saveChunk: async (integration, chunk) => {
        // The first chunk after the pages is the first of the postponed records.
        if (chunk.index === pages.length + 2 && !killed) {
          killed = true;
          throw new Error('killed');
        }
        await saveChunk(integration, chunk);
      },
    };
    expect(await world.invoke()).toBe('killed');
    expect(await world.run()).toMatchObject({ checkpoint: { judged: 1 } });
    await world.untilExtracted();
    expect(await settle()).toMatchObject({
      status: 'balanced',
      counts: { fetched: 4, invalid: 1, enqueued: 3, loaded: 3 },
    });
  });
});
