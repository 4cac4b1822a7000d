import { describe, expect, it } from 'vitest';
import { bugs } from './bugs.ts';
import { seedsToTry, simulate } from './simulate.ts';
import { throttledDay } from './throttled-day.ts';
import { timelineOf } from './timeline.ts';

const FRESH_SEEDS = 300;
// Each run of the tests looks at worlds that nobody has seen; the seed is printed with what it breaks.
const FIRST_SEED = Math.floor(Date.now() / 1000);

describe('the real flows in simulated worlds', () => {
  it(`hold every invariant in ${FRESH_SEEDS} fresh worlds from seed ${FIRST_SEED}`, { timeout: 120_000 }, async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + FRESH_SEEDS; seed++) {
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
    const { violations, queues, scheduler, calmFromMs } = await throttledDay(seed);
    expect(violations).toEqual([]);
    expect(scheduler.nowMs()).toBeGreaterThan(calmFromMs);
    const letters = [...queues['dead-letters'].messages.values()].map(({ body }) => body);
    expect(letters.filter((body) => !body.includes('name is not allowed'))).toEqual([]);
  });
});

describe('the checker', () => {
  it.each(bugs)('finds $name ($summary) within $seeds seeds', { timeout: 120_000 }, async (bug) => {
    let broken: string | undefined;
    let tried = 0;
    for (const seed of seedsToTry(1, bug)) {
      broken = (await simulate(seed, { bug })).violations[0]?.rule;
      if (broken !== undefined || ++tried === bug.seeds) break;
    }
    expect(broken).toBeDefined();
  });
});
