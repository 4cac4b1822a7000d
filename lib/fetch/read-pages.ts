import { MAX_DELAY_SEC } from '../messages/queue.ts';
import { addCounts, countEntries, noExtractCounts } from '../runs/books.ts';
import { addHits, type LimitHits, limitsOf } from '../runs/limits.ts';
import { addWarnings, type Checkpoint, type UnfinishedRun } from '../runs/record.ts';
import { defined } from '../runtime/defined.ts';
import type { PageResult } from '../source/source.ts';
import { addDoubts } from './doubts.ts';
import { learnFields } from './fields.ts';
import { noteInvalidRows } from './invalid-rows.ts';
import type { Part } from './pass.ts';
import { type FetchWork, takeOn } from './sink.ts';

/** How reading pages ended. */
export type PagesRead = { run: UnfinishedRun } & (
  | { end: 'complete' }
  | { end: 'out-of-time'; retryAtMs: number }
  | { end: 'failed'; failure: { code: string; message: string }; startsOver: boolean }
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
    if (page.kind === 'failed') {
      const { code, message, startsOver = false } = page;
      return { end: 'failed', run, failure: { code, message }, startsOver };
    }
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
  begun: UnfinishedRun,
  { records, next, requests }: Extract<PageResult, { kind: 'page' }>,
  work: FetchWork,
): Promise<UnfinishedRun> => {
  const { pass, sink, clock, log } = work;
  let run = begun;
  const { integration, runId, checkpoint } = run;
  const before = checkpoint?.fetched ?? 0;
  let chunks = checkpoint?.chunks ?? 0;
  let counts = noExtractCounts();
  let postponed = 0;
  let rows = run.invalidRows;
  const { parts, doubts, rowOf } = await pass.page({ records, before, isLast: next === undefined }, run, clock.nowMs());
  for (const made of parts) {
    // The messages come before the ledger that says so.
    const part = await takeOn(made, run, work);
    chunks += 1;
    run = await sink.keep(run, part.entries, rowOf);
    await sink.write(run, chunks, part);
    counts = addCounts(counts, countEntries(part.entries));
    postponed += part.postponed.length;
    run = { ...run, ...takenWith(run, part) };
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
  work: FetchWork,
): Promise<{ run: UnfinishedRun; done: boolean }> => {
  const { pass, sink, time, clock, log } = work;
  if (!pass.hasPostponed()) return { run: begun, done: true };
  const place = await pass.openPlacing();
  let run = begun;
  for await (const { index, records } of sink.postponed(begun)) {
    const { checkpoint } = run;
    if (checkpoint === undefined || index <= (checkpoint.judged ?? 0)) continue;
    if (run !== begun && time.isUp()) return { run, done: false };
    const part = await takeOn(place(records, run, clock.nowMs()), run, work);
    const chunks = checkpoint.chunks + 1;
    // What was postponed is known by its body only.
    run = await sink.keep(run, part.entries, () => undefined);
    await sink.write(run, chunks, part);
    const { integration, runId } = run;
    const counts = countEntries(part.entries);
    run = {
      ...run,
      counts: { ...run.counts, ...addCounts(run.counts, counts) },
      ...noteInvalidRows(run.invalidRows, part.entries),
      ...takenWith(run, part),
      checkpoint: { ...checkpoint, chunks, judged: index },
    };
    await sink.save(run);
    // Measured like a page: these records were not counted with their page.
    log.info('page', { integration, runId, ...counts, requests: 0 });
  }
  return { run, done: true };
};

/** What the run left out and took over, with that of one more part. */
const takenWith = ({ leftOut = 0, adoption }: UnfinishedRun, part: Part): Partial<UnfinishedRun> => ({
  ...(leftOut + part.leftOut > 0 && { leftOut: leftOut + part.leftOut }),
  ...(adoption && {
    adoption: {
      ...adoption,
      adopted: adoption.adopted + part.toAdopt.length,
      known: adoption.known + part.known,
    },
  }),
});

/** The run's limits with those that a page hit; where it was put off, until another invocation may ask. */
const limitsWith = (run: UnfinishedRun, page: PageResult, nowMs: number): Pick<UnfinishedRun, 'limits'> => {
  if (page.limits === undefined) return {};
  const untilMs = page.kind === 'later' && page.limits.putOff > 0 ? page.retryAtMs : nowMs;
  const heldMs = Math.min(MAX_DELAY_SEC * 1_000, Math.max(0, untilMs - nowMs));
  const hits: LimitHits = { ...page.limits, heldMs: page.limits.heldMs + heldMs };
  const { source, target } = limitsOf(run);
  return { limits: { source: addHits(source, hits), target } };
};
