import { spacingMs } from '../connection/limit/gcra.ts';
import type { Permit, RateLimit } from '../connection/limit/rate-limit.ts';
import { UNREACHABLE_WAIT_MS } from './ending.ts';
import type { Round } from './round.ts';

/**
 * For how long the limit holds a request up that has a permit and is ready at `nowMs`, ms. No permit takes more than its
 * own slot: slots of all workers follow each other, so that their sum is time that has passed, however many wait. What
 * a pause adds is counted where the pause is made.
 */
export const heldByLimitMs = ({ notBeforeMs }: Permit, limit: RateLimit | undefined, nowMs: number): number =>
  limit === undefined ? 0 : Math.min(spacingMs(limit), Math.max(0, notBeforeMs - nowMs));

/** The next request's permit; where there is none in this round's time, `retryAtMs` says when. */
export type TakePermit = () => Promise<{ permit: Permit | undefined; retryAtMs: number }>;

/**
 * Permits for the requests of a round, leased for all of them at once: with a limit that is slower than this worker that
 * is one lease a round. Where the limit is faster, permits run out before their requests' turns come; then as
 * many are leased as go out together, since more would run out again.
 */
export const permitsFor = (round: Round, requests: number): TakePermit => {
  const { clock, limiter, log } = round.deps;
  const { connection, limit, concurrency } = round.loading.target;
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
      retryAtMs = clock.nowMs() + UNREACHABLE_WAIT_MS;
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
