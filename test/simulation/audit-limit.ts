import type { Permit, RateLimit } from '../../lib/connection/limit/rate-limit.ts';
import type { World } from './world.ts';

/** From a stored pause until the last request that knew nothing of it: its permit, and the look of a second ago. */
const HELD_WITHIN_MS = 5_000;
/** A request to the limiter takes some ms; a permit begins no later than this after it was asked for. */
const PERMIT_WITHIN_MS = 2_100;

/** Watches what goes over a connection to a target, by its limit and its pauses: one for all integrations over it. */
export const auditLimit = (world: World) => {
  const { scheduler, settings, permits } = world;
  const { name } = settings.integration.target.connection;
  const setting = settings.integration.target.rateLimit;
  const limit: RateLimit | undefined = setting !== undefined && 'requests' in setting ? setting : undefined;
  // Who stands still between its permit and its request is late, and so is a clock that is wrong.
  const isExact = settings.rates.stall === 0 && settings.clocks === 'right';
  let sentMs: number[] = [];
  let pausedSinceMs = 0;

  return {
    /** A request leaves for the target. */
    requestLeaves: (): void => {
      if (!isExact) return;
      const nowMs = scheduler.nowMs();
      if (limit !== undefined) {
        sentMs = [...sentMs.filter((ms) => ms > nowMs - limit.intervalMs), nowMs];
        if (sentMs.length > limit.requests)
          world.broken('never one request more than the limit in any window', `${sentMs.length} of ${limit.requests}`);
      }
      const untilMs = permits.get(name)?.pausedUntilMs ?? 0;
      if (untilMs > nowMs && nowMs - pausedSinceMs > HELD_WITHIN_MS)
        world.broken('a pause holds everybody', `${untilMs - nowMs} ms before its end`);
    },

    /** A pause is about to be stored. */
    paused: (): void => {
      const nowMs = scheduler.nowMs();
      if ((permits.get(name)?.pausedUntilMs ?? 0) <= nowMs) pausedSinceMs = nowMs;
    },

    /** A worker gets permits that it asked for at `askedMs`, by its own clock. */
    granted: (given: readonly Permit[], askedMs: number): void => {
      for (const { notBeforeMs } of given) {
        if (notBeforeMs - askedMs > PERMIT_WITHIN_MS)
          world.broken('load waits no longer than two seconds for a permit', `${notBeforeMs - askedMs} ms`);
      }
    },
  };
};

export type LimitAudit = ReturnType<typeof auditLimit>;
