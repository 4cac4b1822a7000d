import { expect, it } from 'vitest';
import { loadWorld, MAX_RECEIVES, takes, throttles } from './load-world.ts';
import { NOW_MS, recordMessage } from './message.ts';

const HOUR_MS = 3_600_000;

it.each([
  { what: 'with Retry-After of an hour', pauseMs: HOUR_MS },
  { what: 'with the shortest pause', pauseMs: 10_000 },
])(
  `a target that answers 429 for a day, $what, costs no dead letter at ${MAX_RECEIVES} receives`,
  async ({ pauseMs }) => {
    const ids = Array.from({ length: 30 }, (_, id) => String(id));
    const world = loadWorld({ retry: { maxAttempts: 3 } });
    const openMs = NOW_MS + 24 * HOUR_MS;
    world.answer = () => (world.clock.nowMs() < openMs ? throttles(pauseMs) : takes);
    await world.send(...ids.map((id) => recordMessage({ id })));
    await world.run(24 * HOUR_MS);
    expect(ids.flatMap(world.applied)).toEqual([]);
    expect(world.records.bodies()).toHaveLength(ids.length);
    const tried = world.posts.length;
    expect(tried).toBeGreaterThan(0);

    await world.run(2 * HOUR_MS);
    expect(ids.map(world.applied)).toEqual(ids.map(() => ['A']));
    expect(world.records.bodies()).toEqual([]);
    expect(world.deadLetters.bodies()).toEqual([]);
    expect(world.idStore.items('groups').every(({ loaded, trouble }) => loaded?.hash === 'A' && !trouble)).toBe(true);
    // The pause holds everyone: in each of its lengths a handful of requests at most, not one for each record.
    expect(tried).toBeLessThanOrEqual((24 * HOUR_MS * 8) / pauseMs);
  },
);
