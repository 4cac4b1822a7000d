import type { HealthView } from '../connection/limit/health.ts';
import { limitOf, type RateLimit, type RateLimiter } from '../connection/limit/rate-limit.ts';
import type { Env } from '../connection/secrets.ts';
import type { DispatchPlan } from '../dispatch/dispatch.ts';
import type { IdStore } from '../idcheck/item.ts';
import { type RunPlan, runPlanOf, transformPlanOf } from '../integration/compile/run-plan.ts';
import type { DependsOn, Integration } from '../integration/schema/schema.ts';
import type { Queue, ReadableQueue } from '../messages/queue.ts';
import type { OwnEnds } from '../runs/ends.ts';
import type { ExtractCounts, RunRecord } from '../runs/record.ts';
import type { RunStore } from '../runs/store.ts';
import type { Clock } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import type { EventsOf, Log } from '../runtime/log.ts';
import type { Random } from '../runtime/random.ts';
import type { Tuning } from '../runtime/tuning.ts';
import type { Source } from '../source/source.ts';
import { type Mapped, mapDeletion } from '../transform/map.ts';
import { openTransform, type Transform } from '../transform/transform.ts';
import type { Start } from './decide-start.ts';

type OfRun = { integration: string; runId: string };
/** A code with its words for people. */
type Said = OfRun & { code: string; words: string };

/** What fetching logs. */
export type FetchEvent = EventsOf<{
  'run-started': OfRun;
  /** An earlier invocation's run is resumed at its checkpoint. */
  'run-resumed': OfRun;
  'run-not-started': OfRun & { why: Exclude<Start['kind'], 'start' | 'resume'> | 'lease lost' | 'paused' };
  'health-unreachable': { connection: string; error: string };
  /** `held`: records whose outcome is known only after the last page. */
  page: OfRun & ExtractCounts & { held?: number; requests: number };
  'source-warning': Said;
  'field-drift': Said;
  'vanished-warning': Said;
  'deletions-sent': OfRun & { deletions: number };
  'run-extracted': OfRun & Pick<ExtractCounts, 'fetched' | 'unchanged' | 'enqueued'> & { vanished: number };
  'run-incomplete': Said;
  /** The list was read to its end and is not trusted as a whole. */
  'run-failed': Said;
  /** Left to a later invocation; the queue took the request or did not. */
  'run-continued': OfRun & { delaySec: number; accepted: boolean };
  /** Another run is under way; its schedule's request waits for it. */
  'run-waits': { integration: string; delaySec: number; accepted: boolean };
}>;

/** What fetching one integration needs to know. What is absent, the integration does not ask for. */
export type FetchPlan = Omit<RunPlan, 'deletion'> & {
  source: Source;
  transform: Transform;
  /** The limit of requests to the target; absent: there is none. */
  limit?: RateLimit;
  /** The addresses of both ends as they are now. Throws `ConfigurationError` and `SecretUnreadableError`. */
  ends(): Promise<OwnEnds>;
  /** No record is loaded before its parent. */
  tree?: DependsOn;
  /** Vanished ids are deleted in the target where no more than this share vanished; absent: they are reported. */
  deletion?: { maxShare: number; bodyOf(id: string): Mapped };
};

export type FetchDeps = {
  idStore: IdStore;
  records: Queue & Pick<ReadableQueue, 'depth'>;
  /** Where a run that is out of time asks to be continued (the runs queue). */
  runRequests: Queue;
  /** Where rows go that a window leaves behind. */
  deadLetters: Queue;
  runs: RunStore;
  /** Of the target: who is sent when. */
  limiter: Pick<RateLimiter, 'book'>;
  /** Of the connection to the target. */
  health: Pick<HealthView, 'change'>;
  /** How long one invocation may work on a run, ms; absent: as long as Lambda allows. */
  timeBudgetMs?: number;
  clock: Clock;
  random: Random;
  log: Log<FetchEvent>;
  tuning: Pick<Tuning, 'fetch' | 'load' | 'dispatch' | 'books'>;
  /** Told of a run that is incomplete or has failed, and what was known before: the status of the run before it. */
  onFailed?: (run: RunRecord, before: Pick<RunRecord, 'status'>) => Promise<void>;
};

/** The limit of requests to an integration's target; undefined: none. Throws ConfigurationError. */
const targetLimitOf = ({ name, target }: Integration, env: Env): RateLimit | undefined =>
  limitOf(target.rateLimit, { file: `integrations/${name}.json`, path: 'target' }, env);

/** What an integration's file says of sending what waits in its ledgers. Throws ConfigurationError. */
export const dispatchPlanOf = (integration: Integration, env: Env): DispatchPlan => {
  const { integration: name, target, rows } = runPlanOf(integration);
  return { integration: name, target, rows, ...defined({ limit: targetLimitOf(integration, env) }) };
};

/**
 * What an integration's file says of fetching it from `source`; `ends`: where its ends are; `env`: where limits may stand.
 * Throws ConfigurationError.
 */
export const fetchPlanOf = (integration: Integration, source: Source, ends: FetchPlan['ends'], env: Env): FetchPlan => {
  const { deletion, ...run } = runPlanOf(integration);
  const records = transformPlanOf(integration);
  return {
    ...run,
    source,
    transform: openTransform(records),
    ends,
    ...defined({ tree: records.dependsOn, limit: targetLimitOf(integration, env) }),
    ...(deletion && {
      deletion: { maxShare: deletion.maxShare, bodyOf: (id: string) => mapDeletion(deletion.body, id) },
    }),
  };
};
