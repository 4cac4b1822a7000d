import type { LedgerChunk } from '../../lib/run/ledger.ts';
import type { RunRecord } from '../../lib/run/record.ts';
import { type Lease, MissingChunkError, type RunStore, sameLease, type Watermarks } from '../../lib/run/store.ts';

/** Runs, ledgers and leases in memory. */
export const memoryRunStore = (): RunStore & Watermarks => {
  const leases = new Map<string, Lease>();
  const runs = new Map<string, RunRecord>();
  const chunks = new Map<string, LedgerChunk>();
  const watermarks = new Map<string, number>();
  const key = (...parts: (string | number)[]) => JSON.stringify(parts);
  return {
    lease: async (integration) => structuredClone(leases.get(integration)),
    takeLease: async (lease, previous) => {
      const stored = leases.get(lease.integration);
      const asRead = stored && previous ? sameLease(stored, previous) : stored === previous;
      if (!asRead) return 'conflict';
      leases.set(lease.integration, structuredClone(lease));
      return 'taken';
    },
    endLease: async (lease, nowMs) => {
      const stored = leases.get(lease.integration);
      if (stored?.owner === lease.owner) leases.set(lease.integration, { ...stored, untilMs: nowMs });
    },
    run: async (integration, runId) => structuredClone(runs.get(key(integration, runId))),
    runs: async (integration, limit) =>
      structuredClone(
        [...runs.values()]
          .filter((run) => run.integration === integration)
          .sort((a, b) => (a.runId < b.runId ? 1 : -1))
          .slice(0, limit),
      ),
    saveRun: async (run) => {
      const target = runs.get(key(run.integration, run.runId))?.requests.target ?? 0;
      runs.set(
        key(run.integration, run.runId),
        structuredClone({ ...run, requests: { source: run.requests.source, target } }),
      );
    },
    countTargetRequests: async (integration, runId, requests) => {
      const run = runs.get(key(integration, runId));
      if (run) run.requests.target += requests;
    },
    watermark: async (integration) => watermarks.get(integration),
    moveWatermark: async (integration, untilMs) => {
      watermarks.set(integration, Math.max(untilMs, watermarks.get(integration) ?? 0));
    },
    saveChunk: async (integration, chunk) => {
      chunks.set(key(integration, chunk.runId, chunk.index), structuredClone(chunk));
    },
    async *chunks(integration, runId, upTo) {
      for (let index = 1; index <= upTo; index++) {
        const chunk = chunks.get(key(integration, runId, index));
        if (!chunk) throw new MissingChunkError(runId, index);
        yield structuredClone(chunk);
      }
    },
  };
};
