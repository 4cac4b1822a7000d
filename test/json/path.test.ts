import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../lib/json/json.ts';
import { readPath, setPath } from '../../lib/json/path.ts';

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

test.each<[JsonObject, string, JsonObject]>([
  [{}, 'a', { a: 'new' }],
  [{}, 'a.b', { a: { b: 'new' } }],
  [{ a: { b: 1, c: 2 } }, 'a.b', { a: { b: 'new', c: 2 } }],
  [{ 'a.b': 1 }, 'a.b', { 'a.b': 'new' }],
  [{ a: 'text' }, 'a.b', { a: { b: 'new' } }],
  [{ a: [1, 2] }, 'a.0', { a: ['new', 2] }],
  [{ a: [1, 2] }, 'a.2', { a: [1, 2, 'new'] }],
  [{ a: [{ b: 1 }] }, 'a.0.b', { a: [{ b: 'new' }] }],
  [{ a: [] }, 'a.0.b', { a: [{ b: 'new' }] }],
  // A list has no holes, and no other keys: it gives way.
  [{ a: [1] }, 'a.2', { a: { 2: 'new' } }],
  [{ a: [1] }, 'a.b', { a: { b: 'new' } }],
])('%j with a value at %s is %j, and is itself as it was', (object, path, expected) => {
  const before = structuredClone(object);
  expect(setPath(object, path, 'new')).toEqual(expected);
  expect(object).toEqual(before);
});

test('what is set at a path is read there, whatever there was, and nothing beside it changes', () => {
  const key = fc.constantFrom('a', 'b', '0', '1', 'a.b', 'constructor');
  const { value } = fc.letrec<{ value: JsonValue; object: JsonObject }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(1, null, 'x'),
      fc.array(tie('value'), { maxLength: 3 }),
      tie('object'),
    ),
    object: fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  }));
  fc.assert(
    fc.property(fc.dictionary(key, value), fc.array(key, { minLength: 1, maxLength: 3 }), (object, keys) => {
      const path = keys.join('.');
      const set = setPath(object, path, 'new');
      expect(readPath(set, path)).toBe('new');
      const first = path.split('.')[0] ?? '';
      for (const other of Object.keys(object).filter((one) => one !== first && one !== path)) {
        expect(set[other]).toEqual(object[other]);
      }
    }),
  );
});
