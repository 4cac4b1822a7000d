import type { IdCheck } from '../idcheck/item.ts';
import type { IdStore } from '../idcheck/store.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { fateOf, isBalanced, noLoadCounts } from './books.ts';
import type { LoadCounts, RunRecord } from './record.ts';
import type { RunStore } from './store.ts';

export type ReconcileDeps = { idStore: IdStore; runs: RunStore; clock: Clock; log: Log };

/** What reconciling needs to know of an integration. */
export type Reconciling = { integration: string; idCheck: boolean; deadlineMs: number };

/** Runs looked back on. Older ones still open have long been named, and later runs have sent their records again. */
const RUNS_LOOKED_AT = 50;

/**
 * Balances the books of an integration's runs that are not closed: what each says it sent is held against what idCheck
 * says of each id. A run closes when nothing is open, or, not balanced, when its deadline has passed.
 *
 * Reads idCheck's partitions once, however many runs are open. Returns the runs that it looked at, newest first.
 */
export const reconcile = async (
  { integration, idCheck, deadlineMs }: Reconciling,
  { idStore, runs, clock, log }: ReconcileDeps,
): Promise<RunRecord[]> => {
  const open = (await runs.runs(integration, RUNS_LOOKED_AT)).filter(
    ({ status }) => status === 'loading' || status === 'unbalanced',
  );
  if (open.length === 0) return [];
  const items = await readItems(idStore, integration);
  const reconciled: RunRecord[] = [];
  for (const run of open) {
    const counts = { ...run.counts, ...(await countFates(run, items, idCheck, runs)) };
    const nowMs = clock.nowMs();
    const isOverdue = nowMs > (run.extractedMs ?? run.startedMs) + deadlineMs;
    const balanced = isBalanced({ counts });
    const next: RunRecord = {
      ...run,
      counts,
      status: balanced ? 'balanced' : isOverdue ? 'unbalanced' : 'loading',
      ...(balanced || isOverdue ? { closedMs: run.closedMs ?? nowMs } : {}),
    };
    await runs.saveRun(next);
    log.info('run-reconciled', { runId: run.runId, status: next.status, ...counts });
    reconciled.push(next);
  }
  return reconciled;
};

const readItems = async (store: IdStore, integration: string): Promise<Map<string, IdCheck>> => {
  const items = new Map<string, IdCheck>();
  for await (const page of store.scan(integration)) for (const item of page) items.set(item.id, item);
  return items;
};

const countFates = async (
  run: RunRecord,
  items: ReadonlyMap<string, IdCheck>,
  idCheck: boolean,
  runs: RunStore,
): Promise<LoadCounts> => {
  const counts = noLoadCounts();
  for await (const { entries, versionMs } of runs.chunks(run.integration, run.runId, run.chunks ?? 0)) {
    for (const { id, outcome, hash } of entries) {
      if (outcome !== 'enqueued' || hash === undefined) continue;
      counts[fateOf(items.get(id), { id, hash, versionMs }, idCheck)] += 1;
    }
  }
  return counts;
};
