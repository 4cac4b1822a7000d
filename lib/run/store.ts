import type { LedgerChunk } from './ledger.ts';
import type { RunRecord } from './record.ts';

/** Who runs an integration now. */
export type Lease = { integration: string; runId: string; owner: string; untilMs: number };

/** Runs, their ledgers and leases as a port (DynamoDB). Reads are strongly consistent. */
export interface RunStore {
  lease(integration: string): Promise<Lease | undefined>;
  /** Takes or renews the lease if the stored one is still `previous` (absent: none stored). */
  takeLease(lease: Lease, previous: Lease | undefined): Promise<'taken' | 'conflict'>;
  /** Ends the lease at `nowMs` if it is still this owner's. The last run stays on record. */
  endLease(lease: Lease, nowMs: number): Promise<void>;

  run(integration: string, runId: string): Promise<RunRecord | undefined>;
  /** Newest first. */
  runs(integration: string, limit: number): Promise<RunRecord[]>;
  /** Replaces the run's record, but for `requests.target`, which only `countTargetRequests` moves. */
  saveRun(run: RunRecord): Promise<void>;
  /** Adds to the run's number of requests to the target. Unknown runs are ignored. */
  countTargetRequests(integration: string, runId: string, requests: number): Promise<void>;

  saveChunk(integration: string, chunk: LedgerChunk): Promise<void>;
  /** The run's chunks 1…`upTo` in order. */
  chunks(integration: string, runId: string, upTo: number): AsyncIterable<LedgerChunk>;
}
