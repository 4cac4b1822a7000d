import { addWarnings, type ExtractedRun, isUnfinished, type UnfinishedRun } from '../runs/record.ts';
import type { RunStore } from '../runs/store.ts';
import type { FetchPlan } from './fetch-plan.ts';

/** Most often the run before is among the newest few; after a long outage of the source it may be far back. */
const LOOKED_THROUGH = [10, 200] as const;

const latest = (runs: readonly ExtractedRun[]): ExtractedRun | undefined =>
  runs.reduce<ExtractedRun | undefined>(
    (last, run) => (last !== undefined && last.extractedMs >= run.extractedMs ? last : run),
    undefined,
  );

/**
 * The last reading before this run's that came to its end: incomplete ones between them do not count. Runs are listed
 * by their scheduled time, and a run that had to wait for another one reads later than that.
 */
export const earlierReading = async (
  { integration, runId, startedMs }: Pick<UnfinishedRun, 'integration' | 'runId' | 'startedMs'>,
  runs: Pick<RunStore, 'runs'>,
): Promise<ExtractedRun | undefined> => {
  for (const limit of LOOKED_THROUGH) {
    const found = await runs.runs(integration, limit);
    const before = found.filter((run) => run.runId !== runId && run.startedMs <= startedMs);
    const earlier = latest(before.filter((run): run is ExtractedRun => !isUnfinished(run)));
    if (earlier !== undefined || found.length < limit) return earlier;
  }
  return undefined;
};

/**
 * Says of a snapshot that it is much smaller than the one before: then something is wrong with the source rather than
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
  const from = earlier.shrunkFrom ?? earlier.counts.fetched;
  const { fetched } = run.counts;
  if (fetched >= minShare * from) return run;
  const share = `${fetched} rows came, ${from} before, less than source.minShare (${minShare})`;
  const message = `${share}: nothing follows from absence. "run --yes" takes this list as it is`;
  return {
    ...run,
    shrunkFrom: from,
    warnings: addWarnings(run.warnings, [{ code: 'snapshot-shrunk', count: 1, message }]),
  };
};
