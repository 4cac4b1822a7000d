import type { JsonObject } from '../json/json.ts';

/** One record on its way from fetch to load: the body of a message on the records queue. */
export type RecordMessage = {
  v: 1;
  integration: string;
  /** The run that sent it. */
  runId: string;
  /** The source's id, as a string. */
  id: string;
  /** Business code, for people. */
  number?: string;
  /** Hash of the mapped content (`lib/transform/hash.ts`). */
  hash: string;
  /** Start of the snapshot it came from, ms since the epoch: the newer version wins. */
  versionMs: number;
  /** The mapped body that the target gets. */
  body: JsonObject;
  /** Real failures so far. Waiting is not failing and does not count. */
  attempts: number;
  /** When it was first sent, ms since the epoch. */
  firstSentMs: number;
  /** The last real failure, kept for the dead letter. */
  lastFailure?: Failure;
  /** A full refresh: sent although idCheck knows this content. */
  refresh?: true;
  /** An operator replayed it on purpose at this time, ms since the epoch. */
  replayedMs?: number;
};

/** Why a POST did not load its record, in the target's words. */
export type Failure = {
  /** A short closed word, e.g. `status`, `business-error`, `timeout`, `refused`. */
  cause: string;
  status?: number;
  /** The beginning of the target's answer. */
  excerpt?: string;
  atMs: number;
};
