import { expect, it } from 'vitest';
import { hopsOf, longestOf, withHop } from '../../../local/stack/lineage.ts';

const hops = (times: number, name = 'load'): string | undefined =>
  Array.from({ length: times }).reduce<string | undefined>((header) => withHop(header, name), undefined);

it('a chain counts each function by itself', () => {
  expect(hopsOf(undefined, 'load')).toBe(0);
  expect(hopsOf(hops(3), 'load')).toBe(3);
  expect(hopsOf(withHop(hops(3), 'fetch'), 'load')).toBe(3);
  expect(hopsOf(hops(3), 'fetch')).toBe(0);
});

it('a batch goes on with its longest chain, wherever that stands', () => {
  for (const lengths of [
    [1, 3, 2],
    [3, 1, 2],
    [1, 2, 3],
  ]) {
    const longest = longestOf(
      lengths.map((length) => hops(length)),
      'load',
    );
    expect(hopsOf(longest, 'load')).toBe(3);
  }
});
