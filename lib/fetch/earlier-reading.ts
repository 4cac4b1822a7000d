import type { ExtractedRun, UnfinishedRun } from '../runs/record.ts';
import { isUnfinished } from '../runs/record.ts';
import type { RunStore } from '../runs/store.ts';

/** Mostly the run just before is the one; where the source was down for long, many are looked through. */
const LOOKED_THROUGH = [3, 200] as const;

/** The last run before this one that was read to its end: incomplete ones between them do not count. */
export const earlierReading = async (
  { integration, runId, startedMs }: Pick<UnfinishedRun, 'integration' | 'runId' | 'startedMs'>,
  runs: Pick<RunStore, 'runs'>,
): Promise<ExtractedRun | undefined> => {
  for (const limit of LOOKED_THROUGH) {
    const found = await runs.runs(integration, limit);
    const before = found.filter((run) => run.runId !== runId && run.startedMs <= startedMs);
    const earlier = before.find((run): run is ExtractedRun => !isUnfinished(run));
    if (earlier !== undefined || found.length < limit) return earlier;
  }
  return undefined;
};
