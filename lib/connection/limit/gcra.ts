import { lasts, reachMs } from '../../runtime/clock.ts';
import type { Permit, RateLimit } from './rate-limit.ts';

/** What all workers of a connection share: when the next request may start, and until when nobody may send. */
export type LimiterState = { tatMs: number; pausedUntilMs: number };

/** Nobody has sent anything yet. */
export const unusedLimiter: LimiterState = { tatMs: 0, pausedUntilMs: 0 };

export type PermitLease = {
  permits: Permit[];
  /** The theoretical arrival time to store: where the next lease starts. */
  tatMs: number;
  /** The earliest time of the next permit. */
  retryAtMs: number;
};

/** Part of the interval within which a permit's request may start late: the price of sharing without talking. */
const SLACK_SHARE = 0.02;
/** Timers and event loops are late by some ms, however short the interval is. */
const MIN_SLACK_MS = 5;
/** A clock in whole ms is behind by up to this much. */
const CLOCK_STEP_MS = 1;

/** How late a request may start after its permit's time, in ms. */
export const slackMs = (limit: RateLimit): number => Math.max(MIN_SLACK_MS, SLACK_SHARE * limit.intervalMs);

/** By how many ms a pause from `nowMs` to `untilMs` is longer than the pause before it. Pure. */
export const pauseGainMs = (pausedUntilMs: number, untilMs: number, nowMs: number): number =>
  Math.max(0, untilMs - Math.max(nowMs, pausedUntilMs));

/**
 * Time between two permits in ms. With N requests per interval I, spacing T and slack s:
 *
 *     permit i      |··s··|                                    sent at i·T + s at the latest
 *     permit i + N                                |··s··|      sent at (i + N)·T at the earliest
 *                         └── N·T − s must be ≥ I ┘
 *
 * so T = (I + s) / N. Of any N + 1 requests the first and the last are N permits apart or more, hence no window of
 * length I holds N + 1 of them, whoever sends them. The used share is I / (I + s): 98 %, and ≥ 97 % from I = 170 ms on.
 */
export const spacingMs = (limit: RateLimit): number => (limit.intervalMs + slackMs(limit)) / limit.requests;

/**
 * The state as far as it can be true: nobody leases permits for later than an invocation ends. After a time that cannot
 * be, a whole interval passes without a request: so long ago is everything that the limit still counts.
 */
const believed = (
  { tatMs, pausedUntilMs }: LimiterState,
  limit: RateLimit | undefined,
  nowMs: number,
  deadlineMs: number,
): LimiterState => {
  const longestMs = Math.max(reachMs.invocation, deadlineMs - nowMs) + (limit ? spacingMs(limit) : 0);
  return {
    tatMs: limit === undefined || tatMs - nowMs <= longestMs ? tatMs : nowMs + limit.intervalMs,
    pausedUntilMs: lasts(pausedUntilMs, nowMs, reachMs.pause) ? pausedUntilMs : 0,
  };
};

/**
 * Leases up to `count` permits that start at or after `nowMs` and before `deadlineMs`: GCRA (ITU-T I.371) without
 * burst tolerance, since a burst after a quiet time would break the limit of the window that follows it.
 * With `limit` undefined only the pause holds, and the permits are good until the deadline.
 */
export const leasePermits = (
  stored: LimiterState,
  limit: RateLimit | undefined,
  count: number,
  nowMs: number,
  deadlineMs: number,
): PermitLease => {
  const state = believed(stored, limit, nowMs, deadlineMs);
  if (!limit) {
    const startMs = Math.max(nowMs, state.pausedUntilMs);
    const permits = Array.from({ length: startMs < deadlineMs ? count : 0 }, () => ({
      notBeforeMs: startMs,
      untilMs: deadlineMs,
    }));
    return { permits, tatMs: state.tatMs, retryAtMs: startMs };
  }
  const startMs = Math.max(nowMs, state.pausedUntilMs, state.tatMs);
  const stepMs = spacingMs(limit);
  const fitting = Math.max(0, Math.ceil((deadlineMs - startMs) / stepMs));
  const permits = Array.from({ length: Math.min(count, fitting) }, (_, index) => {
    // Multiplied, not summed up: at 2^40 ms a double is exact to 1/4096 ms, and sums would drift.
    const slotMs = startMs + index * stepMs;
    // Whole ms inside the slot, since timers cut off fractions and would fire early.
    return { notBeforeMs: Math.ceil(slotMs), untilMs: Math.floor(slotMs + slackMs(limit)) - CLOCK_STEP_MS };
  }).filter(({ notBeforeMs }) => notBeforeMs < deadlineMs);
  const nextMs = startMs + permits.length * stepMs;
  return { permits, tatMs: permits.length > 0 ? nextMs : state.tatMs, retryAtMs: Math.ceil(nextMs) };
};
