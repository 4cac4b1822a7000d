import type { ExtractedRun, UnfinishedRun } from '../runs/record.ts';
import { isUnfinished } from '../runs/record.ts';
import type { RunStore } from '../runs/store.ts';

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
