import { type LimiterState, leasePermits, pauseGainMs, unusedLimiter } from '../../lib/connection/limit/gcra.ts';
import type { RateLimiter } from '../../lib/connection/limit/rate-limit.ts';
import { type Clock, lasts, reachMs } from '../../lib/runtime/clock.ts';

/** What is stored of each connection. */
export type LimiterStates = Map<string, LimiterState & { why?: string }>;

/** A rate limiter in memory, shared by all who hold it, or who hold its states under clocks of their own. */
export const memoryRateLimiter = (clock: Clock, states: LimiterStates = new Map()): RateLimiter => {
  const stateOf = (connection: string): LimiterState & { why?: string } => states.get(connection) ?? unusedLimiter;
  return {
    acquire: async (connection, limit, count, deadlineMs) => {
      const state = stateOf(connection);
      const lease = leasePermits(state, limit, count, clock.nowMs(), deadlineMs);
      states.set(connection, { ...state, tatMs: lease.tatMs });
      return { permits: lease.permits, retryAtMs: lease.retryAtMs };
    },
    pause: async (connection, untilMs, why) => {
      const state = stateOf(connection);
      const isLonger = untilMs > state.pausedUntilMs || state.pausedUntilMs - clock.nowMs() > reachMs.pause;
      if (isLonger) states.set(connection, { ...state, pausedUntilMs: untilMs, why });
      return pauseGainMs(state.pausedUntilMs, untilMs, clock.nowMs());
    },
    endPause: async (connection) => {
      const { tatMs } = stateOf(connection);
      states.set(connection, { tatMs, pausedUntilMs: unusedLimiter.pausedUntilMs });
    },
    pauseOf: async (connection) => {
      const { pausedUntilMs: untilMs, why } = stateOf(connection);
      return lasts(untilMs, clock.nowMs(), reachMs.pause) ? { untilMs, ...(why !== undefined && { why }) } : undefined;
    },
  };
};
