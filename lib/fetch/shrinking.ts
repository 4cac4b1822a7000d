import { addWarnings, type ExtractedRun, type UnfinishedRun } from '../runs/record.ts';
import type { FetchPlan } from './fetch-plan.ts';

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
