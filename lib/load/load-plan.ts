import type { Address } from '../connection/api/connection.ts';
import type { HealthView, RestNews } from '../connection/limit/health.ts';
import type { RateLimiter } from '../connection/limit/rate-limit.ts';
import type { LoadPolicy } from '../idcheck/decide.ts';
import type { IdStore } from '../idcheck/item.ts';
import { loadPolicyOf } from '../integration/compile/target-plan.ts';
import type { Integration, Retry } from '../integration/schema/schema.ts';
import type { Conflict } from '../integration/schema/target-schema.ts';
import type { Queue } from '../messages/queue.ts';
import type { RunStore } from '../runs/store.ts';
import type { Clock } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import type { Log } from '../runtime/log.ts';
import type { Random } from '../runtime/random.ts';
import type { LoadTuning, Tuning } from '../runtime/tuning.ts';
import type { Target } from '../target/target.ts';
import type { LoadEvent } from './events.ts';

/** What loading the records of one integration needs to know, as its file says it. */
export type OpenedPlan = {
  integration: string;
  policy: LoadPolicy;
  retry: Retry;
  /** What a 409 means; absent: that depends on whether the record was tried before. */
  conflict?: Conflict;
  target: Target;
  /** Where the target is now. Throws `ConfigurationError` and `SecretUnreadableError`. */
  address(): Promise<Address>;
  /** Of records whose parent was rejected: rejected too (the default), or sent like roots. */
  rejectedParent?: 'reject' | 'root';
};

/** The same for one batch, which loads into one state. */
export type LoadPlan = OpenedPlan & {
  /** Under which name idCheck keeps it. */
  state: string;
};

/** What an integration's file says of loading its records to `target`, which is at `address`. */
export const loadPlanOf = (integration: Integration, target: Target, address: OpenedPlan['address']): OpenedPlan => ({
  integration: integration.name,
  policy: loadPolicyOf(integration),
  retry: integration.target.retry,
  ...defined({ conflict: integration.target.conflict }),
  target,
  address,
  ...defined({ rejectedParent: integration.transform.dependsOn?.rejectedParent }),
});

export type LoaderDeps = {
  /** Opens an integration by name; undefined: there is none of that name. Throws ConfigurationError. */
  open(integration: string): Promise<OpenedPlan | undefined>;
  idStore: IdStore;
  records: Queue;
  deadLetters: Queue;
  limiter: Pick<RateLimiter, 'acquire' | 'receive' | 'pause'>;
  health: HealthView;
  runs: Pick<RunStore, 'addTargetUse' | 'noteRest' | 'ends'>;
  clock: Clock;
  random: Random;
  log: Log<LoadEvent>;
  tuning: Pick<Tuning, 'load' | 'connection'>;
  /** Told of each rest once as it begins and once as it ends. */
  onRest?: (news: RestNews) => Promise<void>;
};

/**
 * Lifetimes, shortest first; each must outlast the one before:
 *
 *   longest POST < claim < visibility timeout ≤ queue retention < dead-letter retention
 *
 * The claim covers the whole POST and the settling write after it. Visibility is 360 s (serverless.yml).
 */
export const claimMsOf = (target: Target, { settleReserveMs }: LoadTuning): number =>
  target.longestPostMs + settleReserveMs;
