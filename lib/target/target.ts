import type { RateLimit } from '../connection/limit/rate-limit.ts';
import type { JsonObject } from '../json/json.ts';
import type { Outcome } from './outcome.ts';

/** One record as a request carries it. */
export type PostRecord = {
  id: string;
  body: JsonObject;
  idempotencyKey: string;
  /** The target is told that the record is gone; alone in its request. */
  deletes?: true;
};

/** The system that records are loaded into, as a port. */
export interface Target {
  /** Name of its connection: rate limit and pauses are shared under it. */
  connection: string;
  limit: RateLimit | undefined;
  /** Records in one request at most. */
  rows: number;
  /** Requests at a time in one worker. */
  concurrency: number;
  /** How long one `post` may take in all, ms: a renewed token and the repeated call included. */
  longestPostMs: number;
  /**
   * POSTs the records in one request and says how it ended for each, in order. `requests` counts HTTP requests, token
   * requests included. Throws only where nothing was applied: for faults of configuration, for a secret or a
   * token store that cannot be read.
   */
  post(records: readonly PostRecord[]): Promise<{ outcomes: Outcome[]; requests: number }>;
}
