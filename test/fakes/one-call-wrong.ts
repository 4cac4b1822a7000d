import type { FakeClock } from './fake-clock.ts';
import { canGoWrong, type Faults, faultKinds } from './faults.ts';

type Disturbable = { faults: Faults; clock: FakeClock };

/** Calls that change something outside. */
const isEffect = /\.(sendAll|delete|add|write|saveEnds|endPause|forget)$/;

/** One thing done by hand, or by a run, in a world of its own. */
export type Deed<World extends Disturbable> = {
  start: () => Promise<World>;
  act: (world: World) => Promise<unknown>;
};

/** The effects of a deed where nothing goes wrong. */
export const undisturbed = async <World extends Disturbable>({ start, act }: Deed<World>): Promise<string[]> => {
  const calls = await callsOf({ start, act });
  return calls.filter((call) => isEffect.test(call));
};

const callsOf = async <World extends Disturbable>({ start, act }: Deed<World>): Promise<string[]> => {
  const world = await start();
  const before = world.faults.calls.length;
  await act(world);
  return world.faults.calls.slice(before);
};

/** Longer than a pass over letters hides them. */
const HIDDEN_MS = 121_000;

/**
 * Does a deed once for each call of a port and each way in which that call can go wrong, each time in a fresh world.
 * `check` sees what is left: since every call is the last one once, that is what a look at any moment would see. The
 * same deed is then done again, undisturbed, after what was hidden shows again; `ends` sees what comes of both.
 */
export const withEachCallWrong = async <World extends Disturbable>(
  { start, act }: Deed<World>,
  check: (world: World, told: string) => Promise<void>,
  ends: (world: World, told: string) => Promise<void>,
): Promise<void> => {
  for (const [at, call] of (await callsOf({ start, act })).entries()) {
    for (const kind of faultKinds.filter((one) => canGoWrong(call, one))) {
      const told = `call ${at}, ${call}: ${kind}`;
      const world = await start();
      world.faults.arm(world.faults.calls.length + at, kind);
      await act(world).catch(() => undefined);
      await check(world, told);
      await world.clock.advance(HIDDEN_MS);
      await act(world);
      await ends(world, told);
    }
  }
};
