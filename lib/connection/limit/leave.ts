import type { Clock } from '../../runtime/clock.ts';
import type { Leave } from '../auth/authorization.ts';
import type { RateLimit, RateLimiter } from './rate-limit.ts';

/**
 * Leave to send by the connection's shared rate limit, one permit for each request: waits for it as long as a request
 * could still begin by `lastStartMs` (ms since the epoch). `onHeld` is told of each wait, in ms.
 */
export const leaveByLimit =
  (
    limiter: RateLimiter,
    connection: string,
    limit: RateLimit | undefined,
    clock: Clock,
    lastStartMs: number,
    onHeld: (heldMs: number) => void = () => {},
  ): Leave =>
  async () => {
    for (;;) {
      const { permits, retryAtMs } = await limiter.acquire(connection, limit, 1, lastStartMs);
      const [permit] = permits;
      const wakeMs = permit ? permit.notBeforeMs : Math.max(retryAtMs, clock.nowMs() + 1);
      if (wakeMs > lastStartMs) return { granted: false, retryAtMs: wakeMs };
      // Timers take whole milliseconds, and must not go off before the permit begins.
      const heldMs = Math.ceil(wakeMs - clock.nowMs());
      if (heldMs > 0) onHeld(heldMs);
      await clock.sleep(heldMs);
      // A permit that ran out while this process was frozen is no permit.
      if (permit && clock.nowMs() <= permit.untilMs) return { granted: true };
    }
  };
