import { type AwaitPermit, type Permit, permitsByLimit, type Received } from '../connection/limit/rate-limit.ts';
import { slackMs, spacingMs } from '../connection/limit/window.ts';
import { LONG_PAUSE_MS } from '../connection/reactions.ts';
import { mapBounded } from '../runtime/bounded.ts';
import type { OutcomeFailure } from '../target/target.ts';
import { appointed, withoutAppointment } from './ending.ts';
import { type Candidate, countUse, end, putAllOff, type Round, runOf } from './round.ts';

/** How a request that has a permit is sent; its records have their turn, and no appointment any more. */
export type Send = (round: Round, request: readonly Candidate[], permit: Permit) => Promise<void>;

/** Its records have an appointment, and it has come. */
const isDue = (request: readonly Candidate[]): boolean => request.some(({ message }) => message.dueMs !== undefined);

/**
 * Sends requests as the target's limit lets them, `concurrency` at a time. Permits are leased right before they are
 * used, for as many as can start before they run out. What gets none within two seconds goes back: to its appointment
 * on the connection's line, or, without a limit, until a pause ends.
 */
export const inTurn = async (
  round: Round,
  requests: readonly Candidate[][],
  concurrency: number,
  send: Send,
): Promise<void> => {
  const { clock, tuning } = round.deps;
  const { limit } = round.plan.target;
  let waiting: readonly (readonly Candidate[])[] = [
    ...requests.filter(isDue),
    ...requests.filter((one) => !isDue(one)),
  ];
  let together = concurrency;
  let slowestMs = 1;
  while (waiting.length > 0) {
    const nowMs = clock.nowMs();
    const isPaused = round.pausedUntilMs > nowMs;
    if (limit === undefined && isPaused) {
      return putAllOff(round, waiting.flat(), 'paused', round.pausedUntilMs - nowMs);
    }
    if (limit === undefined && nowMs > round.deadlineMs) return putAllOff(round, waiting.flat(), 'no-time', 0);
    // Who can send nothing any more asks for appointments alone.
    const untilMs = isPaused ? nowMs : Math.min(nowMs + tuning.load.permitWaitMs, round.deadlineMs);
    const received = await ask(round, waiting, limit === undefined ? waiting.length : together, untilMs);
    const { permits, appointments, retryAtMs } = received;
    const booked = waiting.length - appointments.length;
    for (const [index, request] of waiting.slice(booked).entries()) {
      for (const delivery of request) {
        end(round, delivery, appointed(delivery.message, appointments[index] ?? retryAtMs, clock.nowMs()));
      }
    }
    const going = waiting.slice(0, permits.length);
    const others = waiting.slice(permits.length, booked);
    if (permits.length + appointments.length === 0) {
      return putAllOff(round, others.flat(), 'rate-limit', retryAtMs - clock.nowMs());
    }

    const unsent = await mapBounded(going, concurrency, async (request, index) => {
      const permit = permits[index];
      if (permit === undefined || !(await isItsTurn(round, request, permit))) return [request];
      const beganMs = clock.nowMs();
      const turned = request.map((one) => ({ ...one, message: withoutAppointment(one.message) }));
      await send(round, turned, permit);
      slowestMs = Math.max(slowestMs, clock.nowMs() - beganMs);
      return [];
    });
    if (limit) together = concurrency * Math.max(1, Math.floor(slackMs(limit) / slowestMs));
    waiting = [...unsent.flat(), ...others];
  }
};

/** What the limiter gives these requests. Nobody sends while it cannot be asked. */
const ask = async (
  { plan, deps }: Round,
  waiting: readonly (readonly Candidate[])[],
  together: number,
  untilMs: number,
): Promise<Received> => {
  const { clock, limiter, log, tuning } = deps;
  const { connection, limit } = plan.target;
  const due = waiting.filter(isDue).length;
  try {
    return await limiter.receive(connection, limit, { due, fresh: waiting.length - due, together }, untilMs);
  } catch (error) {
    log.error('limiter-unreachable', { connection, error: String(error) });
    return { permits: [], appointments: [], retryAtMs: clock.nowMs() + tuning.load.unreachableWaitMs };
  }
};

/** Waits until a permit begins; false: it ran out meanwhile, or nobody may send any more. */
const isItsTurn = async (round: Round, request: readonly Candidate[], permit: Permit): Promise<boolean> => {
  const { clock } = round.deps;
  const { limit } = round.plan.target;
  const waitMs = Math.max(0, permit.notBeforeMs - clock.nowMs());
  await clock.sleep(waitMs);
  const nowMs = clock.nowMs();
  if (nowMs > Math.min(permit.untilMs, round.deadlineMs) || round.pausedUntilMs > nowMs) return false;
  // The turns of all workers follow each other, so their times add up to real time, however many workers wait.
  const heldMs = limit === undefined ? 0 : Math.min(spacingMs(limit), isDue(request) ? Infinity : waitMs);
  if (heldMs > 0) countUse(round, runOf(request), { heldMs });
  return true;
};

/**
 * Permits for the requests of one POST. It has its turn, so the first is there, unless it ran out while the records were
 * claimed; a token request, and the repeat after a token was refused, take one each. Where it would come too late, the
 * record is put off with what was reached so far.
 */
export const permitsOfPost = (round: Round, runId: string, permit: Permit): AwaitPermit => {
  const { clock, limiter, tuning } = round.deps;
  const { connection, limit, longestPostMs } = round.plan.target;
  const lastStartMs = clock.nowMs() + longestPostMs - tuning.connection.minRequestMs;
  const further = permitsByLimit(limiter, connection, limit, clock, lastStartMs, (heldMs) =>
    countUse(round, runId, { heldMs }),
  );
  let isFirst = true;
  return async () => {
    const isGood = isFirst && clock.nowMs() <= permit.untilMs;
    isFirst = false;
    return isGood ? { granted: true } : await further();
  };
};

/** Pauses all workers of the target, as its answer to a request asked. */
export const pauseAll = async (
  round: Round,
  runId: string,
  pauseMs: number,
  failure: OutcomeFailure,
): Promise<void> => {
  const { clock, limiter, log } = round.deps;
  const { connection } = round.plan.target;
  const untilMs = clock.nowMs() + pauseMs;
  if (pauseMs <= 0 || untilMs <= round.pausedUntilMs) return;
  round.pausedUntilMs = untilMs;
  const why = [failure.cause, failure.status, failure.excerpt].filter((word) => word !== undefined).join(' ');
  if (pauseMs >= LONG_PAUSE_MS) {
    const { integration } = round.plan;
    log.warn('target-paused', { integration, runId, connection, until: new Date(untilMs).toISOString(), why });
  }
  const heldMs = await limiter.pause(connection, untilMs, why).catch((error: unknown) => {
    log.error('limiter-unreachable', { connection, error: String(error) });
    return 0;
  });
  countUse(round, runId, { heldMs });
};
