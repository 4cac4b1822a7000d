import { type Http, lazyHttp } from '../connection/http.ts';
import type { Env } from '../connection/secrets.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import type { Log, LogEvent } from '../runtime/log.ts';
import { type Random, systemRandom } from '../runtime/random.ts';

/** What a process has of its own beside its stores: time, chance, a log, variables, and the way to other servers. */
export type Runtime<Event extends LogEvent> = { clock: Clock; random: Random; log: Log<Event>; env: Env; http: Http };

/** This machine's. */
export const systemRuntime = <Event extends LogEvent>(env: Env, log: Log<Event>): Runtime<Event> => ({
  clock: systemClock,
  random: systemRandom,
  log,
  env,
  http: lazyHttp,
});
