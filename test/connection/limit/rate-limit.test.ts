import { describe, expect, it } from 'vitest';
import { limitOf, permitsByLimit, type RateLimiter } from '../../../lib/connection/limit/rate-limit.ts';
import { ConfigurationError } from '../../../lib/runtime/fault.ts';
import { fakeClock } from '../../fakes/fake-clock.ts';
import { memoryRateLimiter } from '../../fakes/memory-rate-limiter.ts';

const ONE_A_SECOND = { requests: 1, intervalMs: 1_000 };

describe('a rate limit setting', () => {
  const block = { file: 'integrations/sample.json', path: 'source' };
  const limitIn = (text: string | undefined) => limitOf({ env: 'LIMIT' }, block, { LIMIT: text });

  it.each([
    ['60/60s', { requests: 60, intervalMs: 60_000 }],
    [' 10/1s ', { requests: 10, intervalMs: 1_000 }],
    ['60/60s/30', { requests: 60, intervalMs: 60_000, burst: 30 }],
    ['', undefined],
    [undefined, undefined],
  ])('by environment variable %j: %j', (text, expected) => {
    expect(limitIn(text)).toEqual(expected);
  });

  it.each(['60', '60/60', '0/1s', '10/0s', '-1/1s', '1.5/1s', '60/1m', '60/60s/', '60/60s/0', '60/60s/61', 'none'])(
    'that is mistyped in the environment does not lift the limit: %j',
    (text) => {
      expect(() => limitIn(text)).toThrow(ConfigurationError);
      expect(() => limitIn(text)).toThrow(/source\.rateLimit: expected .* in environment variable LIMIT/);
    },
  );

  it('stands in the file, or nowhere', () => {
    expect(limitOf({ requests: 5, intervalMs: 100 }, block, {})).toEqual({ requests: 5, intervalMs: 100 });
    expect(limitOf(undefined, block, {})).toBeUndefined();
  });
});

describe('a permit by a shared limit', () => {
  it('is granted when the permit begins, and not before', async () => {
    const clock = fakeClock(0);
    const awaitPermit = permitsByLimit(memoryRateLimiter(clock), 'okki', ONE_A_SECOND, clock, 60_000);
    const grantedMs: number[] = [];
    for (let request = 0; request < 4; request++) {
      expect(await clock.run(awaitPermit())).toEqual({ granted: true });
      grantedMs.push(clock.nowMs());
    }
    const gapsMs = grantedMs.slice(1).map((ms, index) => ms - (grantedMs[index] ?? 0));
    expect(gapsMs.every((gapMs) => gapMs >= 1_000)).toBe(true);
  });

  it('waits a pause out that ends in time, and does not wait for another', async () => {
    const clock = fakeClock(0);
    const limiter = memoryRateLimiter(clock);
    await limiter.pause('okki', 30_000, 'status 429');
    const brief = permitsByLimit(limiter, 'okki', undefined, clock, 29_999);
    expect(await brief()).toMatchObject({ granted: false, retryAtMs: expect.any(Number) });
    expect(clock.nowMs()).toBe(0);
    expect(await clock.run(permitsByLimit(limiter, 'okki', undefined, clock, 60_000)())).toEqual({ granted: true });
    expect(clock.nowMs()).toBeGreaterThanOrEqual(30_000);
  });

  it('asks for another permit where the process slept through the first', async () => {
    const clock = fakeClock(0);
    let leases = 0;
    const limiter: Pick<RateLimiter, 'acquire'> = {
      acquire: async () => {
        leases += 1;
        const untilMs = leases === 1 ? 5 : 100_000;
        return { permits: [{ notBeforeMs: leases === 1 ? 10 : clock.nowMs(), untilMs }], retryAtMs: 0 };
      },
    };
    expect(await clock.run(permitsByLimit(limiter, 'okki', ONE_A_SECOND, clock, 60_000)())).toEqual({ granted: true });
    expect(leases).toBe(2);
  });
});
