import { type AwaitPermit, type Permit, permitsByLimit, type RateLimit } from '../connection/limit/rate-limit.ts';
import { spacingMs } from '../connection/limit/window.ts';
import { LONG_PAUSE_MS } from '../connection/reactions.ts';
import type { OutcomeFailure } from '../target/target.ts';
import type { RecordDelivery } from './deliveries.ts';
import type { PutOffReason } from './events.ts';
import { countUse, type Round, runOf } from './round.ts';

/** The next request's permit; where there is none in this round's time, `retryAtMs` says when. */
export type TakePermit = () => Promise<{ permit: Permit | undefined; retryAtMs: number }>;

/**
 * Permits for the requests of a round, leased for all of them at once: with a limit that is slower than this worker
 * that is one lease a round. Where the limit is faster, permits run out before their requests' turns come; then as many
 * are leased as go out together, since more would run out again.
 */
export const permitsFor = (round: Round, requests: number): TakePermit => {
  const { clock, limiter, log, tuning } = round.deps;
  const { connection, limit, concurrency } = round.plan.target;
  const unused: Permit[] = [];
  let wanted = requests;
  let isOver = false;
  let retryAtMs = 0;
  let leasing: Promise<void> | undefined;

  const lease = async (): Promise<void> => {
    try {
      const leased = await limiter.acquire(connection, limit, wanted, round.deadlineMs);
      unused.push(...leased.permits);
      // Fewer than asked for: the next one would start too late.
      isOver = leased.permits.length < wanted;
      retryAtMs = leased.retryAtMs;
    } catch (error) {
      log.error('limiter-unreachable', { connection, error: String(error) });
      isOver = true;
      retryAtMs = clock.nowMs() + tuning.load.unreachableWaitMs;
    }
    wanted = Math.min(requests, concurrency);
    leasing = undefined;
  };

  return async () => {
    for (;;) {
      const permit = unused.shift();
      if (permit === undefined && isOver) return { permit, retryAtMs };
      if (permit === undefined) {
        leasing ??= lease();
        await leasing;
      } else if (clock.nowMs() <= permit.untilMs) return { permit, retryAtMs };
    }
  };
};

/** Waits until a request may be sent; or why, and for how long, its records are put off. */
export const awaitTurn = async (
  round: Round,
  deliveries: readonly RecordDelivery[],
  takePermit: TakePermit,
): Promise<'now' | { why: PutOffReason; waitMs: number }> => {
  const { clock } = round.deps;
  let waitedMs = 0;
  for (;;) {
    const { permit, retryAtMs } = await takePermit();
    if (permit === undefined) return { why: 'rate-limit', waitMs: retryAtMs - clock.nowMs() };
    waitedMs += waitByLimitMs(permit, round.plan.target.limit, clock.nowMs());
    await clock.sleep(permit.notBeforeMs - clock.nowMs());
    // A worker may sleep longer than it meant to: a permit that ran out meanwhile is no permit.
    if (clock.nowMs() <= permit.untilMs) break;
  }
  const nowMs = clock.nowMs();
  if (round.pausedUntilMs > nowMs) return { why: 'paused', waitMs: round.pausedUntilMs - nowMs };
  if (nowMs > round.deadlineMs) return { why: 'no-time', waitMs: 0 };
  // A wait that ends in a pause is part of the pause.
  if (waitedMs > 0) countUse(round, runOf(deliveries), { heldMs: waitedMs });
  return 'now';
};

/**
 * Permits for the requests of one POST. It has its turn, so the first is there; a token request, and the repeat after a
 * token was refused, take one each. Where it would come too late, the record is put off with what was reached so far.
 */
export const permitsOfPost = (round: Round, runId: string): AwaitPermit => {
  const { clock, limiter, tuning } = round.deps;
  const { connection, limit, longestPostMs } = round.plan.target;
  const lastStartMs = clock.nowMs() + longestPostMs - tuning.connection.minRequestMs;
  const further = permitsByLimit(limiter, connection, limit, clock, lastStartMs, (heldMs) =>
    countUse(round, runId, { heldMs }),
  );
  let isFirst = true;
  return async () => {
    if (!isFirst) return await further();
    isFirst = false;
    return { granted: true };
  };
};

/**
 * For how long the limit holds up a request that has its permit and is ready at `nowMs`, ms. A permit counts no more
 * than its own slot. The slots of all workers follow each other, so their sum is real time, however many workers wait.
 * What a pause adds is counted where the pause is made.
 */
const waitByLimitMs = ({ notBeforeMs }: Permit, limit: RateLimit | undefined, nowMs: number): number =>
  limit === undefined ? 0 : Math.min(spacingMs(limit), Math.max(0, notBeforeMs - nowMs));

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
