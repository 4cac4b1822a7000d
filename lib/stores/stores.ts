import type { TokenStore } from '../connection/auth/token.ts';
import { type Http, lazyHttp } from '../connection/http.ts';
import type { HealthStore } from '../connection/limit/health.ts';
import type { RateLimiter } from '../connection/limit/rate-limit.ts';
import type { Env, SecretStore } from '../connection/secrets.ts';
import type { IdStore } from '../idcheck/item.ts';
import type { ReadableQueue } from '../messages/queue.ts';
import type { RunStore } from '../runs/store.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import type { Log, LogEvent } from '../runtime/log.ts';
import { type Random, systemRandom } from '../runtime/random.ts';
import { standardTuning, type Tuning } from '../runtime/tuning.ts';

/**
 * What a person does to a dead letter, to a record whose letter is gone, to what is known of the target or to the name of
 * an integration, or says of an end at another address.
 */
export const auditActions = [
  'replayed',
  'discarded',
  'resolved-loaded',
  'resolved-not-loaded',
  'resent',
  'adopted',
  'source-same',
  'source-new',
  'target-same',
  'target-new',
  'renamed',
  'paused',
  'resumed',
] as const;

/** In place of an id: of all records of the integration. No record has such an id. */
export const OF_ALL = '';

/** What a person did, or was about to do when something broke. */
export type AuditEntry = {
  atMs: number;
  action: (typeof auditActions)[number];
  /** Absent: a letter that nobody could read names no integration. */
  integration?: string;
  /**
   * The record's id; for an unreadable letter its message id; for what was taken over the run's; `OF_ALL` where it is
   * about all.
   */
  id: string;
  /** The letter's reason, or `none` where no letter waited; of an end, its address before and now; of a name, the other. */
  reason: string;
  /** Who did it, as the operator's machine names him. */
  by: string;
  /** Why, in his own words. */
  why: string;
};

/** Who did what by hand, and why, as a port. Entries are never changed and never expire. */
export interface AuditLog {
  add(entry: AuditEntry): Promise<void>;
  /** The entries of an integration, or of one id of it, oldest first. */
  list(integration: string | undefined, id?: string): Promise<AuditEntry[]>;
}

/**
 * All ports of one engine. AWS gives them (lib/aws/stores.ts), so do the fakes of the tests and a simulated world; flows,
 * operations and commands take what they need of them and do not know which engine it is.
 */
export type Stores = {
  idStore: IdStore;
  runs: RunStore;
  /** Records on their way to the target. */
  records: ReadableQueue;
  /** Where runs are asked for, and where a run that is out of time asks to be continued. */
  runRequests: ReadableQueue;
  deadLetters: ReadableQueue;
  limiter: RateLimiter;
  health: HealthStore;
  tokens: TokenStore;
  secrets: SecretStore;
  audit: AuditLog;
};

/** Stores that hold something open: connections, or a file. */
export type OpenStores = Stores & { close(): void };

/**
 * What a process has of its own beside its stores: time, chance, a log, variables, the way to other servers, and the
 * numbers that decide.
 */
export type Runtime<Event extends LogEvent> = {
  clock: Clock;
  random: Random;
  log: Log<Event>;
  env: Env;
  http: Http;
  tuning: Tuning;
};

/** This machine's. */
export const systemRuntime = <Event extends LogEvent>(env: Env, log: Log<Event>): Runtime<Event> => ({
  clock: systemClock,
  random: systemRandom,
  log,
  env,
  http: lazyHttp,
  tuning: standardTuning,
});
