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
          burst: z.exactOptional(
            z
              .int()
              .check(
                z.minimum(1),
                z.maximum(100_000),
                z.describe(
                  'How many of them may go out together; 1: evenly spaced. Default: 20, and 1 for intervals below 10 s. ' +
                    '可一次连续发出的请求数；1 表示均匀发送。默认 20；区间小于 10 秒时为 1。',
                ),
              ),
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

/** At most `requests` in any `intervalMs`, over all workers of the connection, `burst` of them together. */
export type RateLimit = { requests: number; intervalMs: number; burst?: number };

/** A limit as it is stored beside what was granted under it: another text is another limit. */
export const rateText = ({ requests, intervalMs, burst }: RateLimit): string =>
  [requests, intervalMs, ...(burst === undefined ? [] : [burst])].join('/');

/** `60/60s`, `10/1s`: requests per seconds; `60/60s/30`: 30 of them together. */
const SETTING = /^(?<requests>[1-9]\d{0,5})\/(?<seconds>[1-9]\d{0,4})s(?:\/(?<burst>[1-9]\d{0,5}))?$/;

/**
 * The limit that a setting states, directly or by an environment variable; undefined: none, also where the variable is
 * not set. Throws ConfigurationError where the variable holds anything but a limit: a typo must not lift the limit.
 * `block` is the block that holds `rateLimit`.
 */
export const limitOf = (setting: RateLimitSetting | undefined, block: FaultPlace, env: Env): RateLimit | undefined => {
  if (setting === undefined || 'requests' in setting) return setting;
  const text = variableIn(env, setting.env);
  if (text === '') return undefined;
  const { requests, seconds, burst } = SETTING.exec(text)?.groups ?? {};
  if (requests !== undefined && seconds !== undefined && Number(burst ?? 1) <= Number(requests)) {
    const rate = { requests: Number(requests), intervalMs: Number(seconds) * 1000 };
    return burst === undefined ? rate : { ...rate, burst: Number(burst) };
  }
  const expected = `REQUESTS/SECONDSs, such as "60/60s" or "60/60s/20", in environment variable ${setting.env}`;
  throw new ConfigurationError([
    { file: block.file, path: `${block.path}.rateLimit`, expected, found: 'another text' },
  ]);
};

/**
 * Permission to send one request, not before its time and not after `untilMs` (whole ms); what is not sent by then is
 * void. A timer may fire a ms early: compare with the clock before sending.
 */
export type Permit = { notBeforeMs: number; untilMs: number };

/** Requests that have come: those whose appointment it is, and those that have none; `together` go out at once. */
export type Arrived = { due: number; fresh: number; together: number };

/**
 * What requests that have come get, in their order: the first of them permits, the last of them appointments (due times,
 * ms), and those between are to ask again.
 */
export type Received = { permits: Permit[]; appointments: number[]; retryAtMs: number };

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
   * Permits for requests that have come and may start before `deadlineMs`, appointments at the end of the connection's
   * line for the others: for all of them once permits run short, and for those without one as soon as others stand in
   * line. An appointment is the time to come back, and gives no right to send. Without a limit nobody is booked: what
   * gets no permit then comes back at `retryAtMs`, the end of a pause.
   */
  receive(connection: string, limit: RateLimit | undefined, arrived: Arrived, deadlineMs: number): Promise<Received>;
  /**
   * Books up to `count` appointments for requests that have not come yet, in the line's order, as long as they are due
   * before `untilMs`: a message is sent with the delay that is left. Fewer, or none, where the line reaches that far.
   * `endMs`: when the next one would be due. Without a limit all are due at once, or at the end of a pause.
   */
  book(
    connection: string,
    limit: RateLimit | undefined,
    count: number,
    untilMs: number,
  ): Promise<{ appointments: number[]; endMs: number }>;
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
