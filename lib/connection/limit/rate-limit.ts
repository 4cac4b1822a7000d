import * as z from 'zod/mini';
import type { Clock } from '../../runtime/clock.ts';
import { ConfigurationError, type FaultPlace } from '../../runtime/fault.ts';
import { once } from '../../runtime/once.ts';
import { type Env, variableIn, variableName } from '../secrets.ts';

/** A limit of our own on requests, stated in the file or in the environment. */
export const rateLimitSchema = /* @__PURE__ */ once(() =>
  z
    .union(
      [
        z.strictObject({
          requests: z
            .int()
            .check(z.minimum(1), z.maximum(100_000), z.describe('Requests per interval. 每个区间的请求数。')),
          intervalMs: z
            .int()
            .check(
              z.minimum(1),
              z.maximum(86_400_000),
              z.describe('Length of the interval in milliseconds. 区间毫秒数。'),
            ),
        }),
        z.strictObject({
          env: variableName(
            'Variable holding "REQUESTS/SECONDSs", e.g. "60/60s"; unset: no limit. 形如 "60/60s" 的环境变量。',
          ),
        }),
      ],
      '{"requests": N, "intervalMs": N} or {"env": "NAME"} for a variable such as "60/60s"',
    )
    .check(
      z.meta({
        id: 'rateLimit',
        description: 'At most this many requests by all workers together. 所有并发进程共享的限流。',
      }),
    ),
);

export type RateLimitSetting = z.infer<ReturnType<typeof rateLimitSchema>>;

/** At most `requests` in any `intervalMs`, over all workers of the connection. */
export type RateLimit = { requests: number; intervalMs: number };

/** `60/60s`, `10/1s`: requests per seconds. */
const SETTING = /^(?<requests>[1-9]\d{0,5})\/(?<seconds>[1-9]\d{0,4})s$/;

/**
 * The limit that a setting states, directly or by an environment variable; undefined: none, also where the variable is
 * not set. Throws ConfigurationError where the variable holds anything but a limit: a typo must not lift the limit.
 * `block` is the block that holds `rateLimit`.
 */
export const limitOf = (setting: RateLimitSetting | undefined, block: FaultPlace, env: Env): RateLimit | undefined => {
  if (setting === undefined || 'requests' in setting) return setting;
  const text = variableIn(env, setting.env);
  if (text === '') return undefined;
  const { requests, seconds } = SETTING.exec(text)?.groups ?? {};
  if (requests !== undefined && seconds !== undefined) {
    return { requests: Number(requests), intervalMs: Number(seconds) * 1000 };
  }
  const expected = `REQUESTS/SECONDSs, such as "60/60s", in environment variable ${setting.env}`;
  throw new ConfigurationError([
    { file: block.file, path: `${block.path}.rateLimit`, expected, found: 'another text' },
  ]);
};

/**
 * Permission to send one request, not before its time and not after `untilMs` (whole ms); what is not sent by then is
 * void. A timer may fire a ms early: compare with the clock before sending.
 */
export type Permit = { notBeforeMs: number; untilMs: number };

/** Until when a connection is paused, ms since the epoch, and what was said; pauses of an earlier version say nothing. */
export type Pause = { untilMs: number; why?: string };

/**
 * A rate limit shared by all workers of one connection, as a port (one DynamoDB item).
 *
 * With `limit` undefined only pauses hold. A pause does not call back permits that were leased before it: a worker
 * that holds some asks again without a limit (one read a second) before it sends a late one.
 */
export interface RateLimiter {
  /**
   * Leases up to `count` permits that all start before `deadlineMs`. Fewer, or none, when the limit or a pause does
   * not allow more in time: then `retryAtMs` says when to ask again.
   */
  acquire(
    connection: string,
    limit: RateLimit | undefined,
    count: number,
    deadlineMs: number,
  ): Promise<{ permits: Permit[]; retryAtMs: number }>;
  /**
   * Holds every worker of the connection until `untilMs` (429, Retry-After, lock-out); `why` is kept for people. Never shortens a pause. Gives by
   * how many ms it made the pause longer: added up over all workers that is how long the connection was paused.
   */
  pause(connection: string, untilMs: number, why: string): Promise<number>;
  /** The pause that holds now; `why` in the words of who asked for it. */
  pauseOf(connection: string): Promise<Pause | undefined>;
  /** Ends a pause: who asked for it is no longer at the end of the connection. What was leased stays counted. */
  endPause(connection: string): Promise<void>;
}

/** Waits until one request may be sent, or says when to ask again. */
export type AwaitPermit = () => Promise<{ granted: true } | { granted: false; retryAtMs: number }>;

/**
 * Waits for permits by the connection's shared limit, one for each request, as long as a request could still begin by
 * `lastStartMs` (ms since the epoch). `onWait` is told of each wait, in ms.
 */
export const permitsByLimit =
  (
    limiter: Pick<RateLimiter, 'acquire'>,
    connection: string,
    limit: RateLimit | undefined,
    clock: Clock,
    lastStartMs: number,
    onWait: (waitMs: number) => void = () => {},
  ): AwaitPermit =>
  async () => {
    for (;;) {
      const { permits, retryAtMs } = await limiter.acquire(connection, limit, 1, lastStartMs);
      const [permit] = permits;
      const wakeMs = permit ? permit.notBeforeMs : Math.max(retryAtMs, clock.nowMs() + 1);
      if (wakeMs > lastStartMs) return { granted: false, retryAtMs: wakeMs };
      // Timers take whole milliseconds, and must not go off before the permit begins.
      const waitMs = Math.ceil(wakeMs - clock.nowMs());
      if (waitMs > 0) onWait(waitMs);
      await clock.sleep(waitMs);
      // A permit that ran out while this process was frozen is no permit.
      if (permit && clock.nowMs() <= permit.untilMs) return { granted: true };
    }
  };
