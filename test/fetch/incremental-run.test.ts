import { describe, expect, it } from 'vitest';
import { transformPlanOf } from '../../lib/integration/compile/run-plan.ts';
import type { RequestContext } from '../../lib/integration/dialect/variables.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import { listLetters } from '../../lib/messages/dead-letter-queue.ts';
import { reconcile } from '../../lib/runs/reconcile.ts';
import type { Source } from '../../lib/source/source.ts';
import { openTransform } from '../../lib/transform/transform.ts';
import { integrationWith } from '../integration/sample.ts';
import { loadingFor } from '../runs/load-all.ts';
import { DUE_MS, fetchWorld, group, loadedItem, NAME, schedule } from './fetch-world.ts';

const HOUR_MS = 3_600_000;
const INITIAL_MS = Date.UTC(2020, 0, 1);

const incrementalWorld = () => {
  const world = fetchWorld({
    pages: [[group(1)], [group(2)]],
    plan: { window: { initialMs: INITIAL_MS, overlapMs: 600_000, staysAtInvalid: false } },
  });
  const asked: RequestContext[] = [];
  const { readPage } = world.plan.source;
  const source: Source = {
    readPage: (at, deadlineMs, context) => {
      asked.push(context);
      return readPage(at, deadlineMs, context);
    },
  };
  world.plan.source = source;
  const target = loadingFor(world);
  const balance = () =>
    reconcile(
      { integration: NAME, policy: { idCheck: false, onUncertain: 'resend' }, deadlineMs: HOUR_MS },
      world.deps,
    );
  return { world, asked, target, balance, watermark: () => world.runs.watermark(NAME) };
};

describe('a run over a list of changes', () => {
  it('asks all its pages for one window, from the initial time up to its start', async () => {
    const { world, asked } = incrementalWorld();
    world.pageMs = 200_000;
    await world.untilExtracted();
    expect(asked).toEqual([
      { lastSyncMs: INITIAL_MS, nowMs: DUE_MS },
      { lastSyncMs: INITIAL_MS, nowMs: DUE_MS },
    ]);
  });

  it('moves the watermark only when everything that it sent is loaded', async () => {
    const { world, asked, target, balance, watermark } = incrementalWorld();
    await world.invoke();
    await balance();
    expect(await watermark()).toBeUndefined();
    await target.all();
    await balance();
    expect(await watermark()).toBe(DUE_MS);

    await world.clock.advance(HOUR_MS);
    await world.invoke(schedule({ scheduledMs: DUE_MS + HOUR_MS }));
    expect(asked.at(-1)?.lastSyncMs).toBe(DUE_MS - 600_000);
  });

  it('leaves the watermark where it is at its deadline, and moves it once all is loaded after all', async () => {
    const { world, target, balance, watermark } = incrementalWorld();
    await world.invoke();
    await world.clock.advance(2 * HOUR_MS);
    await balance();
    expect(await world.run()).toMatchObject({ status: 'unbalanced', counts: { open: 2 } });
    expect(await watermark()).toBeUndefined();
    await target.all();
    await balance();
    expect(await world.run()).toMatchObject({ status: 'balanced' });
    expect(await watermark()).toBe(DUE_MS);
  });

  it('leaves the watermark where it is when the source failed', async () => {
    const { world, balance, watermark } = incrementalWorld();
    world.answers.set(1, { kind: 'failed', code: 'source-down', message: '', requests: 1, warnings: [] });
    await world.invoke();
    await balance();
    expect(await watermark()).toBeUndefined();
  });

  it('moves on when nothing had changed', async () => {
    const { world, watermark } = incrementalWorld();
    world.pages = [[]];
    await world.invoke();
    expect(await world.run()).toMatchObject({ status: 'balanced', counts: { fetched: 0 } });
    expect(await watermark()).toBe(DUE_MS);
  });

  it('never concludes that something vanished', async () => {
    const { world } = incrementalWorld();
    await world.idStore.write(NAME, loadedItem('9'), { absent: true });
    await world.invoke();
    expect(await world.run()).toMatchObject({ vanished: 0, vanishedSample: [] });
  });

  it('sends what changed only: an unchanged row inside the overlap costs no message', async () => {
    const { world, target } = incrementalWorld();
    await world.invoke();
    await target.all();
    await world.clock.advance(HOUR_MS);
    world.pages = [[group(1), group(2, '新名字')]];
    await world.invoke(schedule({ scheduledMs: DUE_MS + HOUR_MS }));
    expect(await world.run(DUE_MS + HOUR_MS)).toMatchObject({ counts: { unchanged: 1, enqueued: 1 } });
  });

  describe('with a bad row', () => {
    const bad = { name: 'no id' };
    const good = [group(1), group(2), group(3)];

    const badWorld = (staysAtInvalid: boolean) => {
      const { world, asked, target, balance, watermark } = incrementalWorld();
      world.plan.window = { initialMs: INITIAL_MS, overlapMs: 0, staysAtInvalid };
      let hours = 0;
      const runOnce = async (rows: JsonValue[]) => {
        world.pages = [rows];
        const scheduledMs = DUE_MS + hours++ * HOUR_MS;
        await world.clock.advance(scheduledMs - world.clock.nowMs());
        await world.invoke(schedule({ scheduledMs }));
        await target.all();
        await balance();
        return { run: await world.run(scheduledMs), fromMs: asked.at(-1)?.lastSyncMs };
      };
      return { runOnce, watermark, world };
    };

    it('asks for the same window in three runs, then moves on and says what it leaves behind', async () => {
      const { runOnce } = badWorld(false);
      const rows = [...good, bad];
      for (const windowHeld of [1, 2]) {
        const { run, fromMs } = await runOnce(rows);
        expect(run).toMatchObject({ status: 'balanced', windowHeld, warnings: [{ code: 'window-held' }] });
        expect(fromMs).toBe(INITIAL_MS);
      }
      const third = await runOnce(rows);
      expect(third.run).toMatchObject({ warnings: [{ code: 'rows-left-behind', count: 1 }], invalidRows: [{}] });
      expect([third.fromMs, third.run?.windowHeld]).toEqual([INITIAL_MS, undefined]);
      expect((await runOnce(good)).fromMs).toBe(DUE_MS + 2 * HOUR_MS);
    });

    it('keeps each row that it leaves behind as a letter, as it was read, before the window moves on', async () => {
      const { runOnce, world, watermark } = badWorld(false);
      const rows = [...good, bad, { id: 4, name: ' ', note: 'blank' }, 'text'];
      world.plan.transform = openTransform(
        transformPlanOf(integrationWith(NAME, { 'transform.clean.blank': { fields: ['name'], action: 'reject' } })),
      );
      for (const _ of [1, 2]) {
        await runOnce(rows);
        expect(world.deadLetters.bodies()).toEqual([]);
      }
      const { deadLetters } = world.deps;
      world.deps.deadLetters = { sendAll: async (messages) => ({ failed: messages.map((_, place) => place) }) };
      await runOnce(rows);
      expect(await watermark()).toBeUndefined();
      world.deps.deadLetters = deadLetters;
      await runOnce(rows);
      const letters = await listLetters(world.deadLetters, { integration: NAME });
      expect(letters).toMatchObject([
        { reason: 'invalid', id: 'record 4', attempts: 0, body: '{"name":"no id"}', failure: { cause: 'invalid' } },
        { reason: 'invalid', id: '4', body: '{"id":4,"name":" ","note":"blank"}' },
        { reason: 'invalid', id: 'record 6', body: '"text"' },
      ]);
      expect(await watermark()).toBeDefined();
    });

    it('cannot keep a row that is too large: its letter has the reason', async () => {
      const { runOnce, world } = badWorld(false);
      const rows = [...good, ...Array.from({ length: 3 }, (_, n) => ({ name: 'x'.repeat((n + 1) * 60_000) }))];
      for (const _ of [1, 2, 3]) await runOnce(rows);
      const letters = await listLetters(world.deadLetters, { integration: NAME });
      expect(letters.map(({ body }) => body?.length)).toEqual([60_011, 120_011, undefined]);
    });

    it('asks for the same window for ever where the file says so', async () => {
      const { runOnce, watermark } = badWorld(true);
      for (let count = 0; count < 5; count++) expect((await runOnce([...good, bad])).fromMs).toBe(INITIAL_MS);
      expect(await watermark()).toBeUndefined();
      await runOnce(good);
      expect(await watermark()).toBe(DUE_MS + 5 * HOUR_MS);
    });

    it('does not count runs that failed', async () => {
      const { runOnce } = badWorld(false);
      await runOnce([...good, bad]);
      for (let count = 0; count < 4; count++) {
        expect((await runOnce([bad])).run).toMatchObject({ status: 'failed', windowHeld: 1 });
      }
      expect((await runOnce([...good, bad])).run).toMatchObject({ windowHeld: 2 });
    });
  });
});
