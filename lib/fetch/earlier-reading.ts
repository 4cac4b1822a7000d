import { differentRows } from '../runs/books.ts';
import {
  addWarnings,
  type ExtractedRun,
  isUnfinished,
  type RunRecord,
  runFailureOf,
  type UnfinishedRun,
} from '../runs/record.ts';
import type { RunStore } from '../runs/store.ts';
import { defined } from '../runtime/defined.ts';
import type { FetchPlan } from './fetch-plan.ts';

/** Most often the run before is among the newest few; after a long outage of the source it may be far back. */
const LOOKED_THROUGH = [10, 200] as const;

const endedMs = (run: RunRecord): number => run.extractedMs ?? run.startedMs;

const latest = <Run extends RunRecord>(runs: readonly Run[]): Run | undefined =>
  runs.reduce<Run | undefined>(
    (last, run) => (last !== undefined && endedMs(last) >= endedMs(run) ? last : run),
    undefined,
  );

/** What a run finds of those before it. */
export type Earlier = {
  /** The last reading that came to its end; absent where it was one of another source: the two cannot be compared. */
  reading?: ExtractedRun;
  /** The mapping under which the last run that sent anything did so, whole or not. */
  mapping?: string;
};

/** The mapping that a run put records under. One that took on a few of them, or sent nothing, put none under its own. */
export const mappingLeftBy = (run: RunRecord): string | undefined => {
  const hasMoved = run.counts.enqueued > 0 && run.selection === undefined && run.adoption === undefined;
  return isUnfinished(run) && !hasMoved ? run.mappingBefore : run.mapping;
};

const leftBy = (runs: readonly RunRecord[]): string | undefined => {
  const last = latest(runs.filter((run) => mappingLeftBy(run) !== undefined));
  return last && mappingLeftBy(last);
};

/** Whether a run has read the source to its end: one whose target had moved did not read at all. */
const hasRead = (run: RunRecord): run is ExtractedRun => !isUnfinished(run) && runFailureOf(run) !== 'target-moved';

/**
 * The last reading before this run's that came to its end: incomplete ones between them do not count. Runs are listed
 * by their scheduled time, and a run that had to wait for another one reads later than that.
 */
export const earlierRuns = async (
  {
    integration,
    runId,
    startedMs,
    sourceSinceMs = 0,
    mappingBefore,
  }: Pick<UnfinishedRun, 'integration' | 'runId' | 'startedMs' | 'sourceSinceMs' | 'mappingBefore'>,
  runs: Pick<RunStore, 'runs'>,
): Promise<Earlier> => {
  for (const limit of LOOKED_THROUGH) {
    const found = await runs.runs(integration, limit);
    const before = found.filter((run) => run.runId !== runId && run.startedMs <= startedMs);
    const last = latest(before.filter(hasRead));
    const reading = last !== undefined && last.startedMs > sourceSinceMs ? last : undefined;
    if (last !== undefined || found.length < limit)
      return defined({ reading, mapping: mappingBefore ?? leftBy(before) });
  }
  return {};
};

/**
 * Says of a snapshot that it is much smaller than the one before, repeated rows left aside: then something is wrong with the source rather than
 * with most of its records, and nothing follows from their absence. It stays so until as many rows come again, somebody
 * says yes, or the file asks for less (`source.minShare`). Pure.
 */
export const noteShrinking = (
  run: UnfinishedRun,
  earlier: ExtractedRun | undefined,
  { minShare }: Pick<FetchPlan, 'minShare'>,
): UnfinishedRun => {
  // A list of changes may be of any length.
  if (run.window !== undefined || earlier === undefined || earlier.window !== undefined) return run;
  if (run.confirmed === true || run.shrunkFrom !== undefined) return run;
  const from = earlier.shrunkFrom ?? differentRows(earlier.counts);
  const came = differentRows(run.counts);
  if (came >= minShare * from) return run;
  const share = `${came} rows came, ${from} before, less than source.minShare (${minShare})`;
  const message = `${share}: nothing follows from absence. "run --yes" takes this list as it is`;
  return {
    ...run,
    shrunkFrom: from,
    warnings: addWarnings(run.warnings, [{ code: 'snapshot-shrunk', count: 1, message }]),
  };
};
