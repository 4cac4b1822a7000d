import { describe, expect, it } from 'vitest';
import type { RateLimit } from '../../../lib/connection/limit/rate-limit.ts';
import { fakeClock } from '../../fakes/fake-clock.ts';
import { memoryRateLimiter } from '../../fakes/memory-rate-limiter.ts';
import { seededRandom } from '../../fakes/seeded-random.ts';

describe('the rate limiter in memory', () => {
  it.each([
    { workers: 1, lease: 10, limit: { requests: 20, intervalMs: 1_000 } },
    { workers: 4, lease: 7, limit: { requests: 20, intervalMs: 1_000 } },
    { workers: 16, lease: 3, limit: { requests: 60, intervalMs: 60_000 } },
  ])(
    '$workers saturated workers with late timers use ≥ 97 % of $limit and never exceed it',
    async ({ workers, lease, limit }: { workers: number; lease: number; limit: RateLimit }) => {
      const clock = fakeClock();
      const limiter = memoryRateLimiter(clock);
      const sendsMs: number[] = [];
      const startMs = clock.nowMs();
      const endMs = startMs + 200 * limit.intervalMs;
      const work = async (worker: number) => {
        const random = seededRandom(worker);
        while (clock.nowMs() < endMs) {
          const { permits } = await limiter.acquire('okki', limit, lease, endMs);
          if (permits.length === 0) return;
          for (const { notBeforeMs, untilMs } of permits) {
            // Timers fire late by up to 3 ms.
            await clock.sleep(Math.ceil(notBeforeMs - clock.nowMs()) + Math.floor(random.fraction() * 4));
            if (clock.nowMs() <= untilMs) sendsMs.push(clock.nowMs());
          }
        }
      };
      await clock.run(Promise.all(Array.from({ length: workers }, (_, worker) => work(worker))));
      sendsMs.sort((a, b) => a - b);
      sendsMs.slice(limit.requests).forEach((lateMs, index) => {
        expect(lateMs - (sendsMs[index] ?? 0)).toBeGreaterThanOrEqual(limit.intervalMs);
      });
      expect(sendsMs.length / (200 * limit.requests)).toBeGreaterThanOrEqual(0.97);
    },
  );
});
