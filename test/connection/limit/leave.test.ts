import { describe, expect, it } from 'vitest';
import { leaveByLimit } from '../../../lib/connection/limit/leave.ts';
import type { RateLimiter } from '../../../lib/connection/limit/rate-limit.ts';
import { fakeClock } from '../../fakes/fake-clock.ts';
import { memoryRateLimiter } from '../../fakes/memory-rate-limiter.ts';

const ONE_A_SECOND = { requests: 1, intervalMs: 1_000 };

describe('leave by a shared limit', () => {
  it('is granted when the permit begins, and not before', async () => {
    const clock = fakeClock(0);
    const leave = leaveByLimit(memoryRateLimiter(clock), 'okki', ONE_A_SECOND, clock, 60_000);
    const grantedMs: number[] = [];
    for (let request = 0; request < 4; request++) {
      expect(await clock.run(leave())).toEqual({ granted: true });
      grantedMs.push(clock.nowMs());
    }
    const gapsMs = grantedMs.slice(1).map((ms, index) => ms - (grantedMs[index] ?? 0));
    expect(gapsMs.every((gapMs) => gapMs >= 1_000)).toBe(true);
  });

  it('waits a pause out that ends in time, and does not wait for another', async () => {
    const clock = fakeClock(0);
    const limiter = memoryRateLimiter(clock);
    await limiter.pause('okki', 30_000);
    const brief = leaveByLimit(limiter, 'okki', undefined, clock, 29_999);
    expect(await brief()).toMatchObject({ granted: false, retryAtMs: expect.any(Number) });
    expect(clock.nowMs()).toBe(0);
    expect(await clock.run(leaveByLimit(limiter, 'okki', undefined, clock, 60_000)())).toEqual({ granted: true });
    expect(clock.nowMs()).toBeGreaterThanOrEqual(30_000);
  });

  it('asks for another permit where the process slept through the first', async () => {
    const clock = fakeClock(0);
    let leases = 0;
    const limiter: RateLimiter = {
      acquire: async () => {
        leases += 1;
        const untilMs = leases === 1 ? 5 : 100_000;
        return { permits: [{ notBeforeMs: leases === 1 ? 10 : clock.nowMs(), untilMs }], retryAtMs: 0 };
      },
      pause: async () => 0,
    };
    expect(await clock.run(leaveByLimit(limiter, 'okki', ONE_A_SECOND, clock, 60_000)())).toEqual({ granted: true });
    expect(leases).toBe(2);
  });
});
