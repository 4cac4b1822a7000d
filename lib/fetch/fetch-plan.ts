import type { IdStore } from '../idcheck/store.ts';
import { type RunPlan, runPlanOf } from '../integration/compile/run-plan.ts';
import { transformPlanOf } from '../integration/compile/transform-plan.ts';
import type { DependsOn, Integration } from '../integration/schema/schema.ts';
import type { Queue } from '../messages/queue.ts';
import type { RunRecord } from '../runs/record.ts';
import type { RunStore } from '../runs/store.ts';
import type { Clock } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import type { Log } from '../runtime/log.ts';
import type { Random } from '../runtime/random.ts';
import type { Tuning } from '../runtime/tuning.ts';
import type { Source } from '../source/source.ts';
import { type Mapped, mapDeletion } from '../transform/map.ts';
import { openTransform, type Transform } from '../transform/transform.ts';
import type { FetchEvent } from './events.ts';

/** What fetching one integration needs to know. What is absent, the integration does not ask for. */
export type FetchPlan = Omit<RunPlan, 'deletion'> & {
  source: Source;
  transform: Transform;
  /** No record is loaded before its parent. */
  tree?: DependsOn;
  /** Vanished ids are deleted in the target where no more than this share vanished; absent: they are reported. */
  deletion?: { maxShare: number; bodyOf(id: string): Mapped };
};

export type FetchDeps = {
  idStore: IdStore;
  records: Queue;
  /** Where a run that is out of time asks to be continued (the runs queue). */
  runRequests: Queue;
  /** Where rows go that a window leaves behind. */
  deadLetters: Queue;
  runs: RunStore;
  /** How long one invocation may work on a run, ms; absent: as long as Lambda allows. */
  timeBudgetMs?: number;
  clock: Clock;
  random: Random;
  log: Log<FetchEvent>;
  tuning: Pick<Tuning, 'fetch'>;
  /** Told of a run that is incomplete or has failed, and what was known before: the status of the run before it. */
  onFailed?: (run: RunRecord, before: Pick<RunRecord, 'status'>) => Promise<void>;
};

/** What an integration's file says of fetching it from `source`. */
export const fetchPlanOf = (integration: Integration, source: Source): FetchPlan => {
  const { deletion, ...run } = runPlanOf(integration);
  const records = transformPlanOf(integration);
  return {
    ...run,
    source,
    transform: openTransform(records),
    ...defined({ tree: records.dependsOn }),
    ...(deletion && {
      deletion: { maxShare: deletion.maxShare, bodyOf: (id: string) => mapDeletion(deletion.body, id) },
    }),
  };
};
