import { MAX_DELAY_SEC } from '../messages/queue.ts';
import type { RunRequest } from '../messages/run-request.ts';
import { addCounts, countEntries, isBalanced, noExtractCounts } from '../runs/books.ts';
import { addHits, type LimitHits, limitsOf } from '../runs/limits.ts';
import {
  addWarnings,
  type Checkpoint,
  type ExtractedRun,
  type RunRecord,
  runIdOf,
  type UnfinishedRun,
} from '../runs/record.ts';
import type { RemainingMs } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import { type PagingFailure, startOverCodes } from '../source/paging-step.ts';
import type { PageResult } from '../source/source.ts';
import { askToContinue, askToStartLater } from './ask-again.ts';
import { sendDeletions } from './deletions.ts';
import { addDoubts } from './doubts.ts';
import { earlierReading } from './earlier-reading.ts';
import type { FetchDeps, FetchPlan } from './fetch-plan.ts';
import { learnFields, noteDrift } from './fields.ts';
import { failureOfRows, noteInvalidRows } from './invalid-rows.ts';
import { openPass } from './pass.ts';
import { noteShrinking } from './shrinking.ts';
import { type FetchWork, runSink, sendPart } from './sink.ts';
import { startRun } from './start-run.ts';
import { deadlinesOf } from './time-budget.ts';
import { noteVanished } from './vanished.ts';

/**
 * How one invocation ended. `continued`: another invocation goes on with the run; `waiting`: another run is under way,
 * and this one is to start after it.
 */
export type FetchEnd = {
  runId: string;
  end: 'extracted' | 'incomplete' | 'continued' | 'duplicate' | 'overlap' | 'waiting' | 'stale';
};

/**
 * One invocation of a run, in this order:
 *
 *     take the lease                      startRun
 *     until the last page                 readPages
 *       read a page                         source.readPage
 *       pass over it                        pass.page
 *       send its messages                   sendPart
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
  const { run, lease, abandoned, before } = started;
  let extracted: Extracted;
  try {
    if (abandoned) await runs.saveRun(abandoned);
    await runs.saveRun(run);
    extracted = await extract(run, plan, deps, remainingMs);
  } finally {
    await runs.endLease(lease, clock.nowMs());
  }
  const failed = extracted.end === 'incomplete' || extracted.end === 'extracted' ? extracted.failed : undefined;
  if (failed !== undefined) await deps.onFailed?.(failed, before);
  // Not before the lease has ended: a request that comes sooner would be taken for a duplicate, and lost.
  if (extracted.end === 'continued') await askToContinue(run, extracted.retryAtMs, deps);
  // A schedule's request that went on with an earlier run has not started its own. Where the source failed, that would
  // only go on with the same run and fail again: the next schedule does so in its time.
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
  const { idStore, runs, clock, log } = deps;
  const tuning = deps.tuning.fetch;
  const deadlines = deadlinesOf(clock.nowMs(), remainingMs(), deps.timeBudgetMs, tuning);
  const time = { ...deadlines, isUp: () => clock.nowMs() > deadlines.softMs };
  const sink = runSink(deps);
  const pass = await openPass(plan, idStore, begun, sink.chunks(begun), tuning);
  const work: FetchWork = { plan, pass, sink, time, clock, log, tuning };

  const pages = await readPages(begun, work);
  if (pages.end === 'failed') return await endIncomplete(pages.run, pages.failure, deps);
  if (pages.end === 'out-of-time') return { end: 'continued', retryAtMs: pages.retryAtMs };
  const compared = await noteDrift(pages.run, plan, deps);
  const placed = await placePostponed(compared, work);
  if (!placed.done) return { end: 'continued', retryAtMs: clock.nowMs() };
  const earlier = await earlierReading(begun, runs);
  const weighed = noteShrinking(placed.run, earlier, plan);
  const noted = await noteVanished(weighed, pass.absent(), work, earlier, runs);
  let { run } = noted;
  if (run.deletions !== undefined) {
    const sent = await sendDeletions(run, noted.toDelete, work, idStore);
    if (!sent.done) return { end: 'continued', retryAtMs: clock.nowMs() };
    run = sent.run;
  }
  const handed = await handOver(run, plan, deps);
  return { end: 'extracted', ...(handed.status === 'failed' && { failed: handed }) };
};

type PagesRead = { run: UnfinishedRun } & (
  | { end: 'complete' }
  | { end: 'out-of-time'; retryAtMs: number }
  | { end: 'failed'; failure: { code: string; message: string } }
);

/**
 * Reads page after page from the run's checkpoint on, and lets each pass.
 *
 * The checkpoint moves only after the queue accepted the page's messages and the ledger holds them; what happens
 * between is done again.
 */
export const readPages = async (begun: UnfinishedRun, work: FetchWork): Promise<PagesRead> => {
  const { plan, sink, time, clock, log } = work;
  const context = {
    nowMs: begun.window?.toMs ?? begun.startedMs,
    lastSyncMs: begun.window?.fromMs ?? begun.startedMs,
    ...defined({ hasLinked: begun.hasLinked }),
  };
  let run = begun;
  for (let deadlineMs = time.hardMs; run.checkpoint?.judged === undefined; deadlineMs = time.softMs) {
    const page = await plan.source.readPage(run.checkpoint?.page, deadlineMs, context);
    run = {
      ...run,
      requests: { ...run.requests, source: run.requests.source + page.requests },
      warnings: addWarnings(run.warnings, page.warnings),
      ...limitsWith(run, page, clock.nowMs()),
      ...(page.hasLink && { hasLinked: page.hasLink }),
    };
    for (const { code, message } of page.warnings)
      log.warn('source-warning', { integration: run.integration, runId: run.runId, code, words: message });
    if (page.kind === 'failed') return { end: 'failed', run, failure: { code: page.code, message: page.message } };
    if (page.kind === 'later') {
      await sink.save(run);
      return { end: 'out-of-time', run, retryAtMs: page.retryAtMs };
    }
    run = await passPage(run, page, work);
    if (plan.learns) run = { ...run, fields: learnFields(run.fields, page.records) };
    await sink.save(run);
    if (page.next !== undefined && time.isUp()) return { end: 'out-of-time', run, retryAtMs: clock.nowMs() };
  }
  return { end: 'complete', run };
};

/** The pass over one page: messages are sent, then the ledger is written. Gives the run with its checkpoint behind it. */
const passPage = async (
  run: UnfinishedRun,
  { records, next, requests }: Extract<PageResult, { kind: 'page' }>,
  { pass, sink, clock, log }: FetchWork,
): Promise<UnfinishedRun> => {
  const { integration, runId, checkpoint } = run;
  const before = checkpoint?.fetched ?? 0;
  let chunks = checkpoint?.chunks ?? 0;
  let counts = noExtractCounts();
  let postponed = 0;
  let rows = run.invalidRows;
  const { parts, doubts } = await pass.page({ records, before, isLast: next === undefined }, run, clock.nowMs());
  for (const made of parts) {
    // The messages come before the ledger that says so.
    const part = await sendPart(made, sink);
    chunks += 1;
    await sink.write(run, chunks, part);
    counts = addCounts(counts, countEntries(part.entries));
    postponed += part.postponed.length;
    rows = noteInvalidRows(rows, part.entries).invalidRows;
  }
  log.info('page', { integration, runId, ...counts, ...(postponed > 0 && { held: postponed }), requests });
  const fetched = before + records.length;
  const behind: Checkpoint =
    next === undefined ? { page: {}, chunks, fetched, judged: 0 } : { page: next, chunks, fetched };
  const counted = { ...run.counts, ...addCounts(run.counts, counts) };
  return { ...run, counts: counted, ...addDoubts(run, doubts), ...defined({ invalidRows: rows }), checkpoint: behind };
};

/**
 * Lets the records pass that were postponed until the end of the snapshot, chunk by chunk; the checkpoint moves with
 * them. `done`: all have passed; otherwise time is up.
 */
export const placePostponed = async (
  begun: UnfinishedRun,
  { pass, sink, time, clock, log }: FetchWork,
): Promise<{ run: UnfinishedRun; done: boolean }> => {
  if (!pass.hasPostponed()) return { run: begun, done: true };
  const place = await pass.openPlacing();
  let run = begun;
  for await (const { index, records } of sink.postponed(begun)) {
    const { checkpoint } = run;
    if (checkpoint === undefined || index <= (checkpoint.judged ?? 0)) continue;
    if (run !== begun && time.isUp()) return { run, done: false };
    const part = await sendPart(place(records, run, clock.nowMs()), sink);
    const chunks = checkpoint.chunks + 1;
    await sink.write(run, chunks, part);
    const { integration, runId } = run;
    const counts = countEntries(part.entries);
    run = {
      ...run,
      counts: { ...run.counts, ...addCounts(run.counts, counts) },
      ...noteInvalidRows(run.invalidRows, part.entries),
      checkpoint: { ...checkpoint, chunks, judged: index },
    };
    await sink.save(run);
    // Measured like a page: these records were not counted with their page.
    log.info('page', { integration, runId, ...counts, requests: 0 });
  }
  return { run, done: true };
};

/** The run's limits with those that a page hit; where it was put off, until another invocation may ask. */
const limitsWith = (run: UnfinishedRun, page: PageResult, nowMs: number): Pick<UnfinishedRun, 'limits'> => {
  if (page.limits === undefined) return {};
  const untilMs = page.kind === 'later' && page.limits.putOff > 0 ? page.retryAtMs : nowMs;
  const heldMs = Math.min(MAX_DELAY_SEC * 1_000, Math.max(0, untilMs - nowMs));
  const hits: LimitHits = { ...page.limits, heldMs: page.limits.heldMs + heldMs };
  const { source, target } = limitsOf(run);
  return { limits: { source: addHits(source, hits), target } };
};

const endIncomplete = async (
  run: UnfinishedRun,
  failure: { code: string; message: string },
  { runs, log }: FetchDeps,
): Promise<Extracted> => {
  const { checkpoint, ...rest } = run;
  // Where the pages read so far do not fit together, the next run begins at the first page.
  const isOver = startOverCodes.has(failure.code as PagingFailure) && checkpoint !== undefined;
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

/** All is sent: the run is `loading` from now on, or closed where there is nothing to load. Gives it as it was saved. */
const handOver = async (
  run: UnfinishedRun,
  plan: FetchPlan,
  { runs, clock, log }: FetchDeps,
): Promise<ExtractedRun> => {
  const { checkpoint: last, ...rest } = run;
  const nowMs = clock.nowMs();
  const failure = failureOfRows(run.counts, run.invalidRows, plan.invalidRows);
  const extracted: ExtractedRun = {
    ...rest,
    ...defined({ failure }),
    status: 'loading',
    extractedMs: nowMs,
    chunks: last?.chunks ?? 0,
  };
  const { integration, runId, counts, window, vanished } = extracted;
  const isDone = counts.enqueued === 0 && (extracted.deletions?.enqueued ?? 0) === 0 && isBalanced(extracted);
  const closed: ExtractedRun = { ...extracted, status: failure ? 'failed' : 'balanced', closedMs: nowMs };
  const handed = isDone ? closed : extracted;
  if (handed.status === 'balanced' && window !== undefined) await runs.moveWatermark(integration, window.toMs);
  await runs.saveRun(handed);
  const { fetched, enqueued, unchanged } = counts;
  log.info('run-extracted', { integration, runId, fetched, unchanged, enqueued, vanished });
  if (failure) log.error('run-failed', { integration, runId, code: failure.code, words: failure.message });
  return handed;
};
