import type { Clock } from '../../lib/runtime/clock.ts';
import type { Chance } from './chance.ts';
import { type Environment, resume } from './lambda.ts';
import type { World } from './world.ts';

/**
 * What the clocks of workers show: the same time; each its own, wrong by minutes, hours or days; or times that jump
 * besides, forward and back. They are set right when the trouble ends.
 */
export type Clocks = 'right' | 'apart' | 'jumping';

export const clocksOf = ({ happens, pick }: Chance): Clocks => (happens(0.1) ? pick(['apart', 'jumping']) : 'right');

const MINUTE_MS = 60_000;
const reaches = [MINUTE_MS / 2, 10 * MINUTE_MS, 60 * MINUTE_MS, 600 * MINUTE_MS, 4_800 * MINUTE_MS] as const;

/** By how much a worker's clock is wrong as its next invocation begins, ms; it stands still while it is frozen. */
export const nextClockOffMs = (
  { settings, clockChance, scheduler, weather }: World,
  { invocation, clockOffMs }: Environment,
): number => {
  if (settings.clocks === 'right' || scheduler.nowMs() >= weather.calmFromMs) return 0;
  const isKept = settings.clocks === 'apart' ? invocation > 1 : clockChance.happens(0.7);
  if (isKept) return clockOffMs;
  const reachMs = clockChance.pick(reaches);
  return clockChance.pick([1, -1]) * clockChance.whole(reachMs / 2, reachMs);
};

/** Time as one environment sees it. */
export const clockOf = (world: World, environment: Environment): Clock => ({
  nowMs: () => world.scheduler.nowMs() + environment.clockOffMs,
  sleep: (ms) =>
    new Promise((resolve) => {
      world.scheduler.after(ms, () => resume(world, environment, resolve));
    }),
});
