import type { LoadPolicy } from '../idcheck/decide.ts';
import { stateOf } from '../idcheck/generation.ts';
import type { IdCheck } from '../idcheck/item.ts';
import type { IdStore } from '../idcheck/store.ts';
import { defined } from '../runtime/defined.ts';
import { fateOf, isBalanced, noLoadCounts, noOpen, type OpenWhy, openWhy } from './books.ts';
import {
  type DeletionCounts,
  type ExtractedRun,
  hasFailed,
  type LoadCounts,
  ledgerChunks,
  type RunRecord,
  type Unsettled,
} from './record.ts';
import { addSetAside, noSetAside, type SetAside, setAsideBy } from './set-aside.ts';
import type { RunStore } from './store.ts';

/** Ids that a run's record names of each kind at most; `okki-sync status RUN --ids` names all. */
export const NAMED_IDS = 20;

/** What idCheck and a run's ledger, held against each other, say of the records that the run sent or left out. */
export type Evidence = { counts: LoadCounts; unsettled: Unsettled; deletions?: DeletionCounts; setAside: SetAside } & {
  /** Why records and deletions are open. */
  open: Record<OpenWhy, number>;
};

/** The state that a run's evidence lies in. */
export type StateOfRun = Pick<RunRecord, 'integration' | 'generation'>;

/** Everything that idCheck knows in the state of a run, by id. Eventually consistent, as `scan` is. */
export const readItems = async (store: IdStore, run: StateOfRun): Promise<Map<string, IdCheck>> => {
  const items = new Map<string, IdCheck>();
  for await (const page of store.scan(stateOf(run))) for (const item of page) items.set(item.id, item);
  return items;
};

/** Which state of an integration is the present one. */
export const presentGeneration = async (integration: string, runs: Pick<RunStore, 'ends'>): Promise<number> =>
  (await runs.ends(integration))?.generation ?? 0;

/** What became of a record that a run sent, by its item in the run's own state. `present`: `presentGeneration`. Pure. */
export const fateInRun =
  (
    { generation = 0, fullRefresh }: Pick<RunRecord, 'generation' | 'fullRefresh'>,
    present: number,
    policy: LoadPolicy,
  ) =>
  (item: IdCheck | undefined, id: string, hash: string, versionMs: number): keyof LoadCounts => {
    const fate = fateOf(item, { id, hash, versionMs, refresh: fullRefresh }, policy);
    return fate === 'open' && generation < present ? 'superseded' : fate;
  };

/**
 * Counts the fates of a run's enqueued records and names those that are not settled well, and those that are left out,
 * `named` of each kind at most. A run that is still extracting is counted up to its checkpoint. What is open of a state
 * that was replaced is never sent: it is superseded. Throws `MissingChunkError`.
 */
export const gatherEvidence = async (
  run: RunRecord,
  items: ReadonlyMap<string, IdCheck>,
  policy: LoadPolicy,
  runs: Pick<RunStore, 'chunks' | 'ends'>,
  named = NAMED_IDS,
): Promise<Evidence> => {
  const fateBy = fateInRun(run, await presentGeneration(run.integration, runs), policy);
  const counts = noLoadCounts();
  const unsettled: Unsettled = { open: [], rejected: [], uncertain: [] };
  const deletions: DeletionCounts = { enqueued: 0, ...noLoadCounts() };
  const setAside = noSetAside();
  const open = noOpen();
  const note = (id: string, fate: keyof LoadCounts): void => {
    if (fate === 'loaded' || fate === 'superseded') return;
    if (fate === 'open') open[openWhy(items.get(id))] += 1;
    if (unsettled[fate].length < named) unsettled[fate].push(id);
  };
  for await (const { entries, versionMs, deletions: deleted = [] } of runs.chunks(
    run.integration,
    run.runId,
    ledgerChunks(run),
  )) {
    for (const entry of entries) {
      const { id, outcome, hash } = entry;
      const item = items.get(id);
      const isSent = outcome === 'enqueued' && hash !== undefined;
      const fate = isSent ? fateBy(item, id, hash, versionMs) : undefined;
      addSetAside(setAside, id, setAsideBy(entry, item, fate), named);
      if (fate === undefined) continue;
      counts[fate] += 1;
      note(id, fate);
    }
    for (const { id, hash } of deleted) {
      const fate = fateBy(items.get(id), id, hash, versionMs);
      deletions.enqueued += 1;
      deletions[fate] += 1;
      note(id, fate);
    }
  }
  return { counts, unsettled, setAside, open, ...(run.deletions && { deletions }) };
};

/**
 * The run with its books drawn up by the evidence: balanced where nothing is open, unbalanced where its deadline has
 * passed, else loading; failed where it has failed and nothing is open, or nothing was sent. Also of a run that was closed before: a replay or another hand opens its records again. Pure.
 */
export const drawnBy = (
  run: ExtractedRun,
  { counts: loadCounts, deletions, unsettled }: Evidence,
  deadlineMs: number,
  nowMs: number,
): ExtractedRun => {
  const counts = { ...run.counts, ...loadCounts };
  const isOverdue = nowMs > run.extractedMs + deadlineMs;
  const balanced = isBalanced({ ...run, counts, ...defined({ deletions }) });
  // A run that was stopped before it sent anything waits for a person, and nothing of it is on its way.
  const isStopped = run.status === 'failed' && counts.enqueued + (deletions?.enqueued ?? 0) === 0;
  const open = isOverdue ? 'unbalanced' : 'loading';
  return {
    ...run,
    counts,
    ...defined({ deletions }),
    unsettled,
    status: isStopped || (balanced && hasFailed(run)) ? 'failed' : balanced ? 'balanced' : open,
  };
};
