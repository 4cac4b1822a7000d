import type { Random } from '../../lib/runtime/random.ts';
import { seededRandom } from '../fakes/seeded-random.ts';

/** All that happens by chance in one simulated world: the same for the same seed. */
export interface Chance extends Random {
  /** Whether something of this probability happens. */
  happens(probability: number): boolean;
  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number;
  pick<Value>(values: readonly [Value, ...Value[]]): Value;
  /** The same values in another order. */
  shuffled<Value>(values: readonly Value[]): Value[];
}

export const chanceOf = (seed: number): Chance => {
  const random = seededRandom(seed);
  const whole = (low: number, high: number) => low + Math.floor(random.fraction() * (high - low + 1));
  return {
    ...random,
    // A rate of 0 draws nothing, so that worlds without a fault run faster.
    happens: (probability) => probability > 0 && random.fraction() < probability,
    whole,
    pick: (values) => values[whole(0, values.length - 1)] ?? values[0],
    shuffled: (values) => {
      const left = [...values];
      return values.map(() => left.splice(whole(0, left.length - 1), 1)[0] as (typeof left)[number]);
    },
  };
};
