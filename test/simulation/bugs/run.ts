import type { LedgerChunk } from '../../../lib/runs/ledger.ts';
import { isUnfinished } from '../../../lib/runs/record.ts';
import type { Bug } from '../bug.ts';
import { periodsMs } from '../settings.ts';
import { editing, failing } from './harsher.ts';

/** What the run before is said to have found absent. */
async function* absentBefore(runId: string, memory: string[]): AsyncIterable<LedgerChunk> {
  yield { runId, index: 1, versionMs: 0, entries: [], memory };
}

/** Bugs of a run: its lease, its ledger, its pages, what vanished. */
export const runBugs: readonly Bug[] = [
  {
    name: 'tombstones-alike',
    summary: 'the second deletion of a record looks like its first',
    seeds: 300,
    where: ({ deletes }) => deletes,
    harsher: (settings) => {
      const pressed = editing(settings, { groups: 1, edits: 12, runs: 12, periodMs: periodsMs.longest });
      return failing(pressed, { target: 0.6, deliveredTwice: 0.3 });
    },
    fetchRecords: (queue) => ({
      ...queue,
      sendAll: (messages) =>
        queue.sendAll(messages.map((one) => ({ ...one, body: one.body.replace(/"deleted@\d+"/, '"deleted@0"') }))),
    }),
    runs: (store) => ({
      ...store,
      saveChunk: (integration, chunk) =>
        store.saveChunk(integration, {
          ...chunk,
          ...(chunk.deletions && { deletions: chunk.deletions.map(({ id }) => ({ id, hash: 'deleted@0' })) }),
        }),
    }),
  },
  {
    name: 'ledger-appended',
    summary: 'a page that is read again is added to its chunk instead of replacing it',
    seeds: 150,
    runs: (store, world) => ({
      ...store,
      saveChunk: async (integration, chunk) => {
        const key = `${chunk.runId} ${chunk.index}`;
        const before: LedgerChunk | undefined = world.audit.evidence.chunks.get(key);
        return store.saveChunk(integration, { ...chunk, entries: [...(before?.entries ?? []), ...chunk.entries] });
      },
    }),
  },
  {
    name: 'lease-ignored',
    summary: 'a run begins although another holds the lease',
    seeds: 100,
    runs: (store) => ({
      ...store,
      lease: async (integration) => {
        const lease = await store.lease(integration);
        return lease && { ...lease, untilMs: 0 };
      },
      takeLease: async (lease) => store.takeLease(lease, await store.lease(lease.integration)),
    }),
  },
  {
    name: 'run-per-delivery',
    summary: 'a run’s id comes from the clock, so that an event delivered twice starts two',
    seeds: 100,
    runRequest: (request, world) =>
      request.kind === 'schedule' ? { ...request, scheduledMs: world.scheduler.nowMs() } : request,
  },
  {
    name: 'vanished-from-a-part',
    summary: 'a source that fails is taken for the end of its list',
    seeds: 300,
    harsher: (settings) => failing({ ...settings, groups: 10, troubledMs: 8 * settings.periodMs }, { source: 0.6 }),
    source: (source) => ({
      readPage: async (...asked) => {
        const page = await source.readPage(...asked);
        const { requests, warnings } = page;
        return page.kind === 'failed' ? { kind: 'page', records: [], requests, warnings } : page;
      },
    }),
  },
  {
    name: 'deletes-at-once',
    summary: 'a record is deleted after one reading that lacked it',
    seeds: 200,
    where: ({ deletes }) => deletes,
    runs: (store, world) => ({
      ...store,
      runs: async (...asked) =>
        (await store.runs(...asked)).map((run) => (isUnfinished(run) ? run : { ...run, absences: 1 })),
      chunks: (integration, runId, upTo) =>
        runId.endsWith('~absent')
          ? absentBefore(runId, [...world.idTable.keys()])
          : store.chunks(integration, runId, upTo),
    }),
  },
  {
    name: 'mapping-unweighed',
    summary: 'a run under a changed mapping overwrites what is loaded without a question',
    seeds: 100,
    where: ({ remapped }) => remapped !== undefined,
    harsher: (settings) => failing({ ...settings, troubledMs: 8 * settings.periodMs }, {}),
    runs: (store) => ({
      ...store,
      runs: async (...asked) => (await store.runs(...asked)).map(({ mapping: _, ...run }) => run),
    }),
  },
  {
    name: 'short-page-ends',
    summary: 'a page shorter than it was asked for is taken for the last one',
    seeds: 20,
    where: ({ capsPages, paging }) => capsPages && paging !== 'single',
    source: (source, { settings }) => ({
      readPage: async (...asked) => {
        const page = await source.readPage(...asked);
        if (page.kind !== 'page' || page.records.length >= settings.pageSize) return page;
        const { next: _, ...last } = page;
        return last;
      },
    }),
  },
  {
    name: 'empty-id-0',
    summary: 'id 0 counts as missing',
    seeds: 100,
    transform: (transform) => ({
      begin: (earlier) => {
        const snapshot = transform.begin(earlier);
        return {
          ...snapshot,
          prepare: (...page) => {
            const { prepared, ...rest } = snapshot.prepare(...page);
            const without = prepared.map((one) =>
              Number(one.id) ? one : { outcome: 'invalid' as const, id: one.id, reason: 'no id' },
            );
            return { prepared: without, ...rest };
          },
        };
      },
    }),
  },
];
