import type { LoadPolicy } from '../idcheck/decide.ts';
import { HASH_CHARACTERS } from '../idcheck/hash.ts';
import { type IdCheck, type IdStore, type Loaded, stateOf } from '../idcheck/item.ts';
import { hashColumn } from '../idcheck/known.ts';
import { defined } from '../runtime/defined.ts';
import { fateOf, isBalanced, noExtractCounts, noLoadCounts, noOpen, type OpenWhy, openWhy } from './books.ts';
import type { Behind, ExtractOutcome, LedgerEntry } from './ledger.ts';
import {
  type DeletionCounts,
  type ExtractCounts,
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
  /** The counts with what has become of records that waited for earlier entries; absent: none did. */
  waited?: Pick<ExtractCounts, 'unchanged' | 'skipped' | 'waiting'>;
};

/** The state that a run's evidence lies in. */
export type StateOfRun = Pick<RunRecord, 'integration' | 'generation'>;

/** What idCheck knows of each id, as evidence: what became of its content. */
export type KnownItems = { get(id: string): IdCheck | undefined };

/**
 * Everything that idCheck knows in the state of a run, by id. Eventually consistent, as `scan` is.
 *
 * The common item, loaded and nothing else, is kept as its hash and its version, so that a million of them fit in memory:
 * when it was loaded and its revision are no evidence, and read as 0.
 */
export const readItems = async (store: IdStore, run: StateOfRun): Promise<KnownItems> => {
  const hashes = hashColumn(HASH_CHARACTERS);
  const versionsMs: number[] = [];
  const loadedPlaces = new Map<string, number>();
  const others = new Map<string, IdCheck>();
  for await (const page of store.scan(stateOf(run))) {
    for (const item of page) {
      const loaded = onlyLoaded(item);
      const place = loaded && hashes.add(loaded.hash);
      if (place === undefined) others.set(item.id, item);
      else {
        versionsMs.push(loaded?.versionMs ?? 0);
        loadedPlaces.set(item.id, place);
      }
    }
  }
  return {
    get(id) {
      const place = loadedPlaces.get(id);
      if (place === undefined) return others.get(id);
      return { id, rev: 0, loaded: { hash: hashes.at(place), versionMs: versionsMs[place] ?? 0, atMs: 0 } };
    },
  };
};

/** What is loaded of an item that says nothing else. */
const onlyLoaded = ({ id: _id, rev: _rev, turn: _turn, loaded, ...others }: IdCheck): Loaded | undefined => {
  const isPlain = loaded?.unsureSinceMs === undefined && loaded?.saidMs === undefined;
  return isPlain && Object.values(others).every((part) => part === undefined) ? loaded : undefined;
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
  items: KnownItems,
  policy: LoadPolicy,
  runs: Pick<RunStore, 'chunks' | 'ends'>,
  named = NAMED_IDS,
): Promise<Evidence> => {
  const present = await presentGeneration(run.integration, runs);
  const fateBy = fateInRun(run, present, policy);
  const fateBehind = fateInRun({ ...run, fullRefresh: false }, present, policy);
  const afterBehind = ({ id, hash = '' }: LedgerEntry, { versionMs }: Behind, item: IdCheck | undefined) =>
    outcomeAfter[fateBehind(item, id, hash, versionMs)];
  const counts = noLoadCounts();
  const unsettled: Unsettled = { open: [], rejected: [], uncertain: [] };
  const deletions: DeletionCounts = { enqueued: 0, ...noLoadCounts() };
  const setAside = noSetAside();
  const open = noOpen();
  const extracted = noExtractCounts();
  let hasWaited = false;
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
    for (const written of entries) {
      const { id, hash, behind } = written;
      const item = items.get(id);
      const outcome = behind === undefined ? written.outcome : afterBehind(written, behind, item);
      const entry = { ...written, outcome };
      hasWaited ||= behind !== undefined;
      extracted[outcome] += 1;
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
  const { unchanged, skipped, waiting } = extracted;
  return {
    counts,
    unsettled,
    setAside,
    open,
    ...(run.deletions && { deletions }),
    ...(hasWaited && { waited: { unchanged, skipped, waiting } }),
  };
};

/** What a record that waited for an earlier entry of its content has become, by the fate of that entry. */
const outcomeAfter = {
  loaded: 'unchanged',
  superseded: 'skipped',
  rejected: 'skipped',
  uncertain: 'skipped',
  open: 'waiting',
} as const satisfies Record<keyof LoadCounts, ExtractOutcome>;

/** Loading may take so much longer than the target's limit says: pauses, and what comes twice. */
const LOAD_MARGIN = 1.1;

/**
 * Whether a run has had its time: the file's, and what loading takes by the target's limit. Where it waits in a ledger and
 * others share its connection, it takes longer: the file's time counts from when some of it was last sent (`movedMs`). Pure.
 */
export const isPastDeadline = (
  { extractedMs, loadMs = 0 }: Pick<ExtractedRun, 'extractedMs' | 'loadMs'>,
  deadlineMs: number,
  nowMs: number,
  movedMs = 0,
): boolean => nowMs > Math.max(extractedMs + loadMs * LOAD_MARGIN, movedMs) + deadlineMs;

/**
 * The run with its books drawn up by the evidence: balanced where nothing is open, unbalanced where its deadline has
 * passed, else loading; failed where it has failed and nothing is open, or nothing was sent. Also of a run that was closed before: a replay or another hand opens its records again. Pure.
 */
export const drawnBy = (
  run: ExtractedRun,
  { counts: loadCounts, deletions, unsettled, waited }: Evidence,
  deadlineMs: number,
  nowMs: number,
  movedMs?: number,
): ExtractedRun => {
  const counts = { ...run.counts, ...loadCounts, ...waited };
  const isOverdue = isPastDeadline(run, deadlineMs, nowMs, movedMs);
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
