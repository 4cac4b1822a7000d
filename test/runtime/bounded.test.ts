import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapBounded } from '../../lib/runtime/bounded.ts';

const tick = () => new Promise((resolve) => setImmediate(resolve));

describe('mapBounded', () => {
  it('gives the results in order and has as many tasks under way as allowed, never more', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(3), { maxLength: 20 }),
        fc.integer({ min: 1, max: 6 }),
        async (ticks, concurrency) => {
          let underWay = 0;
          let most = 0;
          const results = await mapBounded(ticks, concurrency, async (count, index) => {
            most = Math.max(most, ++underWay);
            for (let done = 0; done < count; done++) await tick();
            underWay -= 1;
            return `${index}:${count}`;
          });
          expect(results).toEqual(ticks.map((count, index) => `${index}:${count}`));
          expect(most).toBeLessThanOrEqual(concurrency);
          if (ticks.every((count) => count > 0)) expect(most).toBe(Math.min(concurrency, ticks.length));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('throws the first failure and starts nothing more', async () => {
    const started: number[] = [];
    const work = mapBounded([0, 1, 2, 3, 4, 5], 2, async (input) => {
      started.push(input);
      await tick();
      if (input === 1) throw new Error('broken');
    });
    await expect(work).rejects.toThrow('broken');
    await tick();
    expect(started.length).toBeLessThan(5);
  });
});
