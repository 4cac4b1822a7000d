import { expect, test } from 'vitest';
import { readPath } from '../../lib/json/path.ts';

test.each([
  [{ a: { b: 0 } }, 'a.b', 0],
  [{ 'a.b': 1, a: { b: 2 } }, 'a.b', 1],
  [{ a: [{ b: 3 }] }, 'a.0.b', 3],
  [{ a: null }, 'a', null],
  [{ a: null }, 'a.b', undefined],
  [{ a: 'text' }, 'a.length', undefined],
  [{ a: [1] }, 'a.length', undefined],
  [{}, 'constructor', undefined],
  [[5], '0', 5],
  [undefined, 'a', undefined],
])('%j at %s is %j', (value, path, expected) => {
  expect(readPath(value, path)).toBe(expected);
});
