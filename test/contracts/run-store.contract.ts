import { beforeEach, describe, expect, it } from 'vitest';
import type { Ends } from '../../lib/runs/ends.ts';
import type { LedgerChunk } from '../../lib/runs/ledger.ts';
import { noHits, noUse } from '../../lib/runs/limits.ts';
import { type ExtractedRun, MAX_RESTS, type UnfinishedRun } from '../../lib/runs/record.ts';
import { type Lease, MissingChunkError, type RunStore } from '../../lib/runs/store.ts';
import { collect } from './collect.ts';

const facts = (runId: string) => ({
  runId,
  integration: 'groups',
  scheduledMs: 1_767_571_200_000,
  startedMs: 1_767_571_201_000,
  versionMs: 1_767_571_201_500,
  fullRefresh: false,
  counts: {
    fetched: 14,
    filtered: 1,
    invalid: 2,
    merged: 3,
    unchanged: 1,
    skipped: 1,
    waiting: 2,
    enqueued: 4,
    loaded: 1,
    superseded: 1,
    rejected: 1,
    uncertain: 0,
    open: 1,
  },
  requests: { source: 5, target: 0 },
  vanished: 0,
  vanishedSample: [],
  warnings: [],
});

export const run = (runId: string, changes: Partial<UnfinishedRun> = {}): UnfinishedRun => ({
  ...facts(runId),
  status: 'extracting',
  ...changes,
});

const lease = (owner: string, untilMs: number, runId = 'run-1'): Lease => ({
  integration: 'groups',
  runId,
  owner,
  untilMs,
});

const chunk = (index: number, changes: Partial<LedgerChunk> = {}): LedgerChunk => ({
  runId: 'run-1',
  index,
  versionMs: 1_767_571_201_000,
  ...(index === 1 && { sentMs: 1_767_571_202_000, unsent: 4 }),
  entries: [
    { id: `${index}-1`, outcome: 'enqueued', hash: 'AbCdEfGhIjKlMnOpQrStUv' },
    { id: `${index}-2`, outcome: 'unchanged' },
    { id: 'page 1, record 3', outcome: 'invalid', reason: 'no id' },
    { id: '分组', outcome: 'skipped', reason: 'duplicate', hash: '' },
    { id: `${index}-5`, outcome: 'merged', reason: '' },
    { id: `${index}-6`, outcome: 'filtered', reason: 'blank name' },
    { id: `${index}-7`, outcome: 'waiting', reason: 'left out' },
    { id: `${index}-8`, outcome: 'waiting', hash: 'H', behind: { runId: 'run-0', versionMs: 7 } },
  ],
  memory: ['a', '', '分组'],
  ...changes,
});

const ledgerOf = (store: RunStore, upTo: number): Promise<LedgerChunk[]> =>
  collect(store.chunks('groups', 'run-1', upTo));

/** What every store of runs keeps to. `create` gives an empty one. */
export const runStoreContract = (create: () => Promise<RunStore> | RunStore) => {
  describe('as a run store', () => {
    let store: RunStore;
    beforeEach(async () => {
      store = await create();
    });

    describe('what waits to be sent', () => {
      const waiting = (left: number) => ({
        runId: 'run-1',
        generation: 2,
        chunks: 3,
        at: { chunk: 2, place: 7 },
        left,
        movedMs: 11,
        takes: 1,
      });

      it('is undefined before anything waited, and comes back as it was saved', async () => {
        expect(await store.line('groups')).toBeUndefined();
        const line = { rev: 1, sender: { owner: 'a', untilMs: 9 }, runs: [waiting(5)] };
        expect(await store.saveLine('groups', line)).toBe('saved');
        expect(await store.line('groups')).toEqual(line);
        expect(await store.line('others')).toBeUndefined();
      });

      it('is replaced only by who has read the one before', async () => {
        await store.saveLine('groups', { rev: 1, runs: [waiting(5)] });
        expect(await store.saveLine('groups', { rev: 1, runs: [] })).toBe('conflict');
        expect(await store.saveLine('groups', { rev: 3, runs: [] })).toBe('conflict');
        expect(await store.saveLine('groups', { rev: 2, runs: [waiting(4)] })).toBe('saved');
        expect(await store.line('groups')).toEqual({ rev: 2, runs: [waiting(4)] });
      });

      it('stands in chunks of which one can be read alone', async () => {
        for (const index of [1, 2, 3]) await store.saveChunk('groups', chunk(index));
        expect((await collect(store.chunks('groups', 'run-1', 3, 2))).map(({ index }) => index)).toEqual([2, 3]);
        expect((await collect(store.chunks('groups', 'run-1', 2, 2))).map(({ index }) => index)).toEqual([2]);
        await expect(collect(store.chunks('groups', 'run-1', 5, 3))).rejects.toThrow(MissingChunkError);
      });
    });

    describe('lease', () => {
      it('is undefined before the first run', async () => {
        expect(await store.lease('groups')).toBeUndefined();
      });

      it('is taken only as it was read', async () => {
        const first = lease('a', 1_000);
        expect(await store.takeLease(first, undefined)).toBe('taken');
        expect(await store.takeLease(lease('b', 2_000), undefined)).toBe('conflict');
        expect(await store.takeLease(lease('b', 2_000), lease('a', 999))).toBe('conflict');
        expect(await store.takeLease(lease('b', 2_000), lease('c', 1_000))).toBe('conflict');
        expect(await store.takeLease(lease('b', 2_000), lease('a', 1_000, 'run-2'))).toBe('conflict');
        expect(await store.lease('groups')).toEqual(first);
        expect(await store.takeLease(lease('b', 2_000, 'run-2'), first)).toBe('taken');
        expect(await store.lease('groups')).toEqual(lease('b', 2_000, 'run-2'));
      });

      it('is not taken where none is stored and one was expected', async () => {
        expect(await store.takeLease(lease('b', 2_000), lease('a', 1_000))).toBe('conflict');
        expect(await store.lease('groups')).toBeUndefined();
      });

      it('goes to exactly one of 50 who want it', async () => {
        const wanted = Array.from({ length: 50 }, (_, index) => lease(`worker-${index}`, 5_000));
        const ends = await Promise.all(wanted.map((one) => store.takeLease(one, undefined)));
        expect(ends.filter((end) => end === 'taken')).toHaveLength(1);
        expect(await store.lease('groups')).toEqual(wanted[ends.indexOf('taken')]);
      });

      it('ends for its owner only, and keeps its run on record', async () => {
        await store.takeLease(lease('a', 1_000), undefined);
        await store.endLease(lease('b', 1_000), 500);
        expect((await store.lease('groups'))?.untilMs).toBe(1_000);
        await store.endLease(lease('a', 1_000), 500);
        expect(await store.lease('groups')).toEqual(lease('a', 500));
      });

      it('that was never taken can be ended', async () => {
        await store.endLease(lease('a', 1_000), 500);
        expect(await store.lease('groups')).toBeUndefined();
      });

      it('belongs to one integration', async () => {
        await store.takeLease(lease('a', 1_000), undefined);
        expect(await store.lease('customers')).toBeUndefined();
      });
    });

    describe('run', () => {
      const unfinished = run('2026-01-05T00:00Z', {
        status: 'incomplete',
        checkpoint: { page: { number: 3, cursor: 'c', last: false }, chunks: 2, fetched: 200, judged: 1 },
        chunks: 1,
        invalidRows: [{ id: 'record 1', reason: 'id: id is missing' }],
        toleratesInvalid: true,
        fields: { id: 'number' },
        selection: { limit: 5, ids: ['0', '分组'] },
        leftOut: 2,
        failure: { code: 'source-down', message: 'no answer' },
      });
      const extracted: ExtractedRun = {
        ...facts('2026-01-05T00:00Z'),
        status: 'unbalanced',
        extractedMs: 1_767_571_300_000,
        chunks: 3,
        closedMs: 1_767_571_400_000,
        vanished: 2,
        vanishedSample: ['1', '0'],
        warnings: [{ code: 'token-renewed', count: 2, message: '令牌' }],
        unsettled: { open: ['1'], rejected: ['2'], uncertain: ['0'] },
        adoption: { idChunks: 1, adopted: 3, known: 4 },
        notGiven: { count: 21, sample: ['0', '分组'], chunks: 1 },
        failure: { code: 'missing-chunk', message: 'chunk 2 is missing' },
      };

      it('is undefined while unknown', async () => {
        expect(await store.run('groups', 'run-1')).toBeUndefined();
      });

      it('comes back with every field', async () => {
        for (const one of [unfinished, extracted]) {
          await store.saveRun(one);
          expect(await store.run('groups', one.runId)).toEqual(one);
        }
      });

      it('is replaced as a whole: a field that is gone does not come back', async () => {
        await store.saveRun(extracted);
        await store.saveRun(run(extracted.runId));
        expect(await store.run('groups', extracted.runId)).toEqual(run(extracted.runId));
      });

      it('counts requests to the target apart from being saved', async () => {
        await store.saveRun(run('run-1', { requests: { source: 1, target: 77 } }));
        expect((await store.run('groups', 'run-1'))?.requests).toEqual({ source: 1, target: 0 });
        await Promise.all(
          Array.from({ length: 20 }, () => store.addTargetUse('groups', 'run-1', { ...noUse(), requests: 3 })),
        );
        await store.saveRun(run('run-1', { requests: { source: 2, target: 0 } }));
        expect((await store.run('groups', 'run-1'))?.requests).toEqual({ source: 2, target: 60 });
      });

      it('counts how limits held the target up in the same way, and keeps those of the source as saved', async () => {
        const source = { heldMs: 40, throttled: 1, putOff: 0 };
        await store.saveRun(run('run-1', { limits: { source, target: { heldMs: 9, throttled: 9, putOff: 9 } } }));
        expect((await store.run('groups', 'run-1'))?.limits).toEqual({ source, target: noHits() });
        const use = { requests: 2, heldMs: 1_020, throttled: 1, putOff: 3 };
        await Promise.all(Array.from({ length: 5 }, () => store.addTargetUse('groups', 'run-1', use)));
        await store.saveRun(run('run-1'));
        const { limits, requests } = (await store.run('groups', 'run-1')) ?? {};
        expect(limits).toEqual({ source: noHits(), target: { heldMs: 5_100, throttled: 5, putOff: 15 } });
        expect(requests?.target).toBe(10);
      });

      it('notes rests and their ends beside the record, in their order, whichever word comes first', async () => {
        const began = { connection: 'crm', cause: 'down', why: 'refused', sinceMs: 2_000 } as const;
        const earlier = { ...began, cause: 'not-understood', sinceMs: 1_000 } as const;
        await store.noteRest('groups', 'run-1', began);
        await store.saveRun(run('run-1'));
        expect(await store.run('groups', 'run-1')).not.toHaveProperty('rests');
        await store.noteRest('groups', 'run-1', began);
        await store.noteRest('groups', 'run-1', earlier);
        await store.noteRest('groups', 'run-1', { ...earlier, endedMs: 1_500 });
        await store.noteRest('groups', 'run-1', earlier);
        await store.saveRun(run('run-1', { rests: [{ ...began, endedMs: 9 }] }));
        const rests = [{ ...earlier, endedMs: 1_500 }, began];
        expect((await store.run('groups', 'run-1'))?.rests).toEqual(rests);
        expect((await store.runs('groups', 1))[0]?.rests).toEqual(rests);
      });

      it('keeps no more rests than a record has room for', async () => {
        await store.saveRun(run('run-1'));
        for (let sinceMs = 1; sinceMs <= MAX_RESTS + 5; sinceMs++) {
          await store.noteRest('groups', 'run-1', { connection: 'crm', cause: 'down', why: 'refused', sinceMs });
        }
        expect((await store.run('groups', 'run-1'))?.rests).toHaveLength(MAX_RESTS);
      });

      it('of which no limit was hit has no limits in its record', async () => {
        await store.saveRun(run('run-1'));
        await store.addTargetUse('groups', 'run-1', { ...noUse(), requests: 3 });
        expect(await store.run('groups', 'run-1')).not.toHaveProperty('limits');
      });

      it('is not created by counting its requests', async () => {
        await store.addTargetUse('groups', 'run-1', { ...noUse(), requests: 3 });
        expect(await store.run('groups', 'run-1')).toBeUndefined();
        expect(await store.runs('groups', 10)).toEqual([]);
      });
    });

    it('lists the newest runs of one integration first', async () => {
      const days = ['03', '01', '10', '02'].map((day) => `2026-01-${day}T00:00Z`);
      for (const day of days) await store.saveRun(run(day));
      await store.saveRun(run('2026-01-11T00:00Z', { integration: 'customers' }));
      await store.takeLease(lease('a', 1_000), undefined);
      const listed = async (limit: number) =>
        (await store.runs('groups', limit)).map(({ runId }) => runId.slice(8, 10));
      expect(await listed(10)).toEqual(['10', '03', '02', '01']);
      expect(await listed(2)).toEqual(['10', '03']);
    });

    describe('ledger', () => {
      it('comes back chunk by chunk in order, whatever the order of writing', async () => {
        for (const index of [10, 2, 1, 9, 3, 8, 4, 7, 5, 6]) await store.saveChunk('groups', chunk(index));
        expect(await ledgerOf(store, 10)).toEqual(Array.from({ length: 10 }, (_, index) => chunk(index + 1)));
        expect((await ledgerOf(store, 3)).map(({ index }) => index)).toEqual([1, 2, 3]);
        expect(await ledgerOf(store, 0)).toEqual([]);
      });

      it('takes a chunk that is written again in place of the first', async () => {
        await store.saveChunk('groups', chunk(1));
        const again = chunk(1, { versionMs: 5, entries: [], memory: [] });
        await store.saveChunk('groups', again);
        expect(await ledgerOf(store, 1)).toEqual([again]);
      });

      it('keeps postponed records, and deletions, beside its entries', async () => {
        const whole = chunk(1, {
          postponed: ['{"id":"7","parentId":"5","hash":"h","body":{"名称":"电子"}}'],
          deletions: [{ id: '9', hash: 'deleted@1767571201000' }],
        });
        await store.saveChunk('groups', whole);
        expect(await ledgerOf(store, 1)).toEqual([whole]);
      });

      it('of another run or integration is not mixed in', async () => {
        await store.saveChunk('groups', chunk(1));
        await store.saveChunk('groups', chunk(1, { runId: 'run-10', versionMs: 1 }));
        await store.saveChunk('customers', chunk(1, { versionMs: 2 }));
        expect(await ledgerOf(store, 1)).toEqual([chunk(1)]);
      });

      it.each([
        { kept: [1, 3], upTo: 3, title: 'in the middle' },
        { kept: [1, 2], upTo: 3, title: 'at the end' },
        { kept: [], upTo: 1, title: 'when nothing is there' },
      ])('throws at a gap $title', async ({ kept, upTo }) => {
        for (const index of kept) await store.saveChunk('groups', chunk(index));
        await expect(ledgerOf(store, upTo)).rejects.toBeInstanceOf(MissingChunkError);
      });

      it('takes 5,000 entries in one chunk', async () => {
        const entries = Array.from({ length: 5_000 }, (_, index) => ({
          id: String(index),
          outcome: 'unchanged' as const,
        }));
        await store.saveChunk('groups', chunk(1, { entries }));
        expect((await ledgerOf(store, 1))[0]?.entries).toEqual(entries);
      });
    });

    describe('whose state it is', () => {
      const address = (id: string) => ({ id, origin: `https://${id}.example` });
      const full: Ends = {
        rev: 1,
        generation: 2,
        source: address('s'),
        target: { ...address('t'), formerly: ['a', 'b'] },
        met: { source: address('x'), target: address('y') },
        pausedSinceMs: 7,
        sourceSinceMs: 5,
      };

      it('is undefined until it is said, one for each integration, and read back whole', async () => {
        expect(await store.ends('groups')).toBeUndefined();
        expect(await store.saveEnds('groups', full)).toBe('saved');
        expect(await store.ends('groups')).toEqual(full);
        expect(await store.ends('customers')).toBeUndefined();
        expect(await store.runs('groups', 10)).toEqual([]);
      });

      it('is replaced by who has read it, and by nobody else', async () => {
        await store.saveEnds('groups', full);
        expect(await store.saveEnds('groups', { rev: 1, generation: 9 })).toBe('conflict');
        expect(await store.saveEnds('groups', { rev: 3, generation: 9 })).toBe('conflict');
        expect(await store.saveEnds('groups', { rev: 2, generation: 3 })).toBe('saved');
        expect(await store.saveEnds('groups', { rev: 2, generation: 4 })).toBe('conflict');
        expect(await store.ends('groups')).toEqual({ rev: 2, generation: 3 });
      });
    });

    describe('watermark', () => {
      it('is undefined until it is moved, and is one for each integration', async () => {
        expect(await store.watermark('groups')).toBeUndefined();
        await store.moveWatermark('groups', 5);
        expect(await store.watermark('groups')).toBe(5);
        expect(await store.watermark('customers')).toBeUndefined();
      });

      it('never moves back', async () => {
        await store.moveWatermark('groups', 5);
        await store.moveWatermark('groups', 4);
        expect(await store.watermark('groups')).toBe(5);
        await store.moveWatermark('groups', 6);
        expect(await store.watermark('groups')).toBe(6);
      });

      it('moves back from where only a wrong clock can have put it', async () => {
        await store.moveWatermark('groups', 400 * 86_400_000);
        await store.moveWatermark('groups', 5);
        expect(await store.watermark('groups')).toBe(5);
      });

      it('is no run', async () => {
        await store.moveWatermark('groups', 5);
        expect(await store.runs('groups', 10)).toEqual([]);
      });
    });

    it('keeps the window, the deletions and the place among postponed records of a run', async () => {
      const whole = run('run-1', {
        window: { fromMs: 1, toMs: 2 },
        deletions: { enqueued: 3, loaded: 1, superseded: 0, rejected: 1, uncertain: 0, open: 1 },
        checkpoint: { page: {}, chunks: 4, fetched: 12, judged: 2 },
      });
      await store.saveRun(whole);
      expect(await store.run('groups', 'run-1')).toEqual(whole);
    });
  });
};
