import type { RateLimit } from './rate-limit.ts';
import { type Grant, paceMsOf, withGrants } from './window.ts';

// The log of grants as an item holds it: below one write unit, with all else that is in it.

const MAX_TEXT = 500;
const RADIX = 36;
/** An interval has so many steps, and a block's time so many at least: what is finer is not noted. */
const GRID_STEPS = 1_000;
const FINE_STEPS = 20;

/**
 * The log as a text of differences: a step in ms, then each entry's distance from the one before in such steps, and how
 * many where it is more than one. What is older than a block is put on as coarse a grid as the text needs to be short. All times are moved to the later side, on steps that stay where they are: nothing moves twice.
 */
export const grantsText = (grants: readonly Grant[], limit: RateLimit): string => {
  const paceMs = paceMsOf(limit);
  const stepMs = Math.ceil(Math.min(paceMs / FINE_STEPS, limit.intervalMs / GRID_STEPS));
  const steps = grants.map(({ atMs, count }) => ({ atMs: Math.ceil(atMs / stepMs), count }));
  const recent = Math.ceil(paceMs / stepMs);
  const recentFrom = (steps.at(-1)?.atMs ?? 0) - recent;
  const finest = 2 ** Math.floor(Math.log2(Math.max(1, recent / FINE_STEPS)));
  let coarse = 1;
  while (coarse * stepMs < limit.intervalMs / GRID_STEPS) coarse *= 2;
  for (; ; coarse *= 2) {
    const fine = Math.min(coarse, finest);
    const onGrid = ({ atMs, count }: Grant): Grant => {
      const laterMs = Math.ceil(atMs / coarse) * coarse;
      return { atMs: laterMs < recentFrom ? laterMs : Math.ceil(Math.max(atMs, recentFrom) / fine) * fine, count };
    };
    const text = textOfSteps(stepMs, withGrants(steps.map(onGrid), []));
    if (text.length <= MAX_TEXT) return text;
  }
};

const textOfSteps = (stepMs: number, steps: readonly Grant[]): string => {
  const entries = steps.map(({ atMs, count }, index) => {
    const difference = (atMs - (steps[index - 1]?.atMs ?? 0)).toString(RADIX);
    return count === 1 ? difference : `${difference}*${count.toString(RADIX)}`;
  });
  return [stepMs.toString(RADIX), ...entries].join(' ');
};

/** Reads what `grantsText` wrote; undefined: it is no such text. */
export const readGrants = (text: string): Grant[] | undefined => {
  const [step = '', ...entries] = text.split(' ');
  const stepMs = Number.parseInt(step, RADIX);
  let steps = 0;
  const grants = entries.map((entry) => {
    const [difference = '', count = '1'] = entry.split('*');
    steps += Number.parseInt(difference, RADIX);
    return { atMs: steps * stepMs, count: Number.parseInt(count, RADIX) };
  });
  return grants.every(({ atMs, count }) => Number.isSafeInteger(atMs) && count > 0) ? grants : undefined;
};
