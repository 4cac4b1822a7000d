import type { Random } from '../../lib/runtime/random.ts';

const WEYL_STEP = 0x9e3779b9;

/** The same numbers and tokens for the same seed: a Weyl sequence through a 32-bit mixing function (SplitMix, 2014). */
export const seededRandom = (seed: number): Random => {
  let state = seed >>> 0;
  let tokens = 0;
  const next = (): number => {
    state = (state + WEYL_STEP) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  return {
    fraction: () => next() / 2 ** 32,
    token: () => `token-${++tokens}-${next().toString(36)}`,
  };
};
