import type { TokenStore } from '../connection/auth/token.ts';
import { type Http, lazyHttp } from '../connection/http.ts';
import type { HealthStore } from '../connection/limit/health.ts';
import type { RateLimiter } from '../connection/limit/rate-limit.ts';
import type { Env, SecretStore } from '../connection/secrets.ts';
import type { IdStore } from '../idcheck/store.ts';
import type { ReadableQueue } from '../messages/queue.ts';
import type { RunStore } from '../runs/store.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import type { Log, LogEvent } from '../runtime/log.ts';
import { type Random, systemRandom } from '../runtime/random.ts';
import { standardTuning, type Tuning } from '../runtime/tuning.ts';
import type { AuditLog } from './audit.ts';

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
