import { lasts, reachMs } from '../../runtime/clock.ts';
import { defined } from '../../runtime/defined.ts';
import { type Permit, type RateLimit, rateText } from './rate-limit.ts';

/** Permits given for one moment, and how many. */
export type Grant = { atMs: number; count: number };

/** What all workers of a connection share, in one stored item. */
export type LimiterState = {
  /** Grows with each write: a write holds only on the state that it was computed from. */
  rev: number;
  /** What was granted within the last interval and a little longer, oldest first. */
  grants: readonly Grant[];
  /** Until when nobody may send. */
  pausedUntilMs: number;
  /** When that was written, by the clock of who wrote it; absent: by an earlier build. */
  pausedAtMs?: number;
  /** The line of appointments (line.ts): when its first block is due, and how many places of it are given. */
  line?: { startMs: number; used: number };
  /** The limit that it was written under. */
  rate?: string;
  /**
   * What builds before the window log read and write in place of it: from when on one request at a time may start,
   * evenly spaced. Where it is not what this build wrote last (`ownTatMs`), such a build has granted permits since.
   */
  tatMs: number;
  ownTatMs?: number;
};

/** Nobody has sent anything yet. */
export const unusedLimiter: LimiterState = { rev: 0, grants: [], pausedUntilMs: 0, tatMs: 0 };

/** Part of the interval by which a permit's request may start late: the price of sharing without talking. */
const SLACK_SHARE = 0.01;
/** Timers and event loops are late by some ms, however short the interval is. */
const MIN_SLACK_MS = 20;
/** The limit is counted where requests arrive: so much of the interval, and no more, is left for the way. */
const TRANSIT_SHARE = 0.0075;
const MAX_TRANSIT_MS = 150;
/** A clock in whole ms is behind by up to this much. */
const CLOCK_STEP_MS = 1;
/** Up to so many go out together where the file does not say. By the second, bursts would lose permits. */
const STANDARD_BURST = 20;
const SHORT_INTERVAL_MS = 10_000;
/** The spacing of blocks is loose by so much, that a block that comes late can catch up. */
const PACE_SHARE = 0.9;

/** How late a request may start after its permit's time, in ms. */
export const slackMs = ({ intervalMs }: RateLimit): number =>
  Math.max(MIN_SLACK_MS, Math.ceil(SLACK_SHARE * intervalMs));

/** By how much more one request is held up on its way than another: a new connection, a busy machine. */
const transitMs = ({ intervalMs }: RateLimit): number =>
  Math.ceil(Math.min(MAX_TRANSIT_MS, TRANSIT_SHARE * intervalMs));

/** From a permit to the next one but N, ms: an interval, how late a request may start, and how late it may arrive. */
const spanMsOf = (limit: RateLimit): number => limit.intervalMs + slackMs(limit) + transitMs(limit);

/** The time that each request takes of the limit, in ms, where it is used in full. */
export const spacingMs = (limit: RateLimit): number => spanMsOf(limit) / limit.requests;

/** The blocks that the requests of an interval are split into: how many, and how large the largest is. Pure. */
export const blocksOf = ({ requests, intervalMs, burst }: RateLimit): { perInterval: number; size: number } => {
  const together = burst ?? (intervalMs < SHORT_INTERVAL_MS ? 1 : STANDARD_BURST);
  const perInterval = Math.ceil(requests / Math.min(together, requests));
  return { perInterval, size: Math.ceil(requests / perInterval) };
};

/** In so long no more than one block goes out. */
export const paceMsOf = (limit: RateLimit): number =>
  Math.ceil((PACE_SHARE * blocksOf(limit).size * limit.intervalMs) / limit.requests);

/** The time of the `nth` permit from the end; undefined: there are not so many. */
const nthLastMs = (grants: readonly Grant[], nth: number): number | undefined => {
  let counted = 0;
  for (const { atMs, count } of grants.toReversed()) {
    counted += count;
    if (counted >= nth) return atMs;
  }
  return undefined;
};

/** From when on one more permit leaves no more than `most` within `spanMs`. */
const roomFromMs = (grants: readonly Grant[], most: number, spanMs: number): number => {
  const lastMs = nthLastMs(grants, most);
  return lastMs === undefined ? 0 : lastMs + spanMs;
};

/** How many permits more at `atMs` leave no more than `most` within `spanMs`. */
const roomAt = (grants: readonly Grant[], atMs: number, most: number, spanMs: number): number =>
  grants.reduce((room, grant) => (grant.atMs > atMs - spanMs ? room - grant.count : room), most);

/** When the limit, used evenly with one permit each `stepMs`, would have made up for all grants. */
export const evenedOutMs = (grants: readonly Grant[], stepMs: number): number => {
  let after = 0;
  let latestMs = 0;
  for (const { atMs, count } of grants.toReversed()) {
    after += count;
    latestMs = Math.max(latestMs, atMs + after * stepMs);
  }
  return latestMs;
};

export const withGrants = (grants: readonly Grant[], more: readonly Grant[]): Grant[] => {
  const counts = new Map<number, number>();
  for (const { atMs, count } of [...grants, ...more]) counts.set(atMs, (counts.get(atMs) ?? 0) + count);
  return [...counts].map(([atMs, count]) => ({ atMs, count })).sort((a, b) => a.atMs - b.atMs);
};

// Builds before the window log spaced all requests evenly (GCRA), with a slack of their own.
const earlierSlackMs = ({ intervalMs }: RateLimit): number => Math.max(5, 0.02 * intervalMs);
const earlierStepMs = (limit: RateLimit): number => (limit.intervalMs + earlierSlackMs(limit)) / limit.requests;

/** Nobody grants permits for later than an invocation ends. */
const longestAheadMs = reachMs.invocation;

/** An item has room for a log of so many entries. What stands for more is put together, the later side. */
const MAX_ASSUMED = 50;

/** What an earlier build has granted at most: one permit each step before `tatMs`, or, where that cannot be, all now. */
const grantedByEarlier = (tatMs: number, limit: RateLimit, isSameRate: boolean, nowMs: number): Grant[] => {
  const { requests } = limit;
  const stepMs = earlierStepMs(limit);
  if (tatMs - nowMs > longestAheadMs + stepMs) return [{ atMs: nowMs, count: requests }];
  if (!isSameRate) return [{ atMs: Math.ceil(tatMs), count: requests }];
  const laterMs = Math.max(0, earlierSlackMs(limit) - slackMs(limit));
  const parts = Math.min(requests, MAX_ASSUMED);
  return Array.from({ length: parts }, (_, part) => {
    const before = Math.floor((part * requests) / parts);
    const count = Math.floor(((part + 1) * requests) / parts) - before;
    return { atMs: Math.ceil(tatMs - (before + 1) * stepMs + laterMs), count };
  });
};

/** The limit that the log was written under, as far as its times go. */
const limitOfRate = (rate: string): RateLimit => ({ requests: 1, intervalMs: Number(rate.split('/')[1]) || 0 });

/** A time that cannot be, of a clock that was wrong. */
const isImpossible = (state: LimiterState, limit: RateLimit, nowMs: number): boolean =>
  state.grants.some(({ atMs }) => atMs - nowMs > longestAheadMs) ||
  (state.tatMs !== state.ownTatMs && state.tatMs - nowMs > longestAheadMs + earlierStepMs(limit));

/**
 * What was granted as far as it can matter under `limit`. What is not known is assumed at its worst: what an earlier
 * build granted, and, after a change to a longer interval, what the log no longer holds. Pure.
 */
const grantsFor = (state: LimiterState, limit: RateLimit, nowMs: number): Grant[] => {
  const { grants, rate, tatMs, ownTatMs } = state;
  const isSameRate = rate === undefined || rate === rateText(limit);
  const before = isSameRate ? limit : limitOfRate(rate);
  // A request of another limit may start later after its permit than one of this limit.
  const laterMs = Math.max(0, slackMs(before) - slackMs(limit));
  // What a wrong clock granted was granted by now.
  const known = grants.map(({ atMs, count }) => ({
    atMs: (atMs - nowMs > longestAheadMs ? nowMs : atMs) + laterMs,
    count,
  }));
  const newestMs = known.at(-1)?.atMs;
  const forgotten: Grant[] =
    newestMs !== undefined && before.intervalMs < limit.intervalMs
      ? [{ atMs: newestMs - before.intervalMs, count: limit.requests }]
      : [];
  const earlier = tatMs === (ownTatMs ?? 0) ? [] : grantedByEarlier(tatMs, limit, isSameRate, nowMs);
  // One slack longer than it matters: the clocks of two workers differ by some ms.
  const keptMs = Math.min(nowMs, newestMs ?? nowMs) - spanMsOf(limit) - slackMs(limit);
  return withGrants(known, [...forgotten, ...earlier]).filter(({ atMs }) => atMs > keptMs);
};

/**
 * The pause that holds; one that no clock of ours can have meant holds nobody: it lasts longer than any, or was written
 * later than now. Who sends all the same hears from the other end how long to wait. Pure.
 */
export const pausedUntilMs = ({ pausedUntilMs: untilMs, pausedAtMs = 0 }: LimiterState, nowMs: number): number =>
  lasts(untilMs, nowMs, reachMs.pause) && pausedAtMs - nowMs <= reachMs.written ? untilMs : 0;

/** By how many ms a pause from `nowMs` to `untilMs` is longer than the pause before it. Pure. */
export const pauseGainMs = (before: number, untilMs: number, nowMs: number): number =>
  Math.max(0, untilMs - Math.max(nowMs, before));

export type Leased = {
  permits: Permit[];
  /** The earliest time of the next permit. */
  retryAtMs: number;
  /** What is to be stored: `state` itself where nothing was given. */
  state: LimiterState;
};

/**
 * Leases up to `count` permits that start at or after `nowMs` and before `deadlineMs`, by a log of what was granted.
 *
 *     granted at S, sent by S + s    |··s··|
 *     N grants later, at S'                                |··s··|
 *                                    └── S' − S ≥ I + s ───┘  (and some ms for the way)
 *
 * A permit is given for S' only where fewer than N were granted later than S' − (I + s), whoever was granted them. Of
 * N + 1 requests that start within less than I, take the one that was granted last, at S': each of the others started
 * after S' − I, hence was granted after S' − I − s, so there were N of them, and S' was not given. Beside that no more
 * than one block goes out within the better part of a block's time. With `limit` undefined only the pause holds, and
 * permits are good until the deadline. Pure.
 */
export const leasePermits = (
  state: LimiterState,
  limit: RateLimit | undefined,
  count: number,
  nowMs: number,
  deadlineMs: number,
): Leased => {
  let startMs = Math.ceil(Math.max(nowMs, pausedUntilMs(state, nowMs)));
  if (!limit) {
    const permit: Permit = { notBeforeMs: startMs, untilMs: deadlineMs };
    return { permits: Array<Permit>(startMs < deadlineMs ? count : 0).fill(permit), retryAtMs: startMs, state };
  }
  const spanMs = spanMsOf(limit);
  const block = blocksOf(limit).size;
  const paceMs = paceMsOf(limit);
  const permits: Permit[] = [];
  let grants = grantsFor(state, limit, nowMs);
  for (;;) {
    startMs = Math.max(startMs, roomFromMs(grants, limit.requests, spanMs), roomFromMs(grants, block, paceMs));
    if (startMs >= deadlineMs || permits.length >= count) break;
    const together = Math.min(
      count - permits.length,
      roomAt(grants, startMs, limit.requests, spanMs),
      roomAt(grants, startMs, block, paceMs),
    );
    const permit = { notBeforeMs: startMs, untilMs: startMs + slackMs(limit) - CLOCK_STEP_MS };
    permits.push(...Array<Permit>(together).fill(permit));
    grants = withGrants(grants, [{ atMs: startMs, count: together }]);
  }
  // What cannot be is written as it is read, or it would be as long ago at each reading.
  const isToWrite = permits.length > 0 || isImpossible(state, limit, nowMs);
  return { permits, retryAtMs: startMs, state: isToWrite ? written(state, limit, grants) : state };
};

/** The state with these grants, as it is to be stored. */
const written = ({ line, ...state }: LimiterState, limit: RateLimit, grants: readonly Grant[]): LimiterState => {
  const unsureMs = Math.max(0, slackMs(limit) - earlierSlackMs(limit));
  const tatMs = Math.ceil(evenedOutMs(grants, earlierStepMs(limit)) + unsureMs);
  // An earlier build writes on condition that it is what it has read: it must change.
  const changedMs = tatMs === state.tatMs ? tatMs + 1 : tatMs;
  const rate = rateText(limit);
  return {
    ...state,
    // A line that was booked under another limit is over; who is booked on it comes all the same.
    ...(state.rate === rate && defined({ line })),
    rev: state.rev + 1,
    grants,
    rate,
    tatMs: changedMs,
    ownTatMs: changedMs,
  };
};

/** The state under `limit` with what it does not know assumed, where only its line is to change. Pure. */
export const stateUnder = (state: LimiterState, limit: RateLimit, nowMs: number): LimiterState =>
  written(state, limit, grantsFor(state, limit, nowMs));
