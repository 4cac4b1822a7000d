import type { Ends } from './ends.ts';
import type { LedgerChunk } from './ledger.ts';
import type { TargetUse } from './limits.ts';
import type { Line } from './line.ts';
import type { RunRecord, RunRest } from './record.ts';

/** Who runs an integration now. */
export type Lease = { integration: string; runId: string; owner: string; untilMs: number };

/** Runs, their ledgers, leases and watermarks as a port (DynamoDB). Reads are strongly consistent. */
export interface RunStore {
  lease(integration: string): Promise<Lease | undefined>;
  /** Takes or renews the lease if the stored one is still `previous` (absent: none stored). */
  takeLease(lease: Lease, previous: Lease | undefined): Promise<'taken' | 'conflict'>;
  /** Ends the lease at `nowMs` if it is still this owner's. The last run stays on record. */
  endLease(lease: Lease, nowMs: number): Promise<void>;

  run(integration: string, runId: string): Promise<RunRecord | undefined>;
  /** In descending order of run ids, which begin with their scheduled time: newest first. */
  runs(integration: string, limit: number): Promise<RunRecord[]>;
  /**
   * Replaces the run's record, but for `requests.target` and `limits.target`, which only `addTargetUse` moves, and
   * `rests`, which only `noteRest` adds to.
   */
  saveRun(run: RunRecord): Promise<void>;
  /** Adds to what the run used of the target, in one write. Unknown runs are ignored. */
  addTargetUse(integration: string, runId: string, use: TargetUse): Promise<void>;
  /** Notes a rest that holds the run's records up, or its end. Unknown runs are ignored. */
  noteRest(integration: string, runId: string, rest: RunRest): Promise<void>;

  /** Throws `ChunkTooLargeError` where the store cannot hold the chunk. */
  saveChunk(integration: string, chunk: LedgerChunk): Promise<void>;
  /** The run's chunks `from`…`upTo` in order, from the first one where nothing is said; throws `MissingChunkError` at a gap. */
  chunks(integration: string, runId: string, upTo: number, from?: number): AsyncIterable<LedgerChunk>;
  /** What of an integration waits to be sent; undefined: nothing ever did. */
  line(integration: string): Promise<Line | undefined>;
  /** Replaces the item, if the stored one has the revision before `line.rev` (0: none is stored). */
  saveLine(integration: string, line: Line): Promise<'saved' | 'conflict'>;
  /**
   * Keeps a run that is still open, with its ledger, for as long again as runs are kept: one may load for longer than
   * that. `ledgers`: how many chunks there are, by the name they stand under. To be called now and then; writes only where
   * its time is half over.
   */
  keepOpen(
    run: Pick<RunRecord, 'integration' | 'runId' | 'startedMs'>,
    ledgers: Readonly<Record<string, number>>,
    nowMs: number,
  ): Promise<void>;

  /**
   * Up to where an incremental list is loaded, in the source's time, ms since the epoch; undefined: nothing was yet.
   * `name`: `watermarkName`.
   */
  watermark(name: string): Promise<number | undefined>;
  /** Moves back only from where it lies days ahead: a clock was wrong when it was set. */
  moveWatermark(name: string, untilMs: number): Promise<void>;

  /** Whose state is kept of the integration; undefined: nobody has said yet. */
  ends(integration: string): Promise<Ends | undefined>;
  /** Replaces the item, if the stored one has the revision before `ends.rev` (0: none is stored). */
  saveEnds(integration: string, ends: Ends): Promise<'saved' | 'conflict'>;
}

export const sameLease = (a: Lease, b: Lease): boolean =>
  a.integration === b.integration && a.runId === b.runId && a.owner === b.owner && a.untilMs === b.untilMs;

/** The ledger lacks a chunk that the checkpoint counts: the books of this run cannot be drawn up. */
export class MissingChunkError extends Error {
  override readonly name = 'MissingChunkError';
  readonly code = 'missing-chunk';

  constructor(runId: string, index: number) {
    super(`chunk ${index} of run ${runId} is missing`);
  }
}

/** A chunk is larger than one item of the store may be: the page must be cut into smaller chunks. */
export class ChunkTooLargeError extends Error {
  override readonly name = 'ChunkTooLargeError';
  readonly code = 'chunk-too-large';

  constructor(runId: string, index: number, sizeBytes: number, maxBytes: number) {
    super(`chunk ${index} of run ${runId} has ${sizeBytes} bytes, more than ${maxBytes}`);
  }
}
