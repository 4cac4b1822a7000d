import type { IdCheck } from '../../lib/idcheck/item.ts';
import { readIntegrations } from '../../lib/integration/read.ts';
import type { Integration } from '../../lib/integration/schema/schema.ts';
import type { LedgerEntry } from '../../lib/runs/ledger.ts';
import { type ExtractedRun, type RunRecord, type RunStatus, runIdOf } from '../../lib/runs/record.ts';
import { fakeClock } from '../fakes/fake-clock.ts';
import { memoryAuditLog } from '../fakes/memory-audit-log.ts';
import { memoryHealthStore } from '../fakes/memory-health-store.ts';
import { memoryIdStore } from '../fakes/memory-id-store.ts';
import { memoryQueue } from '../fakes/memory-queue.ts';
import { memoryRateLimiter } from '../fakes/memory-rate-limiter.ts';
import { memoryRunStore } from '../fakes/memory-run-store.ts';
import { loadingRun } from '../runs/run-record.ts';

/** The shipped integrations, as if they overwrote what is loaded. */
export const integrations: readonly Integration[] = readIntegrations(['integrations']).integrations.map(
  ({ target, ...rest }) => ({ ...rest, target: { ...target, metadata: { ...target.metadata, idCheck: false } } }),
);
const [first] = integrations;
if (first === undefined) throw new Error('no integration is shipped');
/** The integration that the world is about. */
export const groups: Integration = first;

export const { versionMs, startedMs } = loadingRun;

/** A run of `groups` that waits for its records to be loaded; `hour` of the day on which it started. */
export const runAt = (hour: number, changes: Partial<ExtractedRun> = {}): ExtractedRun => {
  const atMs = startedMs + hour * 3_600_000;
  const shared = { integration: groups.name, runId: runIdOf(groups.name, atMs), startedMs: atMs, scheduledMs: atMs };
  return { ...loadingRun, ...shared, extractedMs: atMs + 1_000, ...changes };
};

/** The run as it is when it has this status. */
export const inStatus = (run: ExtractedRun, status: RunStatus): RunRecord => {
  if (status !== 'extracting' && status !== 'incomplete') return { ...run, status };
  const { extractedMs: _, closedMs: __, unsettled: ___, checkpoint: ____, ...rest } = run;
  return { ...rest, status };
};

/** Sent by a run, with content A. */
export const enqueued = (id: string): LedgerEntry => ({ id, outcome: 'enqueued', hash: 'A' });

export const loaded = (id: string, hash = 'A'): IdCheck => ({
  id,
  rev: 2,
  loaded: { hash, versionMs: hash === 'A' ? versionMs : versionMs - 1, atMs: versionMs },
});

export const claimed = (id: string): IdCheck => ({
  id,
  rev: 1,
  claim: { owner: 'worker', hash: 'A', versionMs, sinceMs: versionMs, untilMs: versionMs + 60_000 },
});

export const troubled = (id: string, kind: 'rejected' | 'parked' | 'exhausted'): IdCheck => ({
  id,
  rev: 2,
  trouble: { kind, hash: 'A', versionMs, sinceMs: versionMs, reason: 'status 422' },
});

/** All stores in memory. */
export const operateWorld = () => {
  const clock = fakeClock(startedMs + 2_000);
  const idStore = memoryIdStore();
  const runs = memoryRunStore();
  const stores = {
    clock,
    idStore,
    runs,
    records: memoryQueue(clock),
    deadLetters: memoryQueue(clock),
    runRequests: memoryQueue(clock),
    limiter: memoryRateLimiter(clock),
    health: memoryHealthStore(),
    audit: memoryAuditLog(),
  };
  return {
    ...stores,
    knows: async (...items: IdCheck[]) => {
      for (const item of items) await idStore.write(groups.name, item, { absent: true });
    },
    /** Stores a run and what its ledger says of each record. */
    ran: async (run: ExtractedRun, ...entries: LedgerEntry[]) => {
      const sent = entries.filter(({ outcome }) => outcome === 'enqueued').length;
      const counts = { ...run.counts, fetched: entries.length, enqueued: sent };
      for (const { outcome } of entries) if (outcome !== 'enqueued') counts[outcome] += 1;
      await runs.saveRun({ ...run, counts });
      await runs.saveChunk(groups.name, { runId: run.runId, index: 1, versionMs, entries, memory: [] });
      return { ...run, counts };
    },
  };
};
