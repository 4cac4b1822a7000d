import { functionsOf } from './functions.ts';
import { noFaults } from './rates.ts';
import { begin } from './simulate.ts';
import { isQuiet, judge, whyNotQuiet } from './verdict.ts';
import { newWorld, type World } from './world.ts';

const DAY_MS = 86_400_000;

/** A world in which the target answers 429 to everything for a day, and nothing else goes wrong. */
export const throttledDay = async (seed: number): Promise<World> => {
  const world = newWorld(seed, {
    change: (settings) => ({
      ...settings,
      rates: noFaults,
      outages: [],
      clocks: 'right',
      periodMs: 3_600_000,
      troubledMs: DAY_MS,
      edits: 0,
      operatorReplays: 0,
      maxReceiveCount: 5,
    }),
  });
  world.throttledUntilMs = world.weather.calmFromMs;
  begin(world, functionsOf(world));
  const { scheduler, violations } = world;
  const isOver = () => violations.length > 0 || (scheduler.nowMs() > world.weather.calmFromMs && isQuiet(world));
  await scheduler.run(isOver, world.weather.calmFromMs + DAY_MS);
  if (violations.length === 0 && !isQuiet(world)) world.broken('the world comes to rest', whyNotQuiet(world));
  if (violations.length === 0) await judge(world, { isReplayed: false });
  return world;
};
