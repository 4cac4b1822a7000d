/** The outcomes of extraction, one per fetched record. */
export const extractOutcomes = [
  'filtered',
  'invalid',
  'merged',
  'unchanged',
  'skipped',
  'waiting',
  'enqueued',
] as const;
export type ExtractOutcome = (typeof extractOutcomes)[number];

/** One fetched record in the run's ledger. */
export type LedgerEntry = {
  /** The source's id; for a record without one, its place: `page 2, record 17`. */
  id: string;
  outcome: ExtractOutcome;
  /** Why it was not enqueued, in a few words; for `filtered`, `invalid`, `merged` and `skipped`. */
  reason?: string;
  /** Hash of the mapped content; for `enqueued`, `skipped`, and `waiting` behind another entry. */
  hash?: string;
  /** For `waiting`: the earlier entry under the same hash that it waits for; absent: it was left out on purpose. */
  behind?: Behind;
  /** For `skipped`: the parent because of which it was skipped; a resumed run needs it. */
  parentId?: string;
};

/** An entry of an earlier run: which run's, and the version that its message carries. */
export type Behind = { runId: string; versionMs: number };

/** A part of a run's ledger: the records of one page, or of a part of a large page. */
export type LedgerChunk = {
  runId: string;
  /** 1, 2, 3, … without gaps. A page that is read again replaces its chunks. */
  index: number;
  /** The version that this chunk's messages carry. */
  versionMs: number;
  /** When its messages were sent, ms since the epoch; absent in chunks of earlier commits and where none was. */
  sentMs?: number;
  /** The last of the chunks in which messages of it wait to be sent (`unsentOf`); absent: none does. */
  unsent?: number;
  entries: LedgerEntry[];
  /** Records whose place in the tree is not known yet; a later chunk has their entries. Opaque but to `postponed.ts`. */
  postponed?: string[];
  /** Deletions sent for ids that vanished; they are no fetched records and have no entries. */
  deletions?: { id: string; hash: string }[];
  /** What the cleaning must remember of this page when the run is resumed: opaque keys (`lib/transform`). */
  memory: string[];
};
