import { type IdCheck, stateName, stateOf } from '../idcheck/item.ts';
import { loadPolicyOf } from '../integration/compile/target-plan.ts';
import type { Integration } from '../integration/schema/schema.ts';
import type { Letter } from '../messages/dead-letter.ts';
import { listLetters } from '../messages/dead-letter-queue.ts';
import { messagesIn } from '../messages/queue.ts';
import { readMessage } from '../messages/record-message.ts';
import { openWhy } from '../runs/books.ts';
import { fateInRun, presentGeneration } from '../runs/evidence.ts';
import type { LedgerEntry } from '../runs/ledger.ts';
import { type Line, leftIn, unsentOf } from '../runs/line.ts';
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
  /** Its message waits in the ledger of its last run: how many records are sent before it. Absent: it does not. */
  unsent?: { before: number };
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
  const line = await runs.line(name);
  for (const run of await runs.runs(name, runsLooked)) {
    const itemOfRun = (run.generation ?? 0) === generation ? item : await itemIn(stateOf(run));
    const fateBy = fateInRun(run, generation, loadPolicyOf(integration));
    carried.push(...(await carriedIn(run, id, (...sent) => fateBy(itemOfRun, id, ...sent), runs)));
  }
  const sentBy = carried.find(({ fate }) => fate !== undefined);
  const before = sentBy?.fate === 'open' ? await unsentBefore(line, sentBy.runId, id, name, runs) : undefined;
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
    ...(before !== undefined && { unsent: { before } }),
  };
};

/** How many records are sent before this one that waits in a run's ledger; undefined: it does not wait there. */
const unsentBefore = async (
  line: Line | undefined,
  runId: string,
  id: string,
  integration: string,
  runs: Pick<RunStore, 'chunks'>,
): Promise<number | undefined> => {
  const place = line?.runs.findIndex((run) => run.runId === runId) ?? -1;
  const unsent = line?.runs[place];
  if (unsent === undefined || unsent.left === 0) return undefined;
  let before = leftIn(line && { ...line, runs: line.runs.slice(0, place) });
  try {
    for await (const { index, memory } of runs.chunks(integration, unsentOf(runId), unsent.chunks, unsent.at.chunk)) {
      const waiting = index === unsent.at.chunk ? memory.slice(unsent.at.place) : memory;
      const found = waiting.findIndex((body) => isOf(body, id));
      if (found >= 0) return before + found;
      before += waiting.length;
    }
  } catch (error) {
    if (!(error instanceof MissingChunkError)) throw error;
  }
  return undefined;
};

/** Whether a message is of this id. */
const isOf = (body: string, id: string): boolean => {
  const read = readMessage(body);
  return read.kind === 'message' && read.message.id === id;
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
  /** Its message waits in the run's ledger until the target's limit has room for it. */
  | { as: 'unsent'; run: Carried; before: number }
  /** Its last run left it out, and none has ever sent it. */
  | { as: 'left-out'; run: Carried };

/** How a record stands. Pure. */
export const standingOf = (history: History): Standing => {
  const { item, runs, queued, unsent } = history;
  const run = openSending(history);
  if (run !== undefined) {
    const as = openWhy(item);
    if (as === 'sent' && unsent !== undefined) return { as: 'unsent', run, ...unsent };
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
