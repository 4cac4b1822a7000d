import { askedAnew } from '../connection/limit/rest.ts';
import type { AdoptionAsked, RunRequest, Selection } from '../messages/run-request.ts';
import { noExtractCounts, noLoadCounts } from '../runs/books.ts';
import { watermarkName } from '../runs/ends.ts';
import {
  addWarnings,
  hasFailed,
  type RunFailure,
  type RunRecord,
  type RunWarning,
  runIdOf,
  type UnfinishedRun,
} from '../runs/record.ts';
import type { Lease } from '../runs/store.ts';
import type { RemainingMs } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import { decideStart, isAhead, windowOf } from './decide-start.ts';
import { mappingLeftBy } from './earlier-reading.ts';
import type { FetchDeps, FetchPlan } from './fetch-plan.ts';
import { failureOfTarget, isOfThisState, meetEnds, type StateFacts, stateFacts, stateWarnings } from './whose-state.ts';

/** A run to be worked on under its lease, and the one that it takes over from. */
type Started = {
  run: UnfinishedRun;
  lease: Lease;
  abandoned: UnfinishedRun | undefined;
  /** This run, or the last one of the integration where that has failed: then it is known that the source fails. */
  before: Pick<RunRecord, 'status'>;
  /** Nothing may be read or sent: the target is another than the one that the state belongs to. */
  refused?: { code: RunFailure; message: string };
};
type NotStarted = { runId: string; end: 'duplicate' | 'overlap' | 'stale' | 'paused'; leaseUntilMs?: number };

/** Takes the integration's lease for this request, and says which run to work on. Writes nothing but the lease. */
export const startRun = async (
  request: RunRequest,
  plan: FetchPlan,
  { runs, clock, random, log, tuning }: FetchDeps,
  remainingMs: RemainingMs,
): Promise<Started | NotStarted> => {
  const { integration } = plan;
  const { leaseMarginMs, resumeWithinMs } = tuning.fetch;
  const nowMs = clock.nowMs();
  // Both at once: an invocation that stands still between them would hold a lease that ends before itself.
  const untilMs = nowMs + remainingMs() + leaseMarginMs;
  const askedId = request.kind === 'continue' ? request.runId : runIdOf(integration, request.scheduledMs);
  const own = await plan.ends();
  const [previous, { ends, before }] = await Promise.all([runs.lease(integration), meetEnds(integration, own, runs)]);
  if (request.kind === 'schedule' && request.bySchedule && ends.pausedSinceMs !== undefined) {
    log.info('run-not-started', { integration, runId: askedId, why: 'paused' });
    return { runId: askedId, end: 'paused' };
  }
  const state = stateFacts(ends, own);
  const refused = failureOfTarget(integration, ends, own);
  const [leased, asked, watermarkMs] = await Promise.all([
    previous && runs.run(integration, previous.runId),
    runs.run(integration, askedId),
    plan.window && runs.watermark(watermarkName({ integration, ...state })),
  ]);
  // A run that has sent records under one mapping is not resumed under another, nor with another state or source. Where
  // the target has moved, a schedule's request says so by a run of its own; a continuation ends its run, and a takeover
  // stays unfinished.
  const isResumable =
    leased !== undefined &&
    (leased.mapping === undefined || leased.mapping === plan.mapping) &&
    isOfThisState(leased, ends, own) &&
    (refused === undefined || request.kind === 'continue' || leased.adoption !== undefined);
  const start = decideStart(request, previous, isResumable ? leased : undefined, asked, nowMs, resumeWithinMs);
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
  const takes = request.kind === 'schedule' ? request : {};
  const run: UnfinishedRun =
    start.kind === 'resume'
      ? resumed(start.run, versionMs, state, (facts) => newRun(plan, facts, watermarkMs, leased, start.run))
      : newRun(
          plan,
          { runId, scheduledMs, startedMs: nowMs, versionMs, fullRefresh, ...state },
          watermarkMs,
          leased,
          takes,
        );
  run.warnings = withStateWarnings(run.warnings, stateWarnings(integration, before, ends, own, leased !== undefined));
  if (request.kind === 'schedule' && request.confirmed === true) run.confirmed = true;
  // A run that begins anew takes the place of the record of its first try.
  const mappingBefore = start.kind === 'start' && asked !== undefined ? mappingLeftBy(asked) : undefined;
  if (mappingBefore !== undefined) run.mappingBefore = mappingBefore;
  const message = 'its invocation ended early; a later run took over';
  const abandoned: UnfinishedRun | undefined =
    leased?.status === 'extracting' && leased.runId !== runId
      ? { ...leased, status: 'incomplete', failure: { code: 'abandoned', message } }
      : undefined;
  log.info(start.kind === 'resume' ? 'run-resumed' : 'run-started', { integration, runId });
  return {
    run,
    lease,
    abandoned,
    before: leased?.status === 'incomplete' || (leased && hasFailed(leased)) ? leased : run,
    ...defined({ refused }),
  };
};

/** Which run it is, and of when. */
type RunTimes = Pick<RunRecord, 'runId' | 'scheduledMs' | 'startedMs' | 'versionMs' | 'fullRefresh'>;

const watermarkAhead = {
  code: 'watermark-ahead',
  count: 1,
  message: 'a clock was wrong: the last reading ended later than now. The whole list is read again',
};

/** A run at its beginning. `watermarkMs`: up to where a list of changes was loaded; `last`: the run before it. Pure. */
export const newRun = (
  { integration, window, invalidRows, mapping }: FetchPlan,
  { runId, scheduledMs, startedMs, versionMs, fullRefresh, ...of }: RunTimes & StateFacts,
  watermarkMs: number | undefined,
  last: Pick<RunRecord, 'hasLinked'> | undefined,
  { selection, adoption }: { selection?: Selection; adoption?: AdoptionAsked } = {},
): UnfinishedRun => ({
  integration,
  runId,
  scheduledMs,
  startedMs,
  versionMs,
  fullRefresh,
  status: 'extracting',
  counts: { ...noExtractCounts(), ...noLoadCounts() },
  requests: { source: 0, target: 0 },
  vanished: 0,
  vanishedSample: [],
  warnings: window && isAhead(watermarkMs, startedMs) ? [watermarkAhead] : [],
  mapping,
  ...defined({
    generation: of.generation,
    ends: of.ends,
    sourceSinceMs: of.sourceSinceMs,
    sourceMoved: of.sourceMoved,
  }),
  ...(invalidRows.isTolerant && { toleratesInvalid: true }),
  ...defined({ hasLinked: last?.hasLinked }),
  ...defined({ selection }),
  ...(adoption && { adoption: { ...adoption, adopted: 0, known: 0 } }),
  // What was filled for years began before any watermark.
  ...(window && {
    window: windowOf(window, watermarkMs, fullRefresh || adoption !== undefined, startedMs),
  }),
});

/** Goes on with a run at its checkpoint; without one its first page is read again, and nothing is counted twice. */
const resumed = (
  { failure: _, ...run }: UnfinishedRun,
  versionMs: number,
  state: StateFacts,
  begun: (facts: RunTimes & StateFacts) => UnfinishedRun,
): UnfinishedRun =>
  run.checkpoint === undefined && run.adoption !== undefined
    ? begun({ ...run, ...state, versionMs })
    : { ...run, ...state, status: 'extracting', versionMs };

/** Said once in a run, however many invocations it takes. */
const withStateWarnings = (known: readonly RunWarning[], more: readonly RunWarning[]): RunWarning[] =>
  addWarnings(
    known,
    more.filter(({ code }) => !known.some((warning) => warning.code === code)),
  );

/**
 * A run begins: where its target rests, one of its records is tried at once. A failure to note that holds no run up.
 */
export const askTargetAnew = async (
  { integration, target }: FetchPlan,
  { health, clock, log }: FetchDeps,
): Promise<void> => {
  try {
    await health.change(target, (known) => askedAnew(known, integration, clock.nowMs()));
  } catch (error) {
    log.error('health-unreachable', { connection: target, error: String(error) });
  }
};
