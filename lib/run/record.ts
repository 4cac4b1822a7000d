/** How extraction counted one run's records. Every fetched record is in exactly one of the others. */
export type ExtractCounts = {
  fetched: number;
  filtered: number;
  invalid: number;
  merged: number;
  unchanged: number;
  skipped: number;
  enqueued: number;
};

/** What became of the enqueued records, by the evidence of idCheck. */
export type LoadCounts = { loaded: number; superseded: number; rejected: number; uncertain: number; open: number };

/**
 * - `extracting`: pages are being read; a crashed one is resumed at its checkpoint.
 * - `incomplete`: the source failed for good; the next invocation resumes at the checkpoint.
 * - `loading`: everything is enqueued; records are being loaded.
 * - `balanced`: closed; both sums of the books hold and nothing is open.
 * - `unbalanced`: the books do not hold, or records are still open after the deadline.
 */
export type RunStatus = 'extracting' | 'incomplete' | 'loading' | 'balanced' | 'unbalanced';

export type RunRecord = {
  runId: string;
  integration: string;
  status: RunStatus;
  scheduledMs: number;
  startedMs: number;
  /** The version that its messages carry (a resumed run's newer ones); never below an earlier run's. */
  versionMs: number;
  fullRefresh: boolean;
  /** Where the next page starts; absent before the first page and after the last. */
  checkpoint?: Checkpoint;
  extractedMs?: number;
  /** Ledger chunks in all, once extracted. */
  chunks?: number;
  closedMs?: number;
  counts: ExtractCounts & LoadCounts;
  requests: { source: number; target: number };
  /** Ids loaded before and absent from this complete snapshot. */
  vanished: number;
  vanishedSample: string[];
  /** Events worth an operator's eye: token renewed, page repeated, total changed. Code → how often and the last words. */
  warnings: RunWarning[];
  /** Why the run could not finish. */
  failure?: { code: string; message: string };
};

export type RunWarning = { code: string; count: number; message: string };

export type Checkpoint = {
  /** Opaque to all but the paginator that wrote it. */
  page: Record<string, string | number | boolean>;
  /** Ledger chunks written so far. */
  chunks: number;
  /** Records fetched so far, before cleaning. */
  fetched: number;
};
