import { describe, expect, it, test } from 'vitest';
import { fetchPlanOf } from '../../lib/fetch/fetch-plan.ts';
import { contentHash } from '../../lib/idcheck/hash.ts';
import type { IdCheck } from '../../lib/idcheck/item.ts';
import { writeIds } from '../../lib/runs/id-lists.ts';
import { reconcile } from '../../lib/runs/reconcile.ts';
import { type RunRecord, runIdOf } from '../../lib/runs/record.ts';
import { collect } from '../contracts/collect.ts';
import { integrationWith } from '../integration/sample.ts';
import { loadingFor } from '../runs/load-all.ts';
import { DUE_MS, fetchWorld, group, loadedItem, NAME, runId, schedule } from './fetch-world.ts';

const HOUR_MS = 3_600_000;
const pages = [
  [group(1), group(2), group(3)],
  [group(4), group(5)],
];
const adoption = {};

const adoptWorld = (of = structuredClone(pages)) => {
  const world = fetchWorld({ pages: of });
  const target = loadingFor(world);
  const items = async () => new Map((await collect(world.idStore.scan(NAME))).flat().map((item) => [item.id, item]));
  const put = (item: IdCheck) => world.idStore.write(NAME, item, { absent: true });
  const adopt = async (at = 0, asked: { idChunks?: number } = adoption): Promise<RunRecord | undefined> => {
    const scheduledMs = DUE_MS + at * HOUR_MS;
    await world.untilExtracted(schedule({ scheduledMs, adoption: asked }));
    return world.run(scheduledMs);
  };
  const run = async (at: number) => {
    const scheduledMs = DUE_MS + at * HOUR_MS;
    await world.untilExtracted(schedule({ scheduledMs }));
    await target.all();
    await reconcile(
      { integration: NAME, policy: { idCheck: false, onUncertain: 'resend' }, deadlineMs: 1 },
      world.deps,
    );
    await world.clock.advance(HOUR_MS);
    return world.run(scheduledMs);
  };
  return { world, target, items, put, adopt, run };
};

const facts = { integration: NAME, runId, versionMs: DUE_MS };

describe('taking over', () => {
  it('writes down what the source gives as loaded, sends nothing, and the next run finds it unchanged', async () => {
    const { world, items, adopt, run } = adoptWorld();
    const ended = await adopt();
    expect(ended).toMatchObject({
      status: 'balanced',
      counts: { fetched: 5, unchanged: 5, enqueued: 0, waiting: 0 },
      adoption: { adopted: 5, known: 0 },
    });
    expect(world.sentIds()).toEqual([]);
    expect((await items()).size).toBe(5);
    expect(await run(1)).toMatchObject({ status: 'balanced', counts: { unchanged: 5, enqueued: 0 } });
  });

  it('done again changes nothing, and says how many were known', async () => {
    const { items, adopt } = adoptWorld();
    await adopt();
    const before = await items();
    expect(await adopt(1)).toMatchObject({ adoption: { adopted: 0, known: 5 }, counts: { unchanged: 5 } });
    expect(await items()).toEqual(before);
  });

  const hash = 'other';
  const claim = { owner: 'w', hash, versionMs: 1, sinceMs: 1, untilMs: DUE_MS + HOUR_MS };
  const trouble = (kind: 'rejected' | 'uncertain' | 'parked' | 'exhausted') => ({
    trouble: { kind, hash, versionMs: 1, sinceMs: 1, reason: 'r' },
  });
  it.each<[string, IdCheck, outcome: string]>([
    ['loaded with other content', loadedItem('1'), 'waiting'],
    ['claimed', { id: '1', rev: 1, claim }, 'waiting'],
    ['uncertain', { id: '1', rev: 1, ...trouble('uncertain') }, 'waiting'],
    ['parked with other content', { id: '1', rev: 1, ...trouble('parked') }, 'waiting'],
  ])('leaves alone what is %s', async (_, item, outcome) => {
    const { items, adopt, put } = adoptWorld();
    await put(item);
    const ended = await adopt();
    expect(ended).toMatchObject({ status: 'balanced', adoption: { adopted: 4, known: 1 }, counts: { [outcome]: 1 } });
    expect((await items()).get('1')).toEqual(item);
  });

  it.each<[string, IdCheck]>([
    ['refused', { id: '1', rev: 1, ...trouble('rejected') }],
    ['given up', { id: '1', rev: 1, ...trouble('exhausted') }],
    ['deleted', { id: '1', rev: 1, deleted: { hash: 'deleted@1', versionMs: 1, atMs: 1 } }],
  ])('takes over what was %s: the target has it by now', async (_, item) => {
    const { items, adopt, put, run } = adoptWorld();
    await put(item);
    expect(await adopt()).toMatchObject({ adoption: { adopted: 5, known: 0 } });
    expect((await items()).get('1')).toMatchObject({ rev: 2, loaded: {} });
    expect((await items()).get('1')).not.toHaveProperty('trouble');
    expect((await items()).get('1')).not.toHaveProperty('deleted');
    expect(await run(1)).toMatchObject({ counts: { unchanged: 5 } });
  });

  it('never overwrites what a worker wrote since the run read it', async () => {
    const { world, items, adopt } = adoptWorld();
    const { write } = world.deps.idStore;
    let isFirst = true;
    world.deps.idStore.write = async (...asked) => {
      if (isFirst) {
        isFirst = false;
        await write(NAME, loadedItem(asked[1].id), { absent: true });
      }
      return write(...asked);
    };
    expect(await adopt()).toMatchObject({
      status: 'balanced',
      adoption: { adopted: 4, known: 1 },
      counts: { unchanged: 4, waiting: 1 },
    });
    expect([...(await items()).values()].filter(({ loaded }) => loaded?.hash === 'old')).toHaveLength(1);
  });

  it('takes an answer that was lost for what it was', async () => {
    const { world, adopt } = adoptWorld();
    const { write } = world.deps.idStore;
    world.deps.idStore.write = async (...asked) => {
      await write(...asked);
      return write(...asked);
    };
    expect(await adopt()).toMatchObject({ adoption: { adopted: 5, known: 0 } });
  });

  it('names invalid rows and takes over the others', async () => {
    const { adopt, items } = adoptWorld([[group(1), { name: 'nobody' }]]);
    expect(await adopt()).toMatchObject({ counts: { invalid: 1, unchanged: 1 }, invalidRows: [{ id: 'record 2' }] });
    expect([...(await items()).keys()]).toEqual(['1']);
  });

  it('goes on in later invocations, and is finished by an ordinary run before that sends anything', async () => {
    const { world, adopt, items, run } = adoptWorld();
    world.pageMs = 200_000;
    expect(await adopt()).toMatchObject({ adoption: { adopted: 5, known: 0 } });
    const broken = adoptWorld();
    broken.world.answers.set(1, { kind: 'failed', code: 'down', message: '', requests: 1, warnings: [] });
    await broken.world.invoke(schedule({ adoption }));
    expect(await broken.world.run()).toMatchObject({ status: 'incomplete', adoption: { adopted: 3 } });
    expect((await broken.items()).size).toBe(3);
    await broken.world.invoke(schedule({ scheduledMs: DUE_MS + HOUR_MS }));
    expect(await broken.world.run()).toMatchObject({ status: 'balanced', adoption: { adopted: 5, known: 0 } });
    expect(broken.world.sentIds()).toEqual([]);
    expect(await run(1)).toMatchObject({ counts: { unchanged: 5 } });
    expect((await items()).size).toBe(5);
  });

  it.each([
    ['at its first page', 0, 'down'],
    ['where its pages do not fit together', 1, 'page-repeated'],
  ])('is finished before anything is sent although it failed %s', async (_, read, code) => {
    const { world, items } = adoptWorld();
    world.answers.set(read, { kind: 'failed', code, message: '', requests: 1, warnings: [] });
    await world.invoke(schedule({ adoption }));
    expect(await world.run()).toMatchObject({ status: 'incomplete' });
    await world.invoke(schedule({ scheduledMs: DUE_MS + HOUR_MS }));
    const ended = await world.run();
    expect(ended).toMatchObject({ status: 'balanced', counts: { fetched: 5, unchanged: 5 } });
    expect((ended?.adoption?.adopted ?? 0) + (ended?.adoption?.known ?? 0)).toBe(5);
    expect((await items()).size).toBe(5);
    expect(world.sentIds()).toEqual([]);
  });

  it('is refused while another run is under way, and does not wait for it', async () => {
    const { world } = adoptWorld();
    world.plan.waitsForMs = HOUR_MS;
    const lease = { integration: NAME, runId: runIdOf(NAME, 0), owner: 'w', untilMs: DUE_MS + 600_000 };
    await world.runs.takeLease(lease, undefined);
    expect(await world.invoke(schedule({ adoption }))).toMatchObject({ end: 'overlap' });
    expect(world.runRequests.bodies()).toEqual([]);
  });

  it('does not go on with an ordinary run that was left unfinished', async () => {
    const { world, adopt } = adoptWorld();
    world.answers.set(1, { kind: 'failed', code: 'down', message: '', requests: 1, warnings: [] });
    await world.invoke();
    expect(await adopt(1)).toMatchObject({ status: 'balanced', adoption: { adopted: 5 } });
  });
});

describe('taking over the ids of a list', () => {
  it('leaves the others new, names what the source does not give, and the next run sends the rest', async () => {
    const { world, adopt, run, target } = adoptWorld();
    const idChunks = await writeIds('asked', facts, ['2', '4', '99'], world.runs);
    expect(await adopt(0, { idChunks })).toMatchObject({
      status: 'balanced',
      adoption: { adopted: 2, known: 0 },
      counts: { unchanged: 2, waiting: 3 },
      leftOut: 3,
      notGiven: { count: 1, sample: ['99'] },
    });
    expect(await run(1)).toMatchObject({ counts: { unchanged: 2, loaded: 3 } });
    expect(target.posts.map(({ id }) => id)).toEqual(['1', '3', '5']);
  });

  it('counts as known only what is on the list', async () => {
    const { world, adopt, put } = adoptWorld();
    await put(loadedItem('1'));
    await put(loadedItem('2'));
    const idChunks = await writeIds('asked', facts, ['2'], world.runs);
    expect(await adopt(0, { idChunks })).toMatchObject({ adoption: { adopted: 0, known: 1 } });
  });

  it('is begun anew where another list was left unfinished', async () => {
    const { world } = adoptWorld();
    const idChunks = await writeIds('asked', facts, ['1'], world.runs);
    world.answers.set(1, { kind: 'failed', code: 'down', message: '', requests: 1, warnings: [] });
    await world.invoke(schedule({ adoption: { idChunks } }));
    const scheduledMs = DUE_MS + HOUR_MS;
    await world.invoke(schedule({ scheduledMs, adoption }));
    expect(await world.run(scheduledMs)).toMatchObject({ status: 'balanced', adoption: { adopted: 4, known: 1 } });
  });
});

test('what was taken over and leaves the source has vanished like what was loaded', async () => {
  const { world, adopt, run } = adoptWorld();
  await adopt();
  world.pages[1] = [group(4)];
  expect(await run(1)).toMatchObject({ vanished: 1, vanishedSample: ['5'] });
});

test('a list of changes is taken over from its beginning, and its window moves as after a run', async () => {
  const { world, adopt } = adoptWorld();
  world.plan.window = { initialMs: 5, overlapMs: 0, staysAtInvalid: false };
  await world.runs.moveWatermark(NAME, DUE_MS - 1);
  const ended = await adopt();
  expect(ended?.window).toEqual({ fromMs: 5, toMs: DUE_MS });
  expect(await world.runs.watermark(NAME)).toBe(DUE_MS);
});

test('a child counts as loaded wherever its parent stands, one whose parent is nowhere is invalid', async () => {
  const integration = integrationWith(NAME, { 'transform.dependsOn': { parent: 'parent_id' } });
  const row = (id: number, parent_id: number) => ({ id, parent_id, name: `分组${id}` });
  const { world, adopt } = adoptWorld([[row(3, 2)], [row(2, 1), row(4, 9)], [row(1, 0)]]);
  const { source: _, ...plan } = fetchPlanOf(integration, world.plan.source, world.plan.ends, {});
  Object.assign(world.plan, plan);
  expect(await adopt()).toMatchObject({
    status: 'balanced',
    adoption: { adopted: 3 },
    counts: { unchanged: 3, invalid: 1 },
    invalidRows: [{ id: '4' }],
  });
});

test('what is taken over has the hash of what would have been sent', async () => {
  const { adopt, items } = adoptWorld([[group(7, '甲')]]);
  await adopt();
  const hash = contentHash({ number: '甲', id: 7, 编码: '甲' });
  expect((await items()).get('7')).toEqual({ id: '7', rev: 1, loaded: { hash, versionMs: DUE_MS, atMs: DUE_MS } });
});
