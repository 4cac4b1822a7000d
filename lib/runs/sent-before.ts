import type { LoadPolicy } from '../idcheck/decide.ts';
import { HASH_CHARACTERS } from '../idcheck/hash.ts';
import { type IdCheck, stateOf } from '../idcheck/item.ts';
import { hashColumn } from '../idcheck/known.ts';
import { messagesIn, type ReadableQueue } from '../messages/queue.ts';
import { fateOf, openWhy, sentAndUnsettled } from './books.ts';
import type { Behind } from './ledger.ts';
import { leftIn, unsentIn, unsentOf } from './line.ts';
import { ledgerChunks, type RunRecord } from './record.ts';
import { MissingChunkError, type RunStore } from './store.ts';

/** What earlier runs of the same state have sent and nobody has settled yet: the newest entry of each id. */
export type SentBefore = {
  /**
   * The entry that this content of an id waits for; undefined: there is none, and the run takes the record on. `item`:
   * what idCheck knows of the id.
   */
  entryOf(id: string, hash: string, item: IdCheck | undefined): Behind | undefined;
  /** Whether a message of this id waits in the ledger of an earlier run, of whatever content. */
  waits(id: string): boolean;
  /** Runs with such entries. */
  runIds: readonly string[];
  /** How many such entries there are at most. */
  count: number;
};

export const nothingSentBefore: SentBefore = { entryOf: () => undefined, waits: () => false, runIds: [], count: 0 };

/**
 * The newest runs, and older ones that those still wait for, newest first: a large load outlasts many schedules. `limit`
 * is for the newest.
 */
export const runsStillMeant = async (
  integration: string,
  runs: Pick<RunStore, 'run' | 'runs'>,
  limit: number,
): Promise<RunRecord[]> => {
  const recent = await runs.runs(integration, limit);
  const known = new Set(recent.map(({ runId }) => runId));
  const older = new Set(recent.flatMap(({ waitsFor = [] }) => waitsFor).filter((runId) => !known.has(runId)));
  const found = await Promise.all([...older].sort().map((runId) => runs.run(integration, runId)));
  return [...recent, ...found.reverse().flatMap((run) => run ?? [])];
};

type ReadDeps = {
  runs: Pick<RunStore, 'run' | 'runs' | 'chunks' | 'line'>;
  records: Pick<ReadableQueue, 'depth'>;
  nowMs: number;
  /** A message ends so long after it was sent (`tuning.load.maxAgeMs`). */
  maxAgeMs: number;
  runsLookedAt: number;
};

/**
 * Reads from the ledgers of earlier runs what `run` need not send again. What waits in a ledger will be sent; what was sent
 * too long ago has ended, and where the queue is empty nothing is on its way any more: that is sent anew. `hasLoaded`: whether idCheck has this very
 * content; such entries are not kept.
 */
export const readSentBefore = async (
  run: Pick<RunRecord, 'integration' | 'runId' | 'generation'>,
  policy: LoadPolicy,
  hasLoaded: (id: string, hash: string) => boolean,
  { runs, records, nowMs, maxAgeMs, runsLookedAt }: ReadDeps,
): Promise<SentBefore> => {
  const { integration, runId } = run;
  const meant = await runsStillMeant(integration, runs, runsLookedAt);
  const open = meant.filter(
    (other) => other.runId !== runId && stateOf(other) === stateOf(run) && sentAndUnsettled(other) > 0,
  );
  if (open.length === 0) return nothingSentBefore;
  const line = await runs.line(integration);
  const isOnItsWay = messagesIn(await records.depth()) > 0;
  if (!isOnItsWay && leftIn(line) === 0) return nothingSentBefore;
  const entries = entriesById();
  // The oldest first: the newest entry of an id stands.
  for (const other of open.reverse()) {
    const unsent = unsentIn(line, other.runId);
    const firstUnsent = unsent !== undefined && unsent.left > 0 ? unsent.at.chunk : Number.POSITIVE_INFINITY;
    const sentMsOf = timesOfSending(integration, other.runId, runs);
    try {
      for await (const chunk of runs.chunks(integration, other.runId, ledgerChunks(other))) {
        const { versionMs, unsent: last } = chunk;
        const waits = last !== undefined && last >= firstUnsent;
        const sentMs = (last === undefined || waits ? chunk.sentMs : await sentMsOf(last)) ?? versionMs;
        if (!waits && (!isOnItsWay || nowMs - sentMs > maxAgeMs)) continue;
        entries.beginChunk({ runId: other.runId, versionMs }, waits);
        for (const { id, outcome, hash } of chunk.entries) {
          if (outcome !== 'enqueued' || hash === undefined) continue;
          // What a full refresh left waiting is loaded already, and still not to be sent after newer content.
          if (waits || !hasLoaded(id, hash)) entries.add(id, hash);
        }
        for (const { id, hash } of chunk.deletions ?? []) entries.add(id, hash);
      }
    } catch (error) {
      // A torn ledger explains nothing: what it held is sent again.
      if (!(error instanceof MissingChunkError)) throw error;
    }
  }
  return {
    entryOf: (id, hash, item) => {
      const entry = entries.find(id);
      if (entry?.hash !== hash) return undefined;
      if (item === undefined) return entry.behind;
      const isOpen = fateOf(item, { id, hash, versionMs: entry.behind.versionMs }, policy) === 'open';
      // What was given up, or is to be sent by a person's word, the next run sends.
      return isOpen && ['sent', 'claimed'].includes(openWhy(item)) ? entry.behind : undefined;
    },
    waits: entries.waits,
    runIds: open.map((other) => other.runId),
    count: entries.count(),
  };
};

/** When messages that had waited in a run's ledger were sent, by their chunk; undefined: nobody knows. */
const timesOfSending = (integration: string, runId: string, runs: Pick<RunStore, 'chunks'>) => {
  let times: Map<number, number> | undefined;
  const read = async (upTo: number): Promise<Map<number, number>> => {
    const found = new Map<number, number>();
    try {
      // Those that are sent are empty.
      for await (const { index, sentMs } of runs.chunks(integration, unsentOf(runId), upTo)) {
        if (sentMs !== undefined) found.set(index, sentMs);
      }
    } catch (error) {
      if (!(error instanceof MissingChunkError)) throw error;
    }
    return found;
  };
  return async (chunk: number): Promise<number | undefined> => {
    if (times?.has(chunk) !== true) times = await read(chunk);
    return times.get(chunk);
  };
};

/** Entries by id: a million are kept as their hashes (`hashColumn`), and whose they are by the places of their chunks. */
const entriesById = () => {
  type Of = { fromPlace: number; behind: Behind; waits: boolean };
  const hashes = hashColumn(HASH_CHARACTERS);
  const places = new Map<string, number>();
  /** Hashes of another length: of deletions. */
  const others = new Map<string, { hash: string; of: Of }>();
  const chunks: Of[] = [];
  let next = 0;
  let of: Of = { fromPlace: 0, behind: { runId: '', versionMs: 0 }, waits: false };
  /** Whose the entry at a place is: of the last chunk that begins there or before. */
  const ofPlace = (place: number): Of | undefined => {
    let [from, to] = [0, chunks.length];
    while (to - from > 1) {
      const middle = (from + to) >> 1;
      if ((chunks[middle]?.fromPlace ?? 0) <= place) from = middle;
      else to = middle;
    }
    return chunks[from];
  };
  const ofId = (id: string): Of | undefined => {
    const place = places.get(id);
    return place === undefined ? others.get(id)?.of : ofPlace(place);
  };
  return {
    beginChunk: (behind: Behind, waits: boolean): void => {
      of = { fromPlace: next, behind, waits };
      chunks.push(of);
    },
    add: (id: string, hash: string): void => {
      const place = hashes.add(hash);
      if (place === undefined) {
        places.delete(id);
        others.set(id, { hash, of });
        return;
      }
      next = place + 1;
      others.delete(id);
      places.set(id, place);
    },
    find: (id: string): { hash: string; behind: Behind } | undefined => {
      const whose = ofId(id);
      const place = places.get(id);
      const hash = place === undefined ? others.get(id)?.hash : hashes.at(place);
      return whose && hash !== undefined ? { hash, behind: whose.behind } : undefined;
    },
    waits: (id: string): boolean => ofId(id)?.waits === true,
    count: () => places.size + others.size,
  };
};
