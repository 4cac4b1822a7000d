import type { IdCheck } from '../idcheck/item.ts';
import type { IdStore } from '../idcheck/store.ts';
import { fateOf, noLoadCounts } from './books.ts';
import { type DeletionCounts, type LoadCounts, ledgerChunks, type RunRecord, type Unsettled } from './record.ts';
import type { RunStore } from './store.ts';

/** Ids that a run's record names of each kind at most; `okki-sync status RUN --ids` names all. */
export const NAMED_IDS = 20;

/** What idCheck and a run's ledger, held against each other, say of the records that the run sent. */
export type Evidence = { counts: LoadCounts; unsettled: Unsettled; deletions?: DeletionCounts };

/** Everything that idCheck knows of an integration, by id. Eventually consistent, as `scan` is. */
export const readItems = async (store: IdStore, integration: string): Promise<Map<string, IdCheck>> => {
  const items = new Map<string, IdCheck>();
  for await (const page of store.scan(integration)) for (const item of page) items.set(item.id, item);
  return items;
};

/**
 * Counts the fates of a run's enqueued records and names those that are not settled well, `named` of each kind at most.
 * A run that is still extracting is counted up to its checkpoint. Throws `MissingChunkError`.
 */
export const gatherEvidence = async (
  run: RunRecord,
  items: ReadonlyMap<string, IdCheck>,
  idCheck: boolean,
  runs: Pick<RunStore, 'chunks'>,
  named = NAMED_IDS,
): Promise<Evidence> => {
  const counts = noLoadCounts();
  const unsettled: Unsettled = { open: [], rejected: [], uncertain: [] };
  const deletions: DeletionCounts = { enqueued: 0, ...noLoadCounts() };
  for await (const { entries, versionMs, deletions: deleted = [] } of runs.chunks(
    run.integration,
    run.runId,
    ledgerChunks(run),
  )) {
    for (const { id, outcome, hash } of entries) {
      if (outcome !== 'enqueued' || hash === undefined) continue;
      const fate = fateOf(items.get(id), { id, hash, versionMs, refresh: run.fullRefresh }, idCheck);
      counts[fate] += 1;
      if (fate === 'loaded' || fate === 'superseded') continue;
      if (unsettled[fate].length < named) unsettled[fate].push(id);
    }
    for (const { id, hash } of deleted) {
      const fate = fateOf(items.get(id), { id, hash, versionMs, refresh: run.fullRefresh }, idCheck);
      deletions.enqueued += 1;
      deletions[fate] += 1;
      if (fate === 'loaded' || fate === 'superseded') continue;
      if (unsettled[fate].length < named) unsettled[fate].push(id);
    }
  }
  return { counts, unsettled, ...(run.deletions && { deletions }) };
};
