import type { RequestContext } from '../integration/dialect/variables.ts';
import type { JsonValue } from '../json/json.ts';
import type { LimitHits } from '../runs/limits.ts';
import type { RunWarning } from '../runs/record.ts';

/** Where a page starts, as its paginator wrote it: small, flat, fit for a checkpoint. */
export type PageState = Record<string, string | number | boolean>;

/**
 * What one attempt to read a page came to. `requests` counts HTTP requests, token requests included; `limits` says how
 * the rate limit and pauses held them up (absent: not at all).
 */
export type PageResult = {
  requests: number;
  warnings: RunWarning[];
  limits?: LimitHits;
  /** The page carried a cursor or a link to the next one. */
  hasLink?: true;
} & (
  | {
      kind: 'page';
      /** As the source sent them, before cleaning. */
      records: JsonValue[];
      /** Where the next page starts; absent: this was the last one, the snapshot is complete. */
      next?: PageState;
    }
  /** The rate limit or a pause allows no request before the deadline: ask again then. */
  | { kind: 'later'; retryAtMs: number }
  /**
   * The page fails for good (in this invocation): the run is incomplete and resumes here. `startsOver`: it begins at the
   * first page, since the pages read so far do not fit together, or the source refuses this one after others: the list has
   * become shorter, and to resume here would fail again.
   */
  | { kind: 'failed'; code: string; message: string; startsOver?: true }
);

/** What a reading depends on beside the file; the same for all pages of a run. */
export type ReadContext = RequestContext & {
  /** A page of an earlier run carried a cursor or a link: where it stands is known to be right. */
  hasLinked?: boolean;
};

/** A list in the source system, page by page. */
export interface Source {
  /**
   * Reads the page at `at` (absent: the first). Waits for permits and retries transient failures until `deadlineMs`.
   * `context` is the same for all pages of a run.
   */
  readPage(at: PageState | undefined, deadlineMs: number, context: ReadContext): Promise<PageResult>;
}
