import { isBalanced } from '../runs/books.ts';
import { addWarnings, type RunRecord } from '../runs/record.ts';
import { driftOf } from './fields.ts';
import { judgeHeldRecords } from './judge-held.ts';
import type { RunWork } from './run-work.ts';
import { sendDeletions } from './send-deletions.ts';
import { concludeVanished } from './vanished.ts';

const VANISHED_SAMPLE = 20;

/**
 * What is left to do once all pages are read: place the records that were held back, conclude what vanished, and hand
 * the run over to loading. `unfinished`: time is up, another invocation goes on from the checkpoint.
 */
export const finishRun = async (
  begun: RunRecord,
  work: RunWork,
  isTimeUp: () => boolean,
): Promise<'extracted' | 'unfinished'> => {
  const { deps } = work;
  const judged = await judgeHeldRecords(await withDrift(begun, work), work, isTimeUp);
  if (!judged.done) return 'unfinished';
  const absent = [...work.known.vanished()];
  const concluded = await conclude(judged.run, absent, work);
  if (concluded.deletions !== undefined) {
    const sent = await sendDeletions(concluded, absent, work, isTimeUp);
    if (!sent.done) return 'unfinished';
    await handOver(sent.run, deps);
  } else {
    await handOver(concluded, deps);
  }
  return 'extracted';
};

/** Runs looked back on for one that learnt the fields of its answers. */
const RUNS_LOOKED_AT = 10;

/** Says how the fields of the answers differ from those that the last run with records learnt; once for the run. */
const withDrift = async (run: RunRecord, { fetching, deps }: RunWork): Promise<RunRecord> => {
  const isGoneOnWith = (run.checkpoint?.judged ?? 0) > 0 || run.deletions !== undefined;
  if (fetching.learns === undefined || isGoneOnWith) return run;
  const { integration, runId } = run;
  const earlier = (await deps.runs.runs(integration, RUNS_LOOKED_AT)).find(
    (other) => other.runId !== runId && other.extractedMs !== undefined && other.fields !== undefined,
  );
  const before = earlier?.fields;
  if (before === undefined || run.fields === undefined) return run;
  // An empty list has no fields: what is known stays known.
  if (Object.keys(run.fields).length === 0) return { ...run, fields: before };
  const drift = driftOf(before, run.fields, fetching.learns.mapped);
  for (const { code, message } of drift) deps.log.warn('field-drift', { integration, runId, code, words: message });
  return { ...run, warnings: addWarnings(run.warnings, drift) };
};

/** Names what vanished, once for the run: deletions that are under way must not change the share. */
const conclude = async (run: RunRecord, absent: readonly string[], { fetching, known, deps }: RunWork) => {
  if (run.deletions !== undefined) return run;
  const { deletion } = fetching;
  const rule =
    deletion === undefined
      ? { action: 'report' as const, maxShare: 0 }
      : { action: 'post' as const, maxShare: deletion.maxShare };
  const { vanished, deletes, warnings } = concludeVanished(absent.length, known.loadedCount, run.warnings, rule);
  const { integration, runId } = run;
  for (const { code, message } of warnings)
    deps.log.warn('vanished-warning', { integration, runId, code, words: message });
  const concluded: RunRecord = {
    ...run,
    vanished,
    vanishedSample: vanished === 0 ? [] : absent.slice(0, VANISHED_SAMPLE),
    warnings: addWarnings(run.warnings, warnings),
    ...(deletes && { deletions: { enqueued: 0, loaded: 0, superseded: 0, rejected: 0, uncertain: 0, open: 0 } }),
  };
  if (deletes) await deps.runs.saveRun(concluded);
  return concluded;
};

const handOver = async (run: RunRecord, { runs, watermarks, clock, log }: RunWork['deps']): Promise<void> => {
  const { checkpoint: last, ...rest } = run;
  const nowMs = clock.nowMs();
  const extracted: RunRecord = { ...rest, status: 'loading', extractedMs: nowMs, chunks: last?.chunks ?? 0 };
  const { integration, runId, counts, window, vanished } = extracted;
  const isDone = counts.enqueued === 0 && (extracted.deletions?.enqueued ?? 0) === 0 && isBalanced(extracted);
  if (isDone && window !== undefined) await watermarks?.moveWatermark(integration, window.toMs);
  await runs.saveRun(isDone ? { ...extracted, status: 'balanced', closedMs: nowMs } : extracted);
  const { fetched, enqueued, unchanged } = counts;
  log.info('run-extracted', { integration, runId, fetched, unchanged, enqueued, vanished });
};
