import { isDeepStrictEqual } from 'node:util';
import type { WindowPlan } from '../integration/compile/run-plan.ts';
import type { AdoptionAsked, RunRequest } from '../messages/run-request.ts';
import { isUnfinished, type RunRecord, runIdOf, type UnfinishedRun, type Window } from '../runs/record.ts';
import type { Lease } from '../runs/store.ts';
import { lasts, reachMs } from '../runtime/clock.ts';

/** What to do with a request for a run. */
export type Start =
  | { kind: 'start'; runId: string }
  | { kind: 'resume'; run: UnfinishedRun }
  /** This very run was started by another delivery of the same event. */
  | { kind: 'duplicate'; runId: string }
  /** Another run of this integration is under way. */
  | { kind: 'overlap'; runId: string; untilMs: number }
  /** A continuation of a run that is over. */
  | { kind: 'stale'; runId: string };

/**
 * Decides by the stored lease, the run that it names and, for a schedule, the run of that very time. A run older than
 * `resumeWithinMs` is not resumed. Pure.
 *
 * One run per integration at a time; a crashed run's lease passes, and the next request resumes it at its checkpoint
 * instead of starting another.
 */
export const decideStart = (
  request: RunRequest,
  lease: Lease | undefined,
  leased: RunRecord | undefined,
  asked: RunRecord | undefined,
  nowMs: number,
  resumeWithinMs: number,
): Start => {
  const runId = request.kind === 'continue' ? request.runId : runIdOf(request.integration, request.scheduledMs);
  if (asked !== undefined && !isUnfinished(asked)) {
    return request.kind === 'continue' ? { kind: 'stale', runId } : { kind: 'duplicate', runId };
  }
  if (lease !== undefined && lasts(lease.untilMs, nowMs, reachMs.invocation)) {
    return lease.runId === runId
      ? { kind: 'duplicate', runId }
      : { kind: 'overlap', runId: lease.runId, untilMs: lease.untilMs };
  }
  const isFresh = isUnfinished(leased) && nowMs - leased.startedMs < resumeWithinMs;
  if (request.kind === 'continue') {
    return isFresh && leased.runId === runId ? { kind: 'resume', run: leased } : { kind: 'stale', runId };
  }
  // What crashed may have sent records before its first checkpoint: they belong into the books of one run. A source that
  // failed before has given none, but what is to be taken over must not be sent instead.
  const isFailed = leased?.status === 'incomplete' && leased.checkpoint === undefined;
  const hasBegun = isFresh && (!isFailed || leased.adoption !== undefined);
  const isWorthResuming = hasBegun && isMeantBy(request, leased);
  return isWorthResuming ? { kind: 'resume', run: leased } : { kind: 'start', runId };
};

/**
 * Whether resuming a run does what was asked for. A full refresh must not end as the rest of an ordinary run, and no
 * run as the rest of one that takes on less. But a run that takes over is brought to its end first, whatever is asked
 * for: else what it has not come to would be sent.
 */
const isMeantBy = (
  { fullRefresh, selection, adoption }: Extract<RunRequest, { kind: 'schedule' }>,
  run: UnfinishedRun,
): boolean => {
  if (run.adoption !== undefined) return adoption === undefined || isOfAll(adoption, run.adoption);
  if (adoption !== undefined) return false;
  return (run.fullRefresh || !fullRefresh) && isDeepStrictEqual(run.selection, selection);
};

/** Two lists of ids may differ: then the later one is begun anew, which costs nothing that was taken over. */
const isOfAll = (...asked: readonly AdoptionAsked[]): boolean => asked.every(({ idChunks }) => idChunks === undefined);

/** Whether a watermark lies ahead of now by more than clocks differ. */
export const isAhead = (watermarkMs: number | undefined, nowMs: number): boolean =>
  watermarkMs !== undefined && watermarkMs > nowMs + reachMs.watermark;

/**
 * What a run asks an incremental list for: from where the last one that succeeded left off, less the overlap (rows that
 * appear late, and clocks that differ), up to now. A full refresh begins at the initial time again, and so does a run
 * whose watermark lies ahead: a clock was wrong, and nobody knows what was read. Pure.
 */
export const windowOf = (
  { initialMs, overlapMs }: WindowPlan,
  watermarkMs: number | undefined,
  fullRefresh: boolean,
  nowMs: number,
): Window => {
  const isKnown = watermarkMs !== undefined && !isAhead(watermarkMs, nowMs);
  const fromMs = isKnown && !fullRefresh ? Math.max(initialMs, watermarkMs - overlapMs) : initialMs;
  return { fromMs, toMs: Math.max(fromMs, nowMs) };
};
