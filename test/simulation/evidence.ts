import type { LedgerChunk } from '../../lib/runs/ledger.ts';
import type { RunRecord } from '../../lib/runs/record.ts';
import type { Posted, Truth } from './target-server.ts';

/** How a worker wrote down that a POST ended. */
export type Settled = 'loaded' | 'released' | 'rejected' | 'exhausted' | 'uncertain' | 'parked';

/** One record in one POST, and all that became of it. */
export type Post = Posted & {
  worker: string;
  key: string;
  /** Of the claim that it was sent under. */
  versionMs: number;
  sinceMs: number;
  sentMs: number;
  /** For so long the request may be under way. */
  untilMs: number;
  /** What its worker heard. */
  truth?: Truth;
  settled?: Settled;
  appliedMs?: number;
};

/** What the audit remembers of a world, beside what the world holds. */
export type Evidence = {
  /** By id, in the order they were sent. */
  posts: Map<string, Post[]>;
  /** Owner token of a claim or a lease → the worker that asked for it. */
  owners: Map<string, string>;
  /** When idCheck last spoke of an unknown outcome, by id: a claim whose owner vanished counts, sent or not. */
  doubtedMs: Map<string, number>;
  lastWriteMs: number;
  /** `run id hash` of what the records queue took. */
  accepted: Set<string>;
  /** The same of what the queue itself took; `accepted` holds what waits in a ledger, too. */
  queued: Set<string>;
  /** Record → the run that last sent it or left it in its ledger, with which content and when. */
  fetched: Map<string, { runId: string; hash: string; atMs: number }>;
  /** `id hash` → the parents that the record was to wait for, of what the records queue took; '' for none. */
  parents: Map<string, Set<string>>;
  /** `id hash` of what the dead-letter queue took. */
  letters: Set<string>;
  /** When a replay of an id reached the records queue. */
  replayedMs: Map<string, number[]>;
  /** Ids whose letters a person closed without sending them again, or whose messages were purged. */
  closed: Set<string>;
  /** Worker → ids that it replayed. */
  replayedBy: Map<string, Set<string>>;
  /** Versions of full refreshes. */
  refreshVersionsMs: Set<number>;
  chunks: Map<string, LedgerChunk>;
  runs: Map<string, RunRecord>;
  /** Run → how many records it may send. */
  limits: Map<string, number>;
  /** When each run was first saved, by the world's time, ms. */
  beganMs: Map<string, number>;
  /** When each run last began at the first page: the pages of an earlier try may not fit together. */
  readFromMs: Map<string, number>;
  /** Where clocks are wrong: ids and runs that two worked on at once, since a claim or a lease seemed to be over. */
  raced: Set<string>;
};

export const noEvidence = (): Evidence => ({
  posts: new Map(),
  owners: new Map(),
  doubtedMs: new Map(),
  lastWriteMs: 0,
  accepted: new Set(),
  queued: new Set(),
  fetched: new Map(),
  parents: new Map(),
  letters: new Set(),
  replayedMs: new Map(),
  closed: new Set(),
  replayedBy: new Map(),
  refreshVersionsMs: new Set(),
  chunks: new Map(),
  runs: new Map(),
  limits: new Map(),
  beganMs: new Map(),
  readFromMs: new Map(),
  raced: new Set(),
});

/** Its outcome is not known, whatever is known elsewhere. */
export const isUnsafe = ({ settled }: Post): boolean =>
  settled === undefined || settled === 'uncertain' || settled === 'parked';

/** Adds to a list under a key. */
export const addTo = <Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void => {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
};
