import { type Http, lazyHttp } from '../connection/http.ts';
import type { Env } from '../connection/secrets.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import type { Log, LogEvent } from '../runtime/log.ts';
import { type Random, systemRandom } from '../runtime/random.ts';
import { standardTuning, type Tuning } from '../runtime/tuning.ts';

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
