import { type IdCheck, stateName, stateOf } from '../idcheck/item.ts';
import { loadPolicyOf } from '../integration/compile/target-plan.ts';
import type { Integration } from '../integration/schema/schema.ts';
import type { Letter } from '../messages/dead-letter.ts';
import { listLetters } from '../messages/dead-letter-queue.ts';
import { messagesIn } from '../messages/queue.ts';
import { openWhy } from '../runs/books.ts';
import { fateInRun, presentGeneration } from '../runs/evidence.ts';
import type { LedgerEntry } from '../runs/ledger.ts';
import { type LoadCounts, ledgerChunks, type RunRecord } from '../runs/record.ts';
import { MissingChunkError, type RunStore } from '../runs/store.ts';
import { type AuditEntry, OF_ALL, type Stores } from '../stores/stores.ts';
import { type LetterFacts, letterFacts } from './letters.ts';

/** A run that had the record, what it made of it, and, where it sent it, what idCheck says became of it. */
export type Carried = { runId: string; startedMs: number } & Pick<LedgerEntry, 'reason' | 'hash'> & {
    outcome: LedgerEntry['outcome'] | 'deletion';
    fate?: keyof LoadCounts;
  };

/** Everything known of one id in one integration. */
export type History = {
  integration: string;
  id: string;
  item: IdCheck | undefined;
  /** The runs whose ledger names it, newest first. */
  runs: Carried[];
  letters: LetterFacts[];
  audit: AuditEntry[];
  /** Messages in the records queue, whatever they carry. */
  queued: number;
};

export type HistoryDeps = Pick<Stores, 'idStore' | 'runs' | 'records' | 'deadLetters' | 'audit'>;

/**
 * What the stores know of an id: one history for each integration that knows it. Looks through so many recent runs of
 * each.
 */
export const recordHistories = async (
  id: string,
  integrations: readonly Integration[],
  runsLooked: number,
  deps: HistoryDeps,
): Promise<History[]> => {
  const letters = await listLetters(deps.deadLetters, { id });
  const histories: History[] = [];
  for (const integration of integrations) histories.push(await historyOf(id, integration, letters, runsLooked, deps));
  return histories.filter(isKnown);
};

const historyOf = async (
  id: string,
  integration: Integration,
  letters: readonly Letter[],
  runsLooked: number,
  { idStore, runs, records, audit }: HistoryDeps,
): Promise<History> => {
  const { name } = integration;
  const generation = await presentGeneration(name, runs);
  const itemIn = async (state: string) => (await idStore.read(state, [id])).get(id);
  const item = await itemIn(stateName(name, generation));
  const carried: Carried[] = [];
  for (const run of await runs.runs(name, runsLooked)) {
    const itemOfRun = (run.generation ?? 0) === generation ? item : await itemIn(stateOf(run));
    const fateBy = fateInRun(run, generation, loadPolicyOf(integration));
    carried.push(...(await carriedIn(run, id, (...sent) => fateBy(itemOfRun, id, ...sent), runs)));
  }
  return {
    integration: name,
    id,
    item,
    runs: carried,
    letters: letters.filter((letter) => letter.integration === name).map(letterFacts),
    audit: (await audit.list(name)).filter(
      (entry) => entry.id === id || entry.id === OF_ALL || adoptedBy(entry, carried),
    ),
    queued: messagesIn(await records.depth()),
  };
};

/** Whether what one of these runs read was taken over as loaded: the record was part of it. */
const adoptedBy = ({ action, id }: AuditEntry, carried: readonly Carried[]): boolean =>
  action === 'adopted' && carried.some(({ runId, outcome }) => runId === id && outcome === 'unchanged');

const isKnown = ({ item, runs, letters, audit }: History): boolean =>
  item !== undefined || runs.length + letters.length + audit.filter(({ id }) => id !== OF_ALL).length > 0;

/** The last time that a run sent the record, where nothing has come of it yet. */
const openSending = ({ runs }: History): Carried | undefined => {
  const last = runs.find(({ fate }) => fate !== undefined);
  return last?.fate === 'open' ? last : undefined;
};

/** How the record stands by its runs, where idCheck alone does not tell. */
export type Standing =
  /** Nothing is open. */
  | { as: 'settled' }
  /** Given up after too many failures; the next run sends it again. */
  | { as: 'given-up'; run: Carried }
  /** A person said that it is to be sent; the next run does. */
  | { as: 'to-send'; run: Carried }
  /** A worker is at it. */
  | { as: 'claimed'; run: Carried }
  /** Lost: no message is left that could carry it. */
  | { as: 'lost' | 'queued'; run: Carried }
  /** Its last run left it out, and none has ever sent it. */
  | { as: 'left-out'; run: Carried };

/** How a record stands. Pure. */
export const standingOf = (history: History): Standing => {
  const { item, runs, queued } = history;
  const run = openSending(history);
  if (run !== undefined) {
    const as = openWhy(item);
    return { as: as === 'sent' ? (queued === 0 ? 'lost' : 'queued') : as, run };
  }
  const [newest] = runs;
  return item === undefined && newest !== undefined ? { as: 'left-out', run: newest } : { as: 'settled' };
};

/** Whether the record was sent and nothing came of it yet. */
export const isOpen = (history: History): boolean => openSending(history) !== undefined;

const carriedIn = async (
  run: RunRecord,
  id: string,
  fate: (hash: string, versionMs: number) => keyof LoadCounts,
  store: RunStore,
): Promise<Carried[]> => {
  const { runId, startedMs } = run;
  const found: Carried[] = [];
  try {
    for await (const { entries, deletions = [], versionMs } of store.chunks(
      run.integration,
      runId,
      ledgerChunks(run),
    )) {
      for (const { id: entryId, parentId: _, ...entry } of entries) {
        if (entryId !== id) continue;
        const isSent = entry.outcome === 'enqueued' && entry.hash !== undefined;
        found.push({ runId, startedMs, ...entry, ...(isSent && { fate: fate(entry.hash ?? '', versionMs) }) });
      }
      for (const { id: deletedId, hash } of deletions) {
        if (deletedId === id) found.push({ runId, startedMs, outcome: 'deletion', hash, fate: fate(hash, versionMs) });
      }
    }
  } catch (error) {
    // Expired or torn: its other chunks have been looked at.
    if (!(error instanceof MissingChunkError)) throw error;
  }
  return found;
};
