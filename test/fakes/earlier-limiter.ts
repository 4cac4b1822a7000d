import type { RateLimit } from '../../lib/connection/limit/rate-limit.ts';

/** What builds before the window log read of a connection's item. */
type EarlierState = { tatMs: number; pausedUntilMs: number };

const slackMs = (limit: RateLimit): number => Math.max(5, 0.02 * limit.intervalMs);

/** Leases permits as such a build does (GCRA, evenly spaced): what it stores is `tatMs` alone. */
export const leaseAsEarlier = (
  { tatMs: stored, pausedUntilMs }: EarlierState,
  limit: RateLimit,
  count: number,
  nowMs: number,
  deadlineMs: number,
) => {
  const stepMs = (limit.intervalMs + slackMs(limit)) / limit.requests;
  const longestMs = Math.max(20 * 60_000, deadlineMs - nowMs) + stepMs;
  const tatMs = stored - nowMs <= longestMs ? stored : nowMs + limit.intervalMs;
  const startMs = Math.max(nowMs, pausedUntilMs, tatMs);
  const fitting = Math.max(0, Math.ceil((deadlineMs - startMs) / stepMs));
  const permits = Array.from({ length: Math.min(count, fitting) }, (_, index) => {
    const slotMs = startMs + index * stepMs;
    return { notBeforeMs: Math.ceil(slotMs), untilMs: Math.floor(slotMs + slackMs(limit)) - 1 };
  }).filter(({ notBeforeMs }) => notBeforeMs < deadlineMs);
  return { permits, tatMs: permits.length > 0 ? startMs + permits.length * stepMs : tatMs };
};
