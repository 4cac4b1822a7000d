import { type DryRun, dryRun } from '../fetch/dry-run.ts';
import type { FetchDeps, FetchPlan } from '../fetch/fetch-plan.ts';
import type { ReadableQueue } from '../messages/queue.ts';
import type { Selection } from '../messages/run-request.ts';
import { defined } from '../runtime/defined.ts';
import type { Stores } from '../stores/stores.ts';

const PLAN_WITHIN_MS = 15 * 60_000;
const SAMPLE_PER_KIND = 5;

export type PlanOptions = {
  /** As if nothing were known. */
  fresh?: boolean;
  fullRefresh?: boolean;
  /** What the run would be asked to take on; absent: all. */
  selection?: Selection;
  /** Records of each kind that are named, unchanged ones too; absent: a few, without unchanged ones. */
  show?: number;
};

/** What the next run would do; nothing is sent to the target, no queue and no idCheck item is written. */
export const planRun = (
  plan: FetchPlan,
  { fresh = false, fullRefresh = false, selection, show }: PlanOptions,
  {
    idStore,
    runs,
    records,
    clock,
    tuning,
  }: Pick<Stores, 'idStore' | 'runs'> & Pick<FetchDeps, 'clock' | 'tuning'> & { records: Pick<ReadableQueue, 'depth'> },
): Promise<DryRun> =>
  dryRun(
    plan,
    fresh
      ? { idStore: { ...idStore, scan: nothing }, records: { depth: async () => noMessages }, runs, clock, tuning }
      : { idStore, records, runs, clock, tuning },
    {
      fullRefresh,
      ...defined({ selection }),
      samplePerKind: show ?? SAMPLE_PER_KIND,
      showsUnchanged: show !== undefined,
    },
    () => PLAN_WITHIN_MS,
  );

const noMessages = { visible: 0, inFlight: 0, delayed: 0 };

async function* nothing(): AsyncIterable<never> {}
