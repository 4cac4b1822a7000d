import { reachMs } from '../../runtime/clock.ts';
import { type Arrived, type RateLimit, type Received, rateText } from './rate-limit.ts';
import {
  blocksOf,
  evenedOutMs,
  type LimiterState,
  leasePermits,
  pausedUntilMs,
  spacingMs,
  stateUnder,
} from './window.ts';

// Appointments: when a record that has no permit now comes back. They give no right to send.

/** Blocks stand half a percent farther apart than permits: permits wait for records, and never the other way. */
const LOOSE_SHARE = 1.005;
/** The first appointment lies so far ahead: a message with a shorter delay would be back before it. */
const SOONEST_MS = 1_500;
/** One in twenty more is asked to come: some are lost, late, or no longer to be sent. Small blocks would double. */
const PLACES_PER_EXTRA = 20;
const LEAST_WITH_EXTRA = 10;

/** A line under a limit: places by the block, and when each is due. Place `n` counts from the line's start. */
const lineOf = (limit: RateLimit) => {
  const { requests } = limit;
  const { perInterval, size } = blocksOf(limit);
  const extra = size < LEAST_WITH_EXTRA ? 0 : Math.max(1, Math.floor(size / PLACES_PER_EXTRA));
  const stepMs = spacingMs(limit) * LOOSE_SHARE;
  const requestsBefore = (block: number) => Math.floor((block * requests) / perInterval);
  const placesBefore = (block: number) => requestsBefore(block) + block * extra;
  /** The block of a place; blocks differ by one place at most, so the guess is off by one at most. */
  const blockOf = (place: number): number => {
    let block = Math.floor(place / (requests / perInterval + extra));
    while (placesBefore(block + 1) <= place) block += 1;
    while (placesBefore(block) > place) block -= 1;
    return block;
  };
  return {
    stepMs,
    blockMs: size * stepMs,
    dueMs: (startMs: number, place: number) => Math.ceil(startMs + requestsBefore(blockOf(place)) * stepMs),
  };
};

/** A number in [0, 1) that is a connection's own (FNV-1a), so that lines that begin together do not go in step. */
const phaseOf = (connection: string): number => {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(connection)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0) / 2 ** 32;
};

/**
 * When the next one who books is due, ms; 0: nobody is booked under this limit, or by a clock that was wrong. Pure.
 */
const lineEndMs = ({ line, rate }: LimiterState, limit: RateLimit, nowMs: number): number => {
  if (line === undefined || rate !== rateText(limit)) return 0;
  const endMs = lineOf(limit).dueMs(line.startMs, line.used);
  return endMs - nowMs <= reachMs.appointment ? endMs : 0;
};

/**
 * Books up to `count` appointments at the end of the line, by the block, as long as they are due before `untilMs`. A
 * line whose time has passed, or that was of another limit, begins anew: not before a pause ends, nor before the limit
 * has room again, and after a rest at a phase of the connection's own. Pure.
 */
export const bookPlaces = (
  state: LimiterState,
  { connection, limit }: { connection: string; limit: RateLimit },
  count: number,
  nowMs: number,
  untilMs: number,
): { appointments: number[]; endMs: number; state: LimiterState } => {
  const { stepMs, blockMs, dueMs } = lineOf(limit);
  const under = stateUnder(state, limit, nowMs);
  const pauseMs = pausedUntilMs(state, nowMs);
  const soonestMs = Math.max(nowMs + SOONEST_MS, pauseMs);
  const nextMs = lineEndMs(state, limit, nowMs);
  let line = nextMs >= soonestMs ? state.line : undefined;
  if (line === undefined) {
    const isAtRest = nextMs + blockMs < nowMs;
    const roomMs = evenedOutMs(under.grants, stepMs);
    const fromMs = Math.max(soonestMs, roomMs);
    // Where blocks stand far apart, its own phase must not keep a line from ever beginning.
    const phaseMs = isAtRest ? Math.min(phaseOf(connection) * blockMs, Math.max(0, untilMs - 2 - fromMs)) : 0;
    line = { startMs: Math.ceil(fromMs + phaseMs), used: 0 };
  }
  const appointments: number[] = [];
  for (let place = line.used; appointments.length < count; place++) {
    const due = dueMs(line.startMs, place);
    if (due >= untilMs) break;
    appointments.push(due);
  }
  const used = line.used + appointments.length;
  const endMs = dueMs(line.startMs, used);
  return { appointments, endMs, state: appointments.length === 0 ? state : { ...under, line: { ...line, used } } };
};

/**
 * Permits for those that may start before `deadlineMs`, appointments for the others: all of them once permits run
 * short, and those without an appointment as soon as others stand in line. Without a limit nobody is booked. Pure.
 */
export const receive = (
  state: LimiterState,
  connection: string,
  limit: RateLimit | undefined,
  { due, fresh, together }: Arrived,
  nowMs: number,
  deadlineMs: number,
): Received & { state: LimiterState } => {
  const isLineAhead = limit !== undefined && lineEndMs(state, limit, nowMs) > Math.max(deadlineMs, nowMs);
  const mayGo = isLineAhead ? due : due + fresh;
  const wanted = Math.min(together, mayGo);
  const leased = leasePermits(state, limit, wanted, nowMs, deadlineMs);
  const { permits, retryAtMs } = leased;
  if (limit === undefined) return { permits, appointments: [], retryAtMs, state: leased.state };
  const isShort = permits.length < wanted || nowMs >= deadlineMs;
  const without = isShort ? due + fresh - permits.length : due + fresh - mayGo;
  if (without === 0) return { permits, appointments: [], retryAtMs, state: leased.state };
  const place = { connection, limit };
  const booked = bookPlaces(leased.state, place, without, nowMs, Number.POSITIVE_INFINITY);
  return { permits, appointments: booked.appointments, retryAtMs, state: booked.state };
};

/** What a connection without a limit books: all at once, or as a pause ends. Pure. */
export const bookedAtOnce = (
  state: LimiterState,
  count: number,
  nowMs: number,
  untilMs: number,
): { appointments: number[]; endMs: number } => {
  const dueMs = Math.max(nowMs, pausedUntilMs(state, nowMs));
  return { appointments: Array<number>(dueMs < untilMs ? count : 0).fill(dueMs), endMs: dueMs };
};
