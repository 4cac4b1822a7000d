import { setImmediate as settled } from 'node:timers/promises';
import type { Clock } from '../lib/runtime/clock.ts';

/** Chance with a seed (mulberry32). */
export const chanceOf = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

type Sleeper = { atMs: number; order: number; wake: () => void };

const isBefore = (a: Sleeper, b: Sleeper): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

/** Time that jumps from one sleeper to the next (a binary heap: a model has 100,000 of them). */
export const modelClock = (startMs: number) => {
  let nowMs = startMs;
  let order = 0;
  const heap: Sleeper[] = [];
  const swap = (a: number, b: number): void => {
    const [one, other] = [heap[a], heap[b]];
    if (one !== undefined && other !== undefined) [heap[a], heap[b]] = [other, one];
  };
  const isAbove = (a: number, b: number): boolean => {
    const [one, other] = [heap[a], heap[b]];
    return one !== undefined && (other === undefined || isBefore(one, other));
  };
  const at = (atMs: number, wake: () => void): void => {
    heap.push({ atMs: Math.max(nowMs, atMs), order: order++, wake });
    for (let index = heap.length - 1; index > 0; ) {
      const parent = (index - 1) >> 1;
      if (!isAbove(index, parent)) break;
      swap(index, parent);
      index = parent;
    }
  };
  const pop = (): Sleeper | undefined => {
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let index = 0; ; ) {
      const [left, right] = [2 * index + 1, 2 * index + 2];
      const child = isAbove(right, left) ? right : left;
      if (child >= heap.length || !isAbove(child, index)) break;
      swap(index, child);
      index = child;
    }
    return first;
  };
  const sleep: Clock['sleep'] = (ms) =>
    ms <= 0 ? Promise.resolve() : new Promise((resolve) => at(nowMs + ms, resolve));
  return {
    nowMs: () => Math.floor(nowMs),
    sleep,
    at,
    /** Goes on until `isOver`, or until nobody sleeps. */
    run: async (isOver: () => boolean): Promise<void> => {
      await settled();
      for (let next = pop(); next !== undefined; next = isOver() ? undefined : pop()) {
        nowMs = next.atMs;
        next.wake();
        await settled();
      }
    },
  };
};
