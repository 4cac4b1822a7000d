import type { RunRequest } from '../messages/run-request.ts';
import { isBalanced } from '../runs/books.ts';
import { watermarkName } from '../runs/ends.ts';
import { type ExtractedRun, type RunRecord, runIdOf, type UnfinishedRun } from '../runs/record.ts';
import type { SentBefore } from '../runs/sent-before.ts';
import type { RemainingMs } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import { adoptingInto } from './adopt.ts';
import { askToContinue, askToStartLater } from './ask-again.ts';
import { sendDeletions } from './deletions.ts';
import { type Earlier, earlierRuns, noteShrinking } from './earlier-reading.ts';
import type { FetchDeps, FetchPlan } from './fetch-plan.ts';
import { noteDrift } from './fields.ts';
import { failureOfRows, holdWindow, mayLeaveBehind, writeInvalidLetters } from './invalid-rows.ts';
import { openPass } from './pass.ts';
import { placePostponed, readPages } from './read-pages.ts';
import { type FetchWork, runSink } from './sink.ts';
import { askTargetAnew, startRun } from './start-run.ts';
import { noteNotGiven, sentBeforeOf, takingOf } from './taking.ts';
import { deadlinesOf } from './time-budget.ts';
import { noteVanished } from './vanished.ts';
import { isToBeWeighed, stoppedCounts, weighMapping } from './weigh-mapping.ts';

/**
 * How one invocation ended. `continued`: another invocation goes on with the run; `waiting`: another run is under way,
 * and this one is to start after it.
 */
export type FetchEnd = {
  runId: string;
  end: 'extracted' | 'incomplete' | 'continued' | 'duplicate' | 'overlap' | 'waiting' | 'stale' | 'paused';
};

/**
 * One invocation of a run, in this order:
 *
 *     look whose state it is, and         startRun
 *       take the lease
 *     try a target that rests anew        askTargetAnew
 *     where the mapping has changed, see   weighMapping
 *       what it would overwrite
 *     until the last page                 readPages
 *       read a page                         source.readPage
 *       pass over it                        pass.page
 *       send its messages, or take over     takeOn
 *       write its ledger                    sink.write
 *       move the checkpoint                 sink.save
 *     place the postponed records         placePostponed: pass, send, write, save as above
 *     conclude what vanished              noteVanished
 *     send deletions                      sendDeletions
 *     hand over to loading                handOver
 *     end the lease, ask to go on         askToContinue, askToStartLater
 *
 * Throws when a store or the queue cannot be reached: the next request resumes at the checkpoint.
 */
export const fetchRun = async (
  request: RunRequest,
  plan: FetchPlan,
  deps: FetchDeps,
  remainingMs: RemainingMs,
): Promise<FetchEnd> => {
  const { runs, clock } = deps;
  const started = await startRun(request, plan, deps, remainingMs);
  if ('end' in started) {
    const { runId, end, leaseUntilMs = clock.nowMs() } = started;
    const isWaiting = end === 'overlap' && (await askToStartLater(request, leaseUntilMs, plan.waitsForMs, deps));
    return { runId, end: isWaiting ? 'waiting' : end };
  }
  const { run, lease, abandoned, before, refused } = started;
  let extracted: Extracted;
  try {
    if (abandoned) await runs.saveRun(abandoned);
    await runs.saveRun(run);
    if (request.kind === 'schedule' && refused === undefined) await askTargetAnew(plan, deps);
    extracted =
      refused === undefined ? await extract(run, plan, deps, remainingMs) : await refuse(run, refused, plan, deps);
  } finally {
    await runs.endLease(lease, clock.nowMs());
  }
  const failed = extracted.end === 'incomplete' || extracted.end === 'extracted' ? extracted.failed : undefined;
  if (failed !== undefined) await deps.onFailed?.(failed, before);
  // Not before the lease has ended: a request that comes sooner would be taken for a duplicate, and lost.
  if (extracted.end === 'continued') await askToContinue(run, extracted.retryAtMs, deps);
  // A schedule's request that resumed an earlier run has not started its own. Where the source failed, asking again
  // would only resume the same run and fail again: the next schedule does that in its time.
  if (isForAnotherRun(request, run) && extracted.end !== 'incomplete') {
    // The earlier run goes on by its own request; this one only looks whether it is through.
    const freeAtMs = extracted.end === 'continued' ? clock.nowMs() + deps.tuning.fetch.lookAgainMs : clock.nowMs();
    await askToStartLater(request, freeAtMs, plan.waitsForMs, deps);
  }
  return { runId: run.runId, end: extracted.end };
};

const isForAnotherRun = (request: RunRequest, { integration, runId }: UnfinishedRun): boolean =>
  request.kind === 'schedule' && runIdOf(integration, request.scheduledMs) !== runId;

/** How the extraction of one invocation ended. */
type Extracted =
  /** `failed`: the run as it was closed, where it has failed and nothing of it is on its way. */
  | { end: 'extracted'; failed?: RunRecord }
  | { end: 'incomplete'; failed: RunRecord }
  | { end: 'continued'; retryAtMs: number };

/** From the run's checkpoint: read its pages, place what was postponed, conclude what vanished, hand over to loading. */
const extract = async (
  begun: UnfinishedRun,
  plan: FetchPlan,
  deps: FetchDeps,
  remainingMs: RemainingMs,
): Promise<Extracted> => {
  const { runs, clock, log } = deps;
  const tuning = deps.tuning.fetch;
  const deadlines = deadlinesOf(clock.nowMs(), remainingMs(), deps.timeBudgetMs, tuning);
  const time = { ...deadlines, isUp: () => clock.nowMs() > deadlines.softMs };
  const earlier = await earlierRuns(begun, runs);
  const first = { plan, time, clock, log, tuning };
  const weighed = isToBeWeighed(begun, earlier, plan) ? await weighMapping(begun, first, deps) : undefined;
  switch (weighed?.end) {
    case 'failed':
      return await endIncomplete(weighed.run, weighed.failure, deps, weighed.startsOver);
    case 'out-of-time':
      return { end: 'continued', retryAtMs: weighed.retryAtMs };
    case 'stopped':
      return { end: 'extracted', failed: await stop(weighed.run, weighed.failure, earlier, plan, deps) };
    default:
      return await extractWhole(weighed?.run ?? begun, earlier, first, deps);
  }
};

/** The run itself, once it may send. */
const extractWhole = async (
  resumed: UnfinishedRun,
  earlier: Earlier,
  first: Omit<FetchWork, 'pass' | 'sink'>,
  deps: FetchDeps,
): Promise<Extracted> => {
  const { idStore, runs, clock } = deps;
  const { plan, tuning } = first;
  const sink = runSink(deps, plan, mayLeaveBehind(earlier.reading, plan));
  const asked = await takingOf(resumed, runs);
  const readBefore = sentBeforeOf(resumed, plan.policy, deps);
  const pass = await openPass(plan, idStore, resumed, sink.chunks(resumed), tuning, asked, readBefore);
  const begun = waitingFor(resumed, pass.sentBefore);
  const work: FetchWork = { ...first, pass, sink, ...(asked.adopts && { adopt: adoptingInto({ idStore, clock }) }) };

  const pages = await readPages(begun, work);
  if (pages.end === 'failed') return await endIncomplete(pages.run, pages.failure, deps, pages.startsOver);
  if (pages.end === 'out-of-time') return { end: 'continued', retryAtMs: pages.retryAtMs };
  const compared = await noteDrift(pages.run, plan, deps);
  const placed = await placePostponed(compared, work);
  if (!placed.done) return { end: 'continued', retryAtMs: clock.nowMs() };
  const measured = await noteNotGiven(noteShrinking(placed.run, earlier.reading, plan), pass.notGiven(), runs);
  const noted = await noteVanished(measured, pass.absent(), work, earlier.reading, runs);
  let { run } = noted;
  if (run.deletions !== undefined) {
    const sent = await sendDeletions(run, noted.toDelete, work, idStore);
    if (!sent.done) return { end: 'continued', retryAtMs: clock.nowMs() };
    run = sent.run;
  }
  const handed = await handOver(run, earlier, plan, deps);
  return { end: 'extracted', ...(handed.status === 'failed' && { failed: handed }) };
};

/** The run with the earlier ones that it may have to wait for, those of its earlier invocations among them. */
const waitingFor = (run: UnfinishedRun, { runIds, count }: SentBefore): UnfinishedRun => ({
  ...run,
  ...(runIds.length > 0 && {
    waitsFor: [...new Set([...(run.waitsFor ?? []), ...runIds])],
    ahead: Math.max(run.ahead ?? 0, count),
  }),
});

/** Ends a run whose target is another than the one that the state belongs to: nothing is read, nothing is sent. */
const refuse = async (
  run: UnfinishedRun,
  failure: { code: string; message: string },
  plan: FetchPlan,
  deps: FetchDeps,
): Promise<Extracted> => {
  // What it has sent already waits until somebody has decided; what it has not taken over yet must not be sent.
  if (run.checkpoint !== undefined || run.adoption !== undefined) return await endIncomplete(run, failure, deps);
  return { end: 'extracted', failed: await stop(run, failure, {}, plan, deps) };
};

const endIncomplete = async (
  run: UnfinishedRun,
  failure: { code: string; message: string },
  { runs, log }: FetchDeps,
  startsOver = false,
): Promise<Extracted> => {
  const { checkpoint, ...rest } = run;
  const isOver = startsOver && checkpoint !== undefined;
  const incomplete: UnfinishedRun = {
    ...(isOver ? { ...rest, chunks: checkpoint.chunks } : run),
    status: 'incomplete',
    failure,
  };
  await runs.saveRun(incomplete);
  const { integration, runId } = run;
  log.error('run-incomplete', { integration, runId, code: failure.code, words: failure.message });
  return { end: 'incomplete', failed: incomplete };
};

/** Closes a run that must not send: its records wait, and the target keeps the mapping of before. */
const stop = async (
  run: UnfinishedRun,
  failure: { code: string; message: string },
  earlier: Earlier,
  plan: FetchPlan,
  { runs, clock, log }: FetchDeps,
): Promise<ExtractedRun> => {
  const { checkpoint: _, mapping: __, weighing, ...rest } = holdWindow(run, true, earlier.reading, plan);
  const nowMs = clock.nowMs();
  const stopped: ExtractedRun = {
    ...rest,
    counts: { ...run.counts, ...(weighing && stoppedCounts(weighing)) },
    // An earlier try of this very run may have sent records.
    ...defined({ mapping: earlier.mapping ?? run.mappingBefore, weighing }),
    status: 'failed',
    failure,
    extractedMs: nowMs,
    closedMs: nowMs,
    chunks: 0,
  };
  await runs.saveRun(stopped);
  const { integration, runId } = run;
  log.error('run-failed', { integration, runId, code: failure.code, words: failure.message });
  return stopped;
};

/** A limit of N an interval is used to so much of an interval more (lib/connection/limit). */
const INTERVAL_SLACK = 0.01;

/** How long loading takes by the target's limit, what earlier runs have still open included. */
const loadMsOf = (
  { counts, deletions, ahead = 0 }: UnfinishedRun,
  { limit, rows }: Pick<FetchPlan, 'limit' | 'rows'>,
): number | undefined => {
  if (limit === undefined) return undefined;
  const requests = Math.ceil((ahead + counts.enqueued) / rows) + (deletions?.enqueued ?? 0);
  return Math.ceil((requests * limit.intervalMs * (1 + INTERVAL_SLACK)) / limit.requests);
};

/** All is sent: the run is `loading` from now on, or closed where there is nothing to load. Gives it as it was saved. */
const handOver = async (
  read: UnfinishedRun,
  earlier: Earlier,
  plan: FetchPlan,
  { runs, deadLetters, clock, log }: FetchDeps,
): Promise<ExtractedRun> => {
  const failure = failureOfRows(read.counts, read.invalidRows, plan.invalidRows);
  // A window, and the mapping that records stand under, move only with all of them.
  const isAll = (read.leftOut ?? 0) === 0;
  const { checkpoint: last, ...rest } = holdWindow(read, failure !== undefined || !isAll, earlier.reading, plan);
  const mapping = isAll && read.adoption === undefined ? read.mapping : (earlier.mapping ?? read.mapping);
  const nowMs = clock.nowMs();
  // Before the window can move on.
  if (rest.windowHeld === undefined) await writeInvalidLetters(read, { runs, deadLetters, nowMs });
  const extracted: ExtractedRun = {
    ...rest,
    ...defined({ failure, mapping }),
    status: 'loading',
    ...defined({ loadMs: loadMsOf(read, plan) }),
    extractedMs: nowMs,
    chunks: last?.chunks ?? 0,
  };
  const { integration, runId, counts, window, windowHeld, vanished } = extracted;
  const isDone = counts.enqueued === 0 && (extracted.deletions?.enqueued ?? 0) === 0 && isBalanced(extracted);
  const closed: ExtractedRun = { ...extracted, status: failure ? 'failed' : 'balanced', closedMs: nowMs };
  const handed = isDone ? closed : extracted;
  const moves = handed.status === 'balanced' && windowHeld === undefined;
  if (moves && window !== undefined) await runs.moveWatermark(watermarkName(handed), window.toMs);
  await runs.saveRun(handed);
  const { fetched, enqueued, unchanged } = counts;
  log.info('run-extracted', { integration, runId, fetched, unchanged, enqueued, vanished });
  if (failure) log.error('run-failed', { integration, runId, code: failure.code, words: failure.message });
  return handed;
};
