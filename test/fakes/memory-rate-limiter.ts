import { bookedAtOnce, bookPlaces, receive } from '../../lib/connection/limit/line.ts';
import type { RateLimiter } from '../../lib/connection/limit/rate-limit.ts';
import {
  type LimiterState,
  leasePermits,
  pausedUntilMs,
  pauseGainMs,
  unusedLimiter,
} from '../../lib/connection/limit/window.ts';
import type { Clock } from '../../lib/runtime/clock.ts';

/** What is stored of each connection. */
export type LimiterStates = Map<string, LimiterState & { why?: string }>;

/** A rate limiter in memory, shared by all who hold it, or who hold its states under clocks of their own. */
export const memoryRateLimiter = (clock: Clock, states: LimiterStates = new Map()): RateLimiter => {
  const stateOf = (connection: string): LimiterState & { why?: string } => states.get(connection) ?? unusedLimiter;
  const change = <Result extends { state: LimiterState }>(
    connection: string,
    compute: (state: LimiterState) => Result,
  ): Omit<Result, 'state'> => {
    const { state, ...result } = compute(stateOf(connection));
    states.set(connection, state);
    return result;
  };
  return {
    acquire: async (connection, limit, count, deadlineMs) =>
      change(connection, (state) => leasePermits(state, limit, count, clock.nowMs(), deadlineMs)),
    receive: async (connection, limit, arrived, deadlineMs) =>
      change(connection, (state) => receive(state, connection, limit, arrived, clock.nowMs(), deadlineMs)),
    book: async (connection, limit, count, untilMs) =>
      limit
        ? change(connection, (state) => bookPlaces(state, { connection, limit }, count, clock.nowMs(), untilMs))
        : bookedAtOnce(stateOf(connection), count, clock.nowMs(), untilMs),
    pause: async (connection, untilMs, why) => {
      const state = stateOf(connection);
      const isLonger = untilMs > pausedUntilMs(state, clock.nowMs());
      if (isLonger) states.set(connection, { ...state, pausedUntilMs: untilMs, pausedAtMs: clock.nowMs(), why });
      return pauseGainMs(pausedUntilMs(state, clock.nowMs()), untilMs, clock.nowMs());
    },
    endPause: async (connection) => {
      const { why: _, pausedAtMs: _at, ...state } = stateOf(connection);
      states.set(connection, { ...state, pausedUntilMs: unusedLimiter.pausedUntilMs });
    },
    pauseOf: async (connection) => {
      const { why } = stateOf(connection);
      const untilMs = pausedUntilMs(stateOf(connection), clock.nowMs());
      return untilMs > 0 ? { untilMs, ...(why !== undefined && { why }) } : undefined;
    },
  };
};
