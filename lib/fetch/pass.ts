import { type IdStore, stateOf } from '../idcheck/item.ts';
import { ignoringRefusals, type Known, readKnown, readKnownByIds } from '../idcheck/known.ts';
import type { JsonValue } from '../json/json.ts';
import type { LedgerChunk, LedgerEntry } from '../runs/ledger.ts';
import type { Doubts, UnfinishedRun } from '../runs/record.ts';
import type { SentBefore } from '../runs/sent-before.ts';
import type { FetchTuning } from '../runtime/tuning.ts';
import type { Prepared } from '../transform/transform.ts';
import { type Adopt, compareToAdopt } from './adopt.ts';
import { compare, type ToLoad } from './compare.ts';
import { findDoubts } from './doubts.ts';
import type { FetchPlan } from './fetch-plan.ts';
import { openPlaces, type Postponed, readPostponed, writePostponed } from './postponed.ts';
import { openTaking, type Taking, type TakingOf } from './taking.ts';

/** A page as the source sent it; `before`: how many records came before it. */
export type Page = { records: JsonValue[]; before: number; isLast: boolean };

/** What the pass made of a part of a page: as much as one ledger chunk holds. */
export type Part = {
  /** In the order of the source; postponed records have none yet. */
  entries: LedgerEntry[];
  /** Of the entries those that are enqueued, in the same order. */
  toLoad: ToLoad[];
  /** Of the unchanged entries those that are so because they are taken over: to be written down as loaded. */
  toAdopt: Adopt[];
  /** How many of the records were known already to a run that takes over. */
  known: number;
  /** How many wait because of what was asked of the run. */
  leftOut: number;
  /** Records whose place in the tree is not known before the end of the snapshot, each with its text for the ledger. */
  postponed: { record: Postponed; text: string }[];
  /** The last chunk in which messages of it wait to be sent; absent: none does, or they are not sent yet. */
  unsent?: number;
  /** What the cleaning must remember of these records when the run is resumed. */
  memory: string[];
};

/** The one pass over a snapshot's records, page by page. */
export type Pass = {
  /**
   * Identifies, filters, cleans, maps and places a page's records, compares them with idCheck and writes their messages
   * and ledger entries. A part is made when it is asked for: the one before it can be sent and written down by then.
   * `doubts`: what of the page makes the reading doubtful. `rowOf`: the record as it came, by the id of its entry.
   */
  page(
    page: Page,
    run: UnfinishedRun,
    nowMs: number,
  ): Promise<{
    parts: Iterable<Part>;
    doubts: Doubts;
    rowOf(id: string): JsonValue | undefined;
  }>;
  /** Whether records wait for the end of the snapshot. */
  hasPostponed(): boolean;
  /** For the end of the snapshot: postponed records pass, too, each in its place, which is known by then. */
  openPlacing(): Promise<(records: readonly Postponed[], run: UnfinishedRun, nowMs: number) => Part>;
  /** Ids that had been loaded and are not among the records. */
  absent(): string[];
  /** The ids that were asked for and that the source did not give. */
  notGiven(): string[];
  /** How many ids had been loaded when the run began. */
  loadedCount: number;
  /** How many of them the present source has given. */
  ofSourceCount: number;
  /** Vanished ids whose deletion an earlier invocation of the run has sent. */
  deletionsSent: ReadonlySet<string>;
  sentBefore: SentBefore;
};

type LeftOut = Exclude<Prepared, { outcome: 'ready' }>;

/** Opens the pass of a run where its checkpoint stands; `earlier`: its ledger chunks up to there. */
export const openPass = async (
  { policy, transform, tree, target }: FetchPlan,
  idStore: IdStore,
  begun: Pick<UnfinishedRun, 'integration' | 'generation' | 'sourceSinceMs' | 'window' | 'checkpoint' | 'counts'>,
  earlier: AsyncIterable<LedgerChunk>,
  sizes: PartSizes,
  asked: TakingOf,
  readBefore: (hasLoaded: Known['hasLoaded']) => Promise<SentBefore>,
): Promise<Pass> => {
  // A list of changes names few of the integration's ids: they are read one by one.
  const state = stateOf(begun);
  const items = begun.window ? readKnownByIds(idStore, state) : await readKnown(idStore, state, begun.sourceSinceMs);
  const known = tree?.rejectedParent === 'root' ? ignoringRefusals(items) : items;
  const taking = openTaking(asked, begun.counts.enqueued);
  const sentBefore = await readBefore(items.hasLoaded);
  const { ready, memory, parents, leftOut, left, deletionsSent } = await recall(
    earlier,
    begun,
    known,
    taking,
    tree !== undefined,
  );
  const snapshot = transform.begin({ ids: ready, memory });
  const places = openPlaces(tree, known, snapshot, { parents, leftOut });

  const doubtsOf = findDoubts(left);
  const leaveOut = ({ entries }: Part, one: LeftOut): void => {
    places.leaveOut(one.id);
    if (known.isLoaded(one.id)) taking.stands(one.id);
    // Whatever becomes of it, its id is in the source: it has not vanished.
    known.take(one.id);
    entries.push(entryOf(one));
  };
  /** Adds one record's entry, and its message where it differs from what is loaded. */
  const add = (part: Part, one: Prepared, run: UnfinishedRun, nowMs: number): void => {
    if (one.outcome !== 'ready') leaveOut(part, one);
    else if (asked.adopts) {
      const { entry, toAdopt, isLeftOut, isKnown } = compareToAdopt(one, known, policy, taking);
      part.entries.push(entry);
      if (toAdopt) part.toAdopt.push(toAdopt);
      if (isLeftOut) part.leftOut += 1;
      if (isKnown) part.known += 1;
    } else {
      const isLoaded = known.isLoaded(one.id);
      const { entry, toLoad, isLeftOut } = compare(
        one,
        known,
        policy,
        { ...run, connection: target },
        nowMs,
        taking,
        sentBefore,
      );
      part.entries.push(entry);
      if (toLoad) part.toLoad.push(toLoad);
      if (toLoad || isLoaded || entry.behind) taking.stands(one.id);
      if (isLeftOut) part.leftOut += 1;
    }
  };

  return {
    async page({ records, before, isLast }, run, nowMs) {
      // Places count through the run: "record 501" is the first of the second page of 500.
      const { prepared, memory, rows } = snapshot.prepare(records, (index) => `record ${before + index + 1}`);
      await known.lookUp(idsOf(prepared));
      const doubts = doubtsOf(prepared, snapshot);
      for (const { id } of prepared) taking.given(id);
      const parts = cut(prepared, {
        // After the last page nobody cleans.
        memory: isLast ? [] : memory,
        isPostponed: places.place(prepared),
        add: (part, one) => {
          // It repeats a postponed record, which strikes the id off when it passes.
          if (one.outcome !== 'ready' && parents.has(one.id)) part.entries.push(entryOf(one));
          else add(part, one, run, nowMs);
        },
        leaveOut,
        sizes,
      });
      let indexes: Map<string, number> | undefined;
      const rowOf = (id: string) => {
        indexes ??= new Map(prepared.map((one, index) => [one.id, index]));
        return rows[indexes.get(id) ?? -1];
      };
      return { parts, doubts, rowOf };
    },
    hasPostponed: () => parents.size > 0,
    async openPlacing() {
      await known.lookUp([...parents].flat());
      const inPlace = places.ofPostponed();
      return (records, run, nowMs) => {
        const part = emptyPart();
        for (const one of records) add(part, inPlace(one), run, nowMs);
        return part;
      };
    },
    absent: () => [...known.vanished()],
    notGiven: taking.notGiven,
    loadedCount: known.loadedCount,
    ofSourceCount: known.ofSourceCount,
    deletionsSent,
    sentBefore,
  };
};

const entryOf = ({ id, outcome, reason }: LeftOut): LedgerEntry => ({ id, outcome, reason });

export const emptyPart = (): Part => ({
  entries: [],
  toLoad: [],
  toAdopt: [],
  known: 0,
  leftOut: 0,
  postponed: [],
  memory: [],
});

function* idsOf(records: Iterable<{ id: string; parentId?: string }>): Iterable<string> {
  for (const { id, parentId } of records) {
    yield id;
    if (parentId !== undefined) yield parentId;
  }
}

type Cutting = {
  memory: readonly string[];
  isPostponed(one: Prepared): one is Postponed;
  add(part: Part, one: Prepared): void;
  leaveOut(part: Part, one: LeftOut): void;
  sizes: PartSizes;
};

type PartSizes = Pick<FetchTuning, 'chunkRecords' | 'chunkTextBytes'>;

/** Cuts a page into parts: each record is added to one, or postponed with it. */
function* cut(prepared: readonly Prepared[], { memory, isPostponed, add, leaveOut, sizes }: Cutting): Iterable<Part> {
  const { chunkRecords, chunkTextBytes } = sizes;
  let part = emptyPart();
  let textBytes = 0;
  let from = 0;
  /** The part that ends before record `to`. Keys are spread over the parts as the records are: a chunk has its limit. */
  const endAt = (to: number): Part => ({ ...part, memory: shareOf(memory, from, to, prepared.length) });
  for (const [index, one] of prepared.entries()) {
    const late = isPostponed(one) ? postponedOf(one) : undefined;
    const isKept = late !== undefined && late.sizeBytes <= chunkTextBytes;
    const addedBytes = isKept ? late.sizeBytes : entryBytes(one);
    if (index > from && (index - from >= chunkRecords || textBytes + addedBytes > chunkTextBytes)) {
      yield endAt(index);
      part = emptyPart();
      textBytes = 0;
      from = index;
    }
    textBytes += addedBytes;
    if (late === undefined) add(part, one);
    else if (isKept) part.postponed.push(late);
    else leaveOut(part, tooLarge(late, chunkTextBytes));
  }
  if (from < prepared.length) yield endAt(prepared.length);
}

/** The texts that a record's ledger entry can hold. */
const entryBytes = (one: Prepared): number =>
  Buffer.byteLength(one.id) + Buffer.byteLength(one.outcome === 'ready' ? (one.parentId ?? '') : one.reason);

const postponedOf = (record: Postponed) => {
  const text = writePostponed(record);
  return { record, text, sizeBytes: Buffer.byteLength(text) };
};

const tooLarge = ({ record, sizeBytes }: ReturnType<typeof postponedOf>, maxBytes: number): LeftOut => ({
  outcome: 'invalid',
  id: record.id,
  reason: `too large to be kept until its parent is known: ${sizeBytes} bytes, ${maxBytes} at most`,
});

/** The share of `all` that goes with records `from`…`to` of `total`. */
const shareOf = (all: readonly string[], from: number, to: number, total: number): string[] =>
  all.slice(Math.floor((all.length * from) / total), Math.floor((all.length * to) / total));

/** Brings what is known to where earlier invocations have left it, and gives what the snapshot is resumed with. */
const recall = async (
  earlier: AsyncIterable<LedgerChunk>,
  { checkpoint }: Pick<UnfinishedRun, 'checkpoint'>,
  known: Known,
  taking: Taking,
  isTree: boolean,
) => {
  const parents = new Map<string, string>();
  const leftOut = new Set<string>();
  const left = new Set<string>();
  const deletionsSent = new Set<string>();
  const ready: string[] = [];
  const memory: string[] = [];
  const placed: string[] = [];
  for await (const { index, entries, postponed = [], deletions = [], memory: keys } of earlier) {
    const waiting = postponed.map(readPostponed);
    const skipped = entries.filter(({ parentId }) => parentId !== undefined);
    await known.lookUp(idsOf([...waiting, ...skipped]));
    for (const { id, parentId } of waiting) {
      taking.given(id);
      parents.set(id, parentId);
      known.waits(id, parentId);
      ready.push(id);
      if (index <= (checkpoint?.judged ?? 0)) placed.push(id);
    }
    for (const { id, outcome, parentId, behind } of entries) {
      if (parentId !== undefined) known.waits(id, parentId);
      taking.given(id);
      if (outcome === 'enqueued' || behind || known.isLoaded(id)) taking.stands(id);
      if (outcome !== 'filtered' && outcome !== 'invalid' && outcome !== 'merged') ready.push(id);
      else {
        left.add(id);
        if (isTree && known.isLoaded(id)) leftOut.add(id);
      }
      // A repeat of a postponed record does not strike its id off.
      if (!parents.has(id)) known.take(id);
    }
    for (const { id } of deletions) deletionsSent.add(id);
    for (const key of keys) memory.push(key);
  }
  for (const id of placed) known.take(id);
  return { parents, leftOut, left, deletionsSent, ready, memory };
};
