import type { WindowSetting } from '../integration/schema/schema.ts';
import type { RunRequest } from '../messages/run-request.ts';
import { noExtractCounts, noLoadCounts } from '../runs/books.ts';
import { isUnfinished, type RunRecord, runIdOf, type UnfinishedRun, type Window } from '../runs/record.ts';
import type { Lease } from '../runs/store.ts';
import type { RemainingMs } from '../runtime/clock.ts';
import type { FetchDeps, FetchPlan } from './fetch-plan.ts';

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

/** A crashed or incomplete run older than this is not resumed: its first pages would be too old. */
export const RESUME_WITHIN_MS = 6 * 3_600_000;

/**
 * Decides by the stored lease, the run that it names and, for a schedule, the run of that very time. Pure.
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
): Start => {
  const runId = request.kind === 'continue' ? request.runId : runIdOf(request.integration, request.scheduledMs);
  if (asked !== undefined && !isUnfinished(asked)) {
    return request.kind === 'continue' ? { kind: 'stale', runId } : { kind: 'duplicate', runId };
  }
  if (lease !== undefined && lease.untilMs > nowMs) {
    return lease.runId === runId
      ? { kind: 'duplicate', runId }
      : { kind: 'overlap', runId: lease.runId, untilMs: lease.untilMs };
  }
  const isFresh = isUnfinished(leased) && nowMs - leased.startedMs < RESUME_WITHIN_MS;
  if (request.kind === 'continue') {
    return isFresh && leased.runId === runId ? { kind: 'resume', run: leased } : { kind: 'stale', runId };
  }
  // Without a checkpoint nothing is gained by resuming. A full refresh must not end as the rest of an ordinary run.
  const isWorthResuming = isFresh && leased.checkpoint !== undefined && (leased.fullRefresh || !request.fullRefresh);
  return isWorthResuming ? { kind: 'resume', run: leased } : { kind: 'start', runId };
};

/** The lease outlives the invocation by this, ms: Lambda ends the invocation, not we. */
const LEASE_MARGIN_MS = 5_000;

/** A run to be worked on under its lease, and the one that it takes over from. */
export type Started = {
  run: UnfinishedRun;
  lease: Lease;
  abandoned: UnfinishedRun | undefined;
  /** This run, or the last one of the integration where that has failed: then it is known that the source fails. */
  before: Pick<RunRecord, 'status'>;
};
export type NotStarted = { runId: string; end: 'duplicate' | 'overlap' | 'stale'; leaseUntilMs?: number };

/** Takes the integration's lease for this request and says with which run to go on. Writes nothing but the lease. */
export const startRun = async (
  request: RunRequest,
  plan: FetchPlan,
  { runs, watermarks, clock, random, log }: FetchDeps,
  remainingMs: RemainingMs,
): Promise<Started | NotStarted> => {
  const { integration } = plan;
  const nowMs = clock.nowMs();
  // Both at once: an invocation that stands still between them would hold a lease that ends before itself.
  const untilMs = nowMs + remainingMs() + LEASE_MARGIN_MS;
  const askedId = request.kind === 'continue' ? request.runId : runIdOf(integration, request.scheduledMs);
  const previous = await runs.lease(integration);
  const [leased, asked, watermarkMs] = await Promise.all([
    previous && runs.run(integration, previous.runId),
    runs.run(integration, askedId),
    plan.window && watermarks?.watermark(integration),
  ]);
  const start = decideStart(request, previous, leased, asked, nowMs);
  if (start.kind !== 'start' && start.kind !== 'resume') {
    const { kind: end, runId } = start;
    log.info('run-not-started', { integration, runId, why: end });
    return { runId, end, ...(start.kind === 'overlap' ? { leaseUntilMs: start.untilMs } : {}) };
  }
  const runId = start.kind === 'resume' ? start.run.runId : start.runId;
  const lease: Lease = { integration, runId, owner: random.token(), untilMs };
  if ((await runs.takeLease(lease, previous)) === 'conflict') {
    log.info('run-not-started', { integration, runId, why: 'lease lost' });
    return { runId, end: 'overlap' };
  }
  // Clocks of two machines differ: a later run's version must still be the newer one.
  const versionMs = Math.max(nowMs, (leased?.versionMs ?? 0) + 1);
  const scheduledMs = request.kind === 'schedule' ? request.scheduledMs : nowMs;
  const fullRefresh = request.kind === 'schedule' && request.fullRefresh;
  const run: UnfinishedRun =
    start.kind === 'resume'
      ? resumed(start.run, versionMs)
      : newRun(plan, { runId, scheduledMs, startedMs: nowMs, versionMs, fullRefresh }, watermarkMs);
  const message = 'its invocation ended early; a later run took over';
  const abandoned: UnfinishedRun | undefined =
    leased?.status === 'extracting' && leased.runId !== runId
      ? { ...leased, status: 'incomplete', failure: { code: 'abandoned', message } }
      : undefined;
  log.info(start.kind === 'resume' ? 'run-resumed' : 'run-started', { integration, runId });
  return { run, lease, abandoned, before: leased?.status === 'incomplete' ? leased : run };
};

/** A run at its beginning. `watermarkMs`: up to where a list of changes was loaded. Pure. */
export const newRun = (
  { integration, window }: FetchPlan,
  facts: Pick<RunRecord, 'runId' | 'scheduledMs' | 'startedMs' | 'versionMs' | 'fullRefresh'>,
  watermarkMs: number | undefined,
): UnfinishedRun => ({
  integration,
  ...facts,
  status: 'extracting',
  counts: { ...noExtractCounts(), ...noLoadCounts() },
  requests: { source: 0, target: 0 },
  vanished: 0,
  vanishedSample: [],
  warnings: [],
  ...(window && { window: windowOf(window, watermarkMs, facts.fullRefresh, facts.startedMs) }),
});

const resumed = ({ failure: _, ...run }: UnfinishedRun, versionMs: number): UnfinishedRun => ({
  ...run,
  status: 'extracting',
  versionMs,
});

const MINUTE_MS = 60_000;
const BEIJING_OFFSET_MS = 8 * 60 * MINUTE_MS;

/** A Beijing local time (`YYYY-MM-DD` or with ` HH:MM:SS`) in ms since the epoch; the schema has checked its form. */
const beijingMs = (text: string): number =>
  Date.parse(`${text.slice(0, 10)}T${text.slice(11) || '00:00:00'}Z`) - BEIJING_OFFSET_MS;

/**
 * What a run asks an incremental list for: from where the last one that succeeded left off, less the overlap (rows
 * that appear late, and clocks that differ), up to now. A full refresh begins at the beginning again. Pure.
 */
export const windowOf = (
  { overlapMinutes, initial }: WindowSetting,
  watermarkMs: number | undefined,
  fullRefresh: boolean,
  nowMs: number,
): Window => {
  const initialMs = beijingMs(initial);
  const fromMs =
    watermarkMs === undefined || fullRefresh
      ? initialMs
      : Math.max(initialMs, watermarkMs - overlapMinutes * MINUTE_MS);
  return { fromMs, toMs: Math.max(fromMs, nowMs) };
};
