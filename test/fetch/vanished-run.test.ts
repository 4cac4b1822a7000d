import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { packChunk } from '../../lib/aws/dynamodb/ledger.ts';
import { fetchPlanOf } from '../../lib/fetch/fetch-plan.ts';
import { tombstoneHash } from '../../lib/idcheck/hash.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import { readIds, writeIds } from '../../lib/runs/id-lists.ts';
import { reconcile } from '../../lib/runs/reconcile.ts';
import { integrationWith } from '../integration/sample.ts';
import { loadingFor, messagesOn } from '../runs/load-all.ts';
import { DUE_MS, fetchWorld, group, NAME, schedule } from './fetch-world.ts';

const HOUR_MS = 3_600_000;
const ids = (count: number): string[] => Array.from({ length: count }, (_, n) => String(n + 1));

const vanishingWorld = (vanished: Record<string, JsonValue>, idCheck = true) => {
  const integration = integrationWith(NAME, { vanished });
  const world = fetchWorld({ pages: [ids(10).map((id) => group(id))] });
  const { source: _, ...plan } = fetchPlanOf(integration, world.plan.source, world.plan.ends, {});
  Object.assign(world.plan, plan, { policy: { idCheck, onUncertain: 'resend' } });
  const target = loadingFor(world);
  let runs = 0;
  const runOnce = async (without: readonly string[] = [], pages?: JsonValue[][]) => {
    world.pages = pages ?? [
      ids(10)
        .filter((id) => !without.includes(id))
        .map((id) => group(id)),
    ];
    const scheduledMs = DUE_MS + runs++ * HOUR_MS;
    await world.clock.advance(Math.max(0, scheduledMs - world.clock.nowMs()));
    await world.invoke(schedule({ scheduledMs }));
    const sent = messagesOn(world.records);
    await target.all();
    await reconcile({ integration: NAME, policy: { idCheck, onUncertain: 'resend' }, deadlineMs: 1 }, world.deps);
    return { run: await world.run(scheduledMs), sent };
  };
  return { world, target, runOnce };
};

const post = { action: 'post', maxShare: 0.2, path: '/remove' };

describe('records that vanished from the source', () => {
  it('are only reported by default', async () => {
    const { runOnce } = vanishingWorld({});
    await runOnce();
    const { run, sent } = await runOnce(['3']);
    expect(run).toMatchObject({ status: 'balanced', vanished: 1, vanishedSample: ['3'] });
    expect([sent, run?.deletions]).toEqual([[], undefined]);
  });

  it('are deleted in the target once two readings lack them, and have books of their own', async () => {
    const { world, target, runOnce } = vanishingWorld(post);
    await runOnce();
    const first = await runOnce(['3', '4']);
    expect([first.sent, first.run?.vanished, first.run?.deletions]).toEqual([[], 2, undefined]);
    expect(first.run?.warnings.map(({ code }) => code)).toEqual(['vanished-unconfirmed']);
    const { run, sent } = await runOnce(['3', '4']);
    expect(sent.map(({ id, body }) => [id, body])).toEqual([
      ['3', { id: '3' }],
      ['4', { id: '4' }],
    ]);
    expect(target.posts.slice(10).map(({ id, deletes }) => [id, deletes])).toEqual([
      ['3', true],
      ['4', true],
    ]);
    expect(run).toMatchObject({
      status: 'balanced',
      vanished: 2,
      counts: { fetched: 8, unchanged: 8, enqueued: 0 },
      deletions: { enqueued: 2, loaded: 2, open: 0 },
    });
    expect((await world.idStore.read(NAME, ['3'])).get('3')).toMatchObject({
      deleted: { hash: expect.stringMatching(/^deleted@/) },
    });
    expect((await world.idStore.read(NAME, ['3'])).get('3')?.loaded).toBeUndefined();
    const { run: next } = await runOnce(['3', '4']);
    expect(next).toMatchObject({ vanished: 0, status: 'balanced' });
    expect(target.posts).toHaveLength(12);
  });

  it.each([
    ['rejected', 'other content of theirs', true],
    ['rejected', 'this very deletion', false],
    ['exhausted', 'this very deletion', true],
    ['uncertain', 'this very deletion', true],
    ['parked', 'other content of theirs', true],
    ['parked', 'this very deletion', false],
  ] as const)('whose item says %s of %s are deleted: %s', async (kind, what, isDeleted) => {
    const { world, runOnce } = vanishingWorld(post);
    await runOnce();
    await runOnce(['3']);
    const item = (await world.idStore.read(NAME, ['3'])).get('3') ?? { id: '3', rev: 0 };
    const hash = what === 'this very deletion' ? tombstoneHash(item.loaded?.versionMs ?? 0) : 'other';
    const trouble = { kind, hash, versionMs: DUE_MS, sinceMs: DUE_MS, reason: 'status 422', letterMs: DUE_MS };
    await world.idStore.write(NAME, { ...item, rev: item.rev + 1, trouble }, { rev: item.rev });
    expect((await runOnce(['3'])).sent.map(({ id }) => id)).toEqual(isDeleted ? ['3'] : []);
  });

  it('are loaded again when they come back, and deleted again when they go again', async () => {
    const { target, runOnce } = vanishingWorld(post);
    await runOnce();
    await runOnce(['3']);
    await runOnce(['3']);
    expect((await runOnce()).run).toMatchObject({ counts: { unchanged: 9, enqueued: 1, loaded: 1 } });
    await runOnce(['3']);
    expect((await runOnce(['3'])).run).toMatchObject({ deletions: { enqueued: 1, loaded: 1 } });
    const deletions = target.posts.filter(({ deletes }) => deletes);
    // A target that honours the key must not take the second deletion for a repeat of the first.
    expect(new Set(deletions.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(2);
  });

  it('are not deleted where too many vanished at once: the run says so', async () => {
    const { target, runOnce } = vanishingWorld(post);
    await runOnce();
    const { run, sent } = await runOnce(['1', '2', '3']);
    expect([sent, run?.deletions, run?.vanished]).toEqual([[], undefined, 3]);
    expect(run?.warnings.map(({ code }) => code)).toEqual(['vanished-guard']);
    expect(target.posts).toHaveLength(10);
  });

  it('are not concluded from a snapshot that is in doubt', async () => {
    const { world, runOnce } = vanishingWorld(post);
    await runOnce();
    const warnings = [{ code: 'pages-overlap', count: 1, message: '' }];
    const records = ids(9).map((id) => group(id));
    world.answers.set(1, { kind: 'page', records, requests: 1, warnings });
    const { run, sent } = await runOnce();
    expect([sent, run?.vanished]).toEqual([[], 0]);
    expect(run?.warnings.map(({ code }) => code)).toEqual(['pages-overlap', 'vanished-unclear']);
  });

  it('are not concluded from a snapshot that broke off', async () => {
    const { world, runOnce } = vanishingWorld(post);
    await runOnce();
    world.answers.set(1, { kind: 'failed', code: 'source-refused', message: 'no', requests: 1, warnings: [] });
    const { run, sent } = await runOnce();
    expect(run).toMatchObject({ status: 'incomplete', vanished: 0 });
    expect(sent).toEqual([]);
  });

  it('with long ids are deleted in parts that an item of the ledger holds', async () => {
    const { world, runOnce } = vanishingWorld({ ...post, maxShare: 1 });
    const long = Array.from({ length: 1_400 }, () => randomBytes(675).toString('base64'));
    const pages = (from: number) => [long.slice(from).map((id) => group(id))];
    await runOnce([], pages(0));
    await runOnce([], pages(680));
    const { run } = await runOnce([], pages(680));
    expect(run?.deletions).toMatchObject({ enqueued: 680, loaded: 680 });
    const parts = (await world.ledger(run?.runId)).flatMap(({ deletions }) => (deletions ? [deletions] : []));
    expect(parts.flat()).toHaveLength(680);
    for (const deletions of parts) {
      const packed = await packChunk({ entries: [], memory: [], deletions });
      expect(packed.length).toBeLessThan(400 * 1024);
    }
  });

  it('whose deletion the target refuses are dead-lettered and not asked for again by themselves', async () => {
    const { target, runOnce } = vanishingWorld(post);
    await runOnce();
    target.refused.add('3');
    await runOnce(['3']);
    expect((await runOnce(['3'])).run).toMatchObject({
      status: 'balanced',
      deletions: { enqueued: 1, rejected: 1, open: 0 },
    });
    expect(target.deadLetters.bodies()).toHaveLength(1);
    const { run, sent } = await runOnce(['3']);
    expect([sent, run?.vanished, run?.status]).toEqual([[], 1, 'balanced']);
  });

  it('are left to a person where nobody understands the answer to their deletion, also under resend', async () => {
    const { target, runOnce } = vanishingWorld(post);
    await runOnce();
    target.mumbled.add('3');
    await runOnce(['3']);
    const deletions = { enqueued: 1, uncertain: 1, open: 0 };
    expect((await runOnce(['3'])).run).toMatchObject({ status: 'balanced', deletions });
    const { run, sent } = await runOnce(['3']);
    expect([sent, run?.vanished, run?.status]).toEqual([[], 1, 'balanced']);
  });

  describe('are deleted only where the reading just before lacked them, too', () => {
    it('not where they came back in between', async () => {
      const { runOnce } = vanishingWorld(post);
      await runOnce();
      await runOnce(['3']);
      await runOnce();
      const { run, sent } = await runOnce(['3']);
      expect([sent, run?.vanished, run?.deletions]).toEqual([[], 1, undefined]);
    });

    it('and an incomplete run in between does not count', async () => {
      const { world, runOnce } = vanishingWorld(post);
      await runOnce();
      await runOnce(['3']);
      world.answers.set(2, { kind: 'failed', code: 'incomplete', message: 'no', requests: 1, warnings: [] });
      expect((await runOnce(['3'])).run).toMatchObject({ status: 'incomplete' });
      expect((await runOnce(['3'])).run).toMatchObject({ deletions: { enqueued: 1, loaded: 1 } });
    });

    it.each<[string, JsonValue[][], string]>([
      ['had rows without an id', [[{ name: 'no id' }, ...ids(9).map((id) => group(id))]], 'vanished-unclear'],
      ['met an id on two pages', [ids(5).map((id) => group(id)), ids(9).map((id) => group(id))], 'vanished-moved'],
      [
        'met a blank record on two pages',
        [[group(2, ' ')], [group(2, ' '), ...ids(9).map((id) => group(id))]],
        'vanished-moved',
      ],
    ])('and one that %s is none', async (_, pages, code) => {
      const { runOnce } = vanishingWorld(post);
      await runOnce();
      expect((await runOnce([], pages)).run?.warnings.map((warning) => warning.code)).toContain(code);
      expect((await runOnce([], pages)).run?.deletions).toBeUndefined();
      const { run } = await runOnce(['10']);
      expect([run?.vanished, run?.deletions]).toEqual([1, undefined]);
    });
  });

  it('whose row is there, whatever else is wrong with it, have not vanished', async () => {
    const { world, runOnce } = vanishingWorld(post);
    await runOnce();
    const deep = JSON.parse(`${'{"a":'.repeat(150)}1${'}'.repeat(150)}`);
    world.answers.set(1, {
      kind: 'page',
      records: [...ids(9).map((id) => group(id)), { id: 10, name: 'deep', deep }],
      requests: 1,
      warnings: [],
    });
    const { run } = await runOnce();
    expect(run).toMatchObject({ vanished: 0, counts: { invalid: 1 }, invalidRows: [{ id: '10' }] });
  });

  it('are kept for the next reading however many and long their ids are', async () => {
    const { world } = vanishingWorld(post);
    const long = Array.from({ length: 700 }, (_, n) => `${n}-${'x'.repeat(500)}`);
    const facts = { integration: NAME, runId: 'r', versionMs: 1 };
    const absences = await writeIds('absent', facts, long, world.runs);
    expect(absences).toBeGreaterThan(2);
    expect([...(await readIds('absent', facts, absences, world.runs))]).toEqual(long);
    expect([...(await readIds('absent', facts, 0, world.runs))]).toEqual([]);
  });
});

describe('a snapshot of less than half of the one before', () => {
  const few = ['1', '2', '3', '4', '5', '6'];

  it('concludes nothing from absence, until as many rows come again', async () => {
    const { runOnce } = vanishingWorld({ ...post, maxShare: 1 });
    await runOnce();
    for (const _ of ['once', 'again', 'and again']) {
      const { run, sent } = await runOnce(few);
      expect(run).toMatchObject({ status: 'balanced', vanished: 0, shrunkFrom: 10 });
      expect(run?.warnings.map(({ code }) => code)).toEqual(['snapshot-shrunk', 'vanished-unclear']);
      expect(sent).toEqual([]);
    }
    expect((await runOnce(['1'])).run).not.toHaveProperty('shrunkFrom');
  });

  it('is told by its different rows: repeated ones stand for no others', async () => {
    const { runOnce } = vanishingWorld({ ...post, maxShare: 1 });
    const listed = (...listed: string[]) => [listed.map((id) => group(id))];
    await runOnce([], listed(...ids(10), ...ids(10), ...ids(10)));
    expect((await runOnce()).run).not.toHaveProperty('shrunkFrom');
    for (const _ of ['once', 'again']) {
      const { run, sent } = await runOnce([], listed('1', '1', '1', '2', '2', '2', '3', '3', '3'));
      expect(run).toMatchObject({ counts: { fetched: 9, merged: 6 }, vanished: 0, shrunkFrom: 10 });
      expect(sent).toEqual([]);
    }
  });

  it('is taken as it is when somebody says yes, also by the runs after it', async () => {
    const { world, runOnce } = vanishingWorld({ ...post, maxShare: 1 });
    await runOnce();
    await runOnce(few);
    const scheduledMs = world.clock.nowMs() + 1_000;
    await world.invoke(schedule({ scheduledMs, confirmed: true }));
    expect(await world.run(scheduledMs)).toMatchObject({ vanished: 6, confirmed: true });
    expect((await runOnce(few)).run).toMatchObject({ vanished: 6, deletions: { enqueued: 6 } });
  });

  it('is taken as it is where the file allows it; exactly half is enough', async () => {
    const { world, runOnce } = vanishingWorld({});
    await runOnce();
    expect((await runOnce(few.slice(1))).run).toMatchObject({ vanished: 5 });
    world.plan.minShare = 0;
    expect((await runOnce(ids(10))).run).toMatchObject({ vanished: 10 });
  });
});
