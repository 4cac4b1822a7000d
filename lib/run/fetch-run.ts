import { type Dispatched, dispatch, type RunStamp } from '../dispatch/dispatch.ts';
import { type Known, readKnown } from '../dispatch/known.ts';
import type { Queue } from '../dispatch/queue.ts';
import type { PageResult, Source } from '../extract/source.ts';
import type { LoadPolicy } from '../idcheck/decide.ts';
import type { IdStore } from '../idcheck/store.ts';
import type { Clock, RemainingMs } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Random } from '../runtime/random.ts';
import type { Snapshot, Transform } from '../transform/transform.ts';
import { addCounts, countEntries, isBalanced, noExtractCounts, noLoadCounts } from './books.ts';
import type { Checkpoint, RunRecord, RunWarning } from './record.ts';
import { decideStart, type RunRequest, runIdOf } from './start.ts';
import type { Lease, RunStore } from './store.ts';

/** What fetching one integration needs to know. */
export type Fetching = { integration: string; policy: LoadPolicy; source: Source; transform: Transform };

export type FetchDeps = {
  idStore: IdStore;
  records: Queue;
  /** Where a run that is out of time leaves word to be continued (the runs queue). */
  continuations: Queue;
  runs: RunStore;
  clock: Clock;
  random: Random;
  log: Log;
};

/** How one invocation ended. `continued`: another invocation goes on with the run. */
export type FetchEnd = {
  runId: string;
  end: 'extracted' | 'incomplete' | 'continued' | 'duplicate' | 'overlap' | 'stale';
};

/** Kept free at the end of an invocation: ledger, checkpoint, lease and word to the next, ms. */
const RESERVE_MS = 20_000;
/** The lease outlives the invocation by this, ms: Lambda ends the invocation, not we. */
const LEASE_MARGIN_MS = 5_000;
/** Entries in one ledger chunk at most. */
const CHUNK_ENTRIES = 5_000;
const VANISHED_SAMPLE = 20;

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
  const begun = await begin(request, fetching, deps, remainingMs);
  if ('end' in begun) return begun;
  const { run, lease } = begun;
  try {
    return await extract(run, fetching, deps, remainingMs);
  } finally {
    await deps.runs.endLease(lease, deps.clock.nowMs());
  }
};

const begin = async (
  request: RunRequest,
  { integration }: Fetching,
  { runs, clock, random, log }: FetchDeps,
  remainingMs: RemainingMs,
): Promise<FetchEnd | { run: RunRecord; lease: Lease }> => {
  const nowMs = clock.nowMs();
  const askedId = request.kind === 'continue' ? request.runId : runIdOf(integration, request.scheduledMs);
  const previous = await runs.lease(integration);
  const [leased, asked] = await Promise.all([
    previous && runs.run(integration, previous.runId),
    runs.run(integration, askedId),
  ]);
  const start = decideStart(request, previous, leased, asked, nowMs);
  if (start.kind !== 'start' && start.kind !== 'resume') {
    log.info('run-not-started', { integration, runId: start.runId, why: start.kind });
    return { runId: start.runId, end: start.kind };
  }
  const runId = start.kind === 'resume' ? start.run.runId : start.runId;
  const untilMs = nowMs + remainingMs() + LEASE_MARGIN_MS;
  const lease: Lease = { integration, runId, owner: random.token(), untilMs };
  if ((await runs.takeLease(lease, previous)) === 'conflict') {
    log.info('run-not-started', { integration, runId, why: 'lease lost' });
    return { runId, end: 'overlap' };
  }
  // Clocks of two machines differ: a later run's version must still be the newer one.
  const versionMs = Math.max(nowMs, (leased?.versionMs ?? 0) + 1);
  const scheduledMs = request.kind === 'schedule' ? request.scheduledMs : nowMs;
  const fullRefresh = request.kind === 'schedule' && request.fullRefresh;
  const run: RunRecord =
    start.kind === 'resume'
      ? resumed(start.run, versionMs)
      : newRun({ integration, runId, scheduledMs, startedMs: nowMs, versionMs, fullRefresh });
  if (leased?.status === 'extracting' && leased.runId !== runId) {
    const message = 'its invocation ended before the first page was done; a later run took over';
    await runs.saveRun({ ...leased, status: 'incomplete', failure: { code: 'abandoned', message } });
  }
  await runs.saveRun(run);
  log.info(start.kind === 'resume' ? 'run-resumed' : 'run-started', { integration, runId });
  return { run, lease };
};

const newRun = (
  facts: Pick<RunRecord, 'integration' | 'runId' | 'scheduledMs' | 'startedMs' | 'versionMs' | 'fullRefresh'>,
): RunRecord => ({
  ...facts,
  status: 'extracting',
  counts: { ...noExtractCounts(), ...noLoadCounts() },
  requests: { source: 0, target: 0 },
  vanished: 0,
  vanishedSample: [],
  warnings: [],
});

const resumed = ({ failure: _, ...run }: RunRecord, versionMs: number): RunRecord => ({
  ...run,
  status: 'extracting',
  versionMs,
});

const extract = async (
  begun: RunRecord,
  fetching: Fetching,
  deps: FetchDeps,
  remainingMs: RemainingMs,
): Promise<FetchEnd> => {
  const { clock, log, runs } = deps;
  const deadlineMs = clock.nowMs() + remainingMs() - RESERVE_MS;
  const known = await readKnown(deps.idStore, begun.integration);
  const snapshot = await resumeSnapshot(begun, fetching, deps, known);
  let run = begun;
  for (;;) {
    const page = await fetching.source.readPage(run.checkpoint?.page, deadlineMs);
    run = {
      ...run,
      requests: { ...run.requests, source: run.requests.source + page.requests },
      warnings: addWarnings(run.warnings, page.warnings),
    };
    for (const { code, message } of page.warnings) log.warn('source-warning', { runId: run.runId, code, message });
    if (page.kind === 'failed') return await leaveIncomplete(run, page, deps);
    if (page.kind === 'later') return await continueLater(run, page.retryAtMs, deps);
    run = await dispatchPage(run, page, { snapshot, known, fetching, deps });
    if (page.next === undefined) return await finish(run, known, deps);
    await runs.saveRun(run);
    if (clock.nowMs() > deadlineMs) return await continueLater(run, clock.nowMs(), deps);
  }
};

/** The cleaning's memory and what idCheck knows, brought to where the checkpoint stands. */
const resumeSnapshot = async (
  run: RunRecord,
  { transform }: Fetching,
  deps: FetchDeps,
  known: Known,
): Promise<Snapshot> => {
  if (run.checkpoint === undefined) return transform.begin();
  const ids: string[] = [];
  const memory: string[] = [];
  for await (const chunk of deps.runs.chunks(run.integration, run.runId, run.checkpoint.chunks)) {
    for (const { id, outcome } of chunk.entries) {
      known.take(id);
      if (outcome === 'unchanged' || outcome === 'skipped' || outcome === 'enqueued') ids.push(id);
    }
    for (const key of chunk.memory) memory.push(key);
  }
  return transform.begin({ ids, memory });
};

type PageWork = { snapshot: Snapshot; known: Known; fetching: Fetching; deps: FetchDeps };

const dispatchPage = async (
  run: RunRecord,
  page: Extract<PageResult, { kind: 'page' }>,
  { snapshot, known, fetching, deps }: PageWork,
): Promise<RunRecord> => {
  const before: Pick<Checkpoint, 'chunks' | 'fetched'> = run.checkpoint ?? { chunks: 0, fetched: 0 };
  const stamp: RunStamp = {
    integration: run.integration,
    runId: run.runId,
    versionMs: run.versionMs,
    nowMs: deps.clock.nowMs(),
    fullRefresh: run.fullRefresh,
  };
  // Places count through the run: "record 501" is the first of the second page of 500.
  const { prepared, memory } = snapshot.prepare(page.records, (index) => `record ${before.fetched + index + 1}`);
  let { chunks } = before;
  let { counts } = run;
  for (let from = 0; from < prepared.length; from += CHUNK_ENTRIES) {
    const part = prepared.slice(from, from + CHUNK_ENTRIES);
    const dispatched = part.map((one) => dispatch(one, known, fetching.policy, stamp));
    await sendAll(dispatched, deps.records);
    chunks += 1;
    const entries = dispatched.map(({ entry }) => entry);
    // After the last page nobody resumes. Keys are spread over the chunks as the records are: an item has its limit.
    const remembered = page.next === undefined ? [] : shareOf(memory, from, part.length, prepared.length);
    await deps.runs.saveChunk(run.integration, {
      runId: run.runId,
      index: chunks,
      versionMs: run.versionMs,
      entries,
      memory: remembered,
    });
    counts = { ...counts, ...addCounts(counts, countEntries(entries)) };
  }
  const { checkpoint: _, ...rest } = run;
  const fetched = before.fetched + page.records.length;
  deps.log.info('page', { runId: run.runId, records: page.records.length, fetched, enqueued: counts.enqueued });
  return { ...rest, counts, checkpoint: { page: page.next ?? {}, chunks, fetched } };
};

/** The part of `all` that goes with records `from`… of `total`. */
const shareOf = (all: readonly string[], from: number, length: number, total: number): string[] =>
  all.slice(Math.floor((all.length * from) / total), Math.floor((all.length * (from + length)) / total));

/** Thrown when the queue did not accept messages after all retries: the page is not done. */
export class QueueRefusedError extends Error {
  override readonly name = 'QueueRefusedError';
  readonly code = 'QUEUE_REFUSED';
}

const sendAll = async (dispatched: readonly Dispatched[], records: Queue): Promise<void> => {
  const outgoing = dispatched.flatMap(({ body }) => (body === undefined ? [] : [{ body }]));
  if (outgoing.length === 0) return;
  const { failed } = await records.sendAll(outgoing);
  if (failed.length > 0) {
    throw new QueueRefusedError(`the records queue refused ${failed.length} of ${outgoing.length} messages`);
  }
};

const finish = async (run: RunRecord, known: Known, { runs, clock, log }: FetchDeps): Promise<FetchEnd> => {
  const { checkpoint: last, ...rest } = run;
  const vanishedIds = [...known.vanished()];
  const nowMs = clock.nowMs();
  const extracted: RunRecord = {
    ...rest,
    status: 'loading',
    extractedMs: nowMs,
    chunks: last?.chunks ?? 0,
    vanished: vanishedIds.length,
    vanishedSample: vanishedIds.slice(0, VANISHED_SAMPLE),
  };
  const isDone = extracted.counts.enqueued === 0 && isBalanced(extracted);
  await runs.saveRun(isDone ? { ...extracted, status: 'balanced', closedMs: nowMs } : extracted);
  const { fetched, enqueued, unchanged } = extracted.counts;
  log.info('run-extracted', { runId: run.runId, fetched, unchanged, enqueued, vanished: extracted.vanished });
  return { runId: run.runId, end: 'extracted' };
};

const leaveIncomplete = async (
  run: RunRecord,
  { code, message }: Extract<PageResult, { kind: 'failed' }>,
  { runs, log }: FetchDeps,
): Promise<FetchEnd> => {
  await runs.saveRun({ ...run, status: 'incomplete', failure: { code, message } });
  log.error('run-incomplete', { runId: run.runId, code, message });
  return { runId: run.runId, end: 'incomplete' };
};

/** Hands the run to a later invocation. Should the word be lost, the next schedule resumes the run. */
const continueLater = async (
  run: RunRecord,
  atMs: number,
  { runs, continuations, clock, log }: FetchDeps,
): Promise<FetchEnd> => {
  await runs.saveRun(run);
  const delaySec = Math.min(MAX_DELAY_SEC, Math.max(0, Math.ceil((atMs - clock.nowMs()) / 1000)));
  const body = JSON.stringify({ kind: 'continue', integration: run.integration, runId: run.runId });
  const { failed } = await continuations.sendAll([{ body, delaySec }]);
  log.info('run-continued', { runId: run.runId, delaySec, accepted: failed.length === 0 });
  return { runId: run.runId, end: 'continued' };
};

/** The longest delay of an SQS message, s (SQS, SendMessage, DelaySeconds). */
const MAX_DELAY_SEC = 900;

const addWarnings = (known: readonly RunWarning[], more: readonly RunWarning[]): RunWarning[] => {
  const byCode = new Map(known.map((warning) => [warning.code, warning]));
  for (const { code, count, message } of more) {
    byCode.set(code, { code, count: (byCode.get(code)?.count ?? 0) + count, message });
  }
  return [...byCode.values()];
};
