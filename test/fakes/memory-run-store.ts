import type { Ends } from '../../lib/runs/ends.ts';
import type { LedgerChunk } from '../../lib/runs/ledger.ts';
import { addHits, isHit, type LimitHits, noHits } from '../../lib/runs/limits.ts';
import type { Line } from '../../lib/runs/line.ts';
import { MAX_RESTS, type RunRecord } from '../../lib/runs/record.ts';
import { type Lease, MissingChunkError, type RunStore, sameLease } from '../../lib/runs/store.ts';
import { reachMs } from '../../lib/runtime/clock.ts';
import { defined } from '../../lib/runtime/defined.ts';

const limitsOf = (source: LimitHits = noHits(), target: LimitHits = noHits()): Pick<RunRecord, 'limits'> =>
  isHit(source) || isHit(target) ? { limits: { source, target } } : {};

/** Runs, ledgers and leases in memory. */
export const memoryRunStore = (): RunStore => {
  const leases = new Map<string, Lease>();
  const runs = new Map<string, RunRecord>();
  const chunks = new Map<string, LedgerChunk>();
  const watermarks = new Map<string, number>();
  const ends = new Map<string, Ends>();
  const lines = new Map<string, Line>();
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
      const stored = runs.get(key(run.integration, run.runId));
      const { limits, rests: _, ...rest } = run;
      runs.set(
        key(run.integration, run.runId),
        structuredClone({
          ...rest,
          requests: { source: run.requests.source, target: stored?.requests.target ?? 0 },
          ...limitsOf(limits?.source, stored?.limits?.target),
          ...defined({ rests: stored?.rests }),
        }),
      );
    },
    addTargetUse: async (integration, runId, { requests, ...hits }) => {
      const run = runs.get(key(integration, runId));
      if (!run) return;
      run.requests.target += requests;
      Object.assign(run, limitsOf(run.limits?.source, addHits(run.limits?.target ?? noHits(), hits)));
    },
    noteRest: async (integration, runId, rest) => {
      const run = runs.get(key(integration, runId));
      if (!run) return;
      const { rests = [] } = run;
      const known = rests.find(({ cause, sinceMs }) => cause === rest.cause && sinceMs === rest.sinceMs);
      if (known === undefined && rests.length < MAX_RESTS)
        run.rests = [...rests, { ...rest }].sort((a, b) => a.sinceMs - b.sinceMs);
      else if (known !== undefined && rest.endedMs !== undefined) Object.assign(known, rest);
    },
    // Here nothing leaves by its age.
    keepOpen: async () => {},
    ends: async (integration) => structuredClone(ends.get(integration)),
    saveEnds: async (integration, next) => {
      if ((ends.get(integration)?.rev ?? 0) !== next.rev - 1) return 'conflict';
      ends.set(integration, structuredClone(next));
      return 'saved';
    },
    line: async (integration) => structuredClone(lines.get(integration)),
    saveLine: async (integration, next) => {
      if ((lines.get(integration)?.rev ?? 0) !== next.rev - 1) return 'conflict';
      lines.set(integration, structuredClone(next));
      return 'saved';
    },
    watermark: async (integration) => watermarks.get(integration),
    moveWatermark: async (integration, untilMs) => {
      const before = watermarks.get(integration) ?? 0;
      const isWrong = before > untilMs + reachMs.lateRun;
      watermarks.set(integration, isWrong ? untilMs : Math.max(untilMs, before));
    },
    saveChunk: async (integration, chunk) => {
      chunks.set(key(integration, chunk.runId, chunk.index), structuredClone(chunk));
    },
    async *chunks(integration, runId, upTo, from = 1) {
      for (let index = from; index <= upTo; index++) {
        const chunk = chunks.get(key(integration, runId, index));
        if (!chunk) throw new MissingChunkError(runId, index);
        yield structuredClone(chunk);
      }
    },
  };
};
