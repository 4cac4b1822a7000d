import { MAX_DELAY_SEC } from '../messages/queue.ts';
import type { RunRequest } from '../messages/run-request.ts';
import { addHits, type LimitHits, limitsOf } from '../runs/limits.ts';
import { addWarnings, type RunRecord, runIdOf } from '../runs/record.ts';
import type { RemainingMs } from '../runtime/clock.ts';
import { type PagingFailure, startOverCodes } from '../source/paging-step.ts';
import type { PageResult } from '../source/source.ts';
import { beginRun } from './begin-run.ts';
import { dispatchPage } from './dispatch-page.ts';
import type { FetchDeps, Fetching } from './fetching.ts';
import { learnFields } from './fields.ts';
import { finishRun } from './finish-run.ts';
import { leaveWordToContinue, leaveWordToStart } from './leave-word.ts';
import { openWork } from './run-work.ts';
import { deadlinesOf } from './time-budget.ts';

export type { FetchDeps, Fetching } from './fetching.ts';

/**
 * How one invocation ended. `continued`: another invocation goes on with the run; `waiting`: another run is under way,
 * and this one is to start after it.
 */
export type FetchEnd = {
  runId: string;
  end: 'extracted' | 'incomplete' | 'continued' | 'duplicate' | 'overlap' | 'waiting' | 'stale';
};

/**
 * One invocation of a run: take the lease, read pages, clean, map, compare, send, and write the ledger after each page,
 * until the snapshot is complete, the source fails for good or time is nearly up.
 *
 * The checkpoint moves only after the queue accepted the page's messages and the ledger holds them; what happens
 * between is done again. Throws when a store or the queue cannot be reached: the next request resumes.
 */
export const fetchRun = async (
  request: RunRequest,
  fetching: Fetching,
  deps: FetchDeps,
  remainingMs: RemainingMs,
): Promise<FetchEnd> => {
  const { runs, clock } = deps;
  const begun = await beginRun(request, fetching, deps, remainingMs);
  if ('end' in begun) {
    const { runId, end, leaseUntilMs } = begun;
    const isWaiting = end === 'overlap' && (await waits(request, leaseUntilMs ?? clock.nowMs(), fetching, deps));
    return { runId, end: isWaiting ? 'waiting' : end };
  }
  const { run, lease, abandoned, before } = begun;
  let extracted: Extracted;
  try {
    if (abandoned) await runs.saveRun(abandoned);
    await runs.saveRun(run);
    extracted = await extract(run, fetching, deps, remainingMs);
  } finally {
    await runs.endLease(lease, clock.nowMs());
  }
  if (extracted.end === 'incomplete') await deps.onIncomplete?.(extracted.run, before);
  // Not before the lease has ended: word that comes sooner would be taken for a duplicate, and lost.
  if (extracted.end === 'continued') await leaveWordToContinue(run, extracted.retryAtMs, deps);
  // A schedule's request that went on with an earlier run has not started its own. Where the source failed, that would
  // only go on with the same run and fail again: the next schedule does so in its time.
  if (isForAnotherRun(request, run) && extracted.end !== 'incomplete') {
    const freeAtMs = extracted.end === 'continued' ? clock.nowMs() + ANOTHER_LOOK_MS : clock.nowMs();
    await waits(request, freeAtMs, fetching, deps);
  }
  return { runId: run.runId, end: extracted.end };
};

/** The earlier run goes on by its own word; this request only looks whether it is through. */
const ANOTHER_LOOK_MS = 60_000;

const isForAnotherRun = (request: RunRequest, { integration, runId }: RunRecord): boolean =>
  request.kind === 'schedule' && runIdOf(integration, request.scheduledMs) !== runId;

/** Whether a request that found another run under way was put back, as the integration's `overlap` says. */
const waits = async (
  request: RunRequest,
  leaseUntilMs: number,
  { waitsForMs }: Fetching,
  deps: FetchDeps,
): Promise<boolean> =>
  request.kind === 'schedule' && waitsForMs !== undefined && leaveWordToStart(request, leaseUntilMs, waitsForMs, deps);

/** How the extraction of one invocation ended. */
type Extracted = { end: 'extracted' } | { end: 'incomplete'; run: RunRecord } | { end: 'continued'; retryAtMs: number };

const extract = async (
  begun: RunRecord,
  fetching: Fetching,
  deps: FetchDeps,
  remainingMs: RemainingMs,
): Promise<Extracted> => {
  const { clock, log, runs } = deps;
  const { softMs, hardMs } = deadlinesOf(clock.nowMs(), remainingMs(), deps.timeBudgetMs);
  const isTimeUp = () => clock.nowMs() > softMs;
  const work = await openWork(begun, fetching, deps);
  const context = { nowMs: begun.window?.toMs ?? begun.startedMs, lastSyncMs: begun.window?.fromMs ?? begun.startedMs };
  let run = begun;
  for (let deadlineMs = hardMs; run.checkpoint?.judged === undefined; deadlineMs = softMs) {
    const page = await fetching.source.readPage(run.checkpoint?.page, deadlineMs, context);
    run = {
      ...run,
      requests: { ...run.requests, source: run.requests.source + page.requests },
      warnings: addWarnings(run.warnings, page.warnings),
      ...limitsWith(run, page, clock.nowMs()),
    };
    for (const { code, message } of page.warnings)
      log.warn('source-warning', { integration: run.integration, runId: run.runId, code, words: message });
    if (page.kind === 'failed') return await leaveIncomplete(run, page, deps);
    if (page.kind === 'later') {
      await runs.saveRun(run);
      return { end: 'continued', retryAtMs: page.retryAtMs };
    }
    run = await dispatchPage(run, page, work);
    if (fetching.learns) run = { ...run, fields: learnFields(run.fields, page.records) };
    await runs.saveRun(run);
    if (page.next !== undefined && isTimeUp()) return { end: 'continued', retryAtMs: clock.nowMs() };
  }
  const finished = await finishRun(run, work, isTimeUp);
  return finished === 'extracted' ? { end: 'extracted' } : { end: 'continued', retryAtMs: clock.nowMs() };
};

/** The run's limits with those that a page hit; where it was put off, until another invocation may ask. */
const limitsWith = (run: RunRecord, page: PageResult, nowMs: number): Pick<RunRecord, 'limits'> => {
  if (page.limits === undefined) return {};
  const untilMs = page.kind === 'later' && page.limits.putOff > 0 ? page.retryAtMs : nowMs;
  const heldMs = Math.min(MAX_DELAY_SEC * 1_000, Math.max(0, untilMs - nowMs));
  const hits: LimitHits = { ...page.limits, heldMs: page.limits.heldMs + heldMs };
  const { source, target } = limitsOf(run);
  return { limits: { source: addHits(source, hits), target } };
};

const leaveIncomplete = async (
  run: RunRecord,
  { code, message }: Extract<PageResult, { kind: 'failed' }>,
  { runs, log }: FetchDeps,
): Promise<Extracted> => {
  const { checkpoint, ...rest } = run;
  const failure = { code, message };
  // A reading that went wrong as a whole is not gone on with: the next run begins at the first page.
  const isOver = startOverCodes.has(code as PagingFailure) && checkpoint !== undefined;
  const left: RunRecord = { ...(isOver ? { ...rest, chunks: checkpoint.chunks } : run), status: 'incomplete', failure };
  await runs.saveRun(left);
  log.error('run-incomplete', { integration: run.integration, runId: run.runId, code, words: message });
  return { end: 'incomplete', run: left };
};
