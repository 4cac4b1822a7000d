import { describe, expect, it } from 'vitest';
import { simulate } from './simulate.ts';
import { throttledDay } from './throttled-day.ts';
import { timelineOf } from './timeline.ts';

// The same worlds in each run: a build that fails is the change's fault. `npm run simulate` draws worlds that nobody has
// seen.
const WORLDS = 300;

describe('the real flows in simulated worlds', () => {
  it(`hold every invariant in the first ${WORLDS} worlds`, { timeout: 300_000 }, async () => {
    for (let seed = 1; seed <= WORLDS; seed++) {
      const { violations } = await simulate(seed);
      if (violations.length === 0) continue;
      const timeline = timelineOf(await simulate(seed, { records: true }));
      expect.fail(`npm run simulate -- --seed ${seed}\n${timeline}`);
    }
  });

  it('are the same world again for the same seed, event for event', async () => {
    const [first, second] = [await simulate(7, { records: true }), await simulate(7, { records: true })];
    expect(first.notes.length).toBeGreaterThan(20);
    expect(second.notes).toEqual(first.notes);
  });

  it.each([1, 2, 3])('dead-letter nothing while the target answers 429 for a day (seed %i)', async (seed) => {
    const { violations, queues, scheduler, weather } = await throttledDay(seed);
    expect(violations).toEqual([]);
    expect(scheduler.nowMs()).toBeGreaterThan(weather.calmFromMs);
    const letters = [...queues['dead-letters'].messages.values()].map(({ body }) => body);
    expect(letters.filter((body) => !body.includes('name is not allowed'))).toEqual([]);
  });
});
