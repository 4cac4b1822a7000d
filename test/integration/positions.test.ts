import fc from 'fast-check';
import { expect, test } from 'vitest';
import { positionsOf } from '../../lib/integration/check/positions.ts';

const offsetOf = (text: string, { line, column }: { line: number; column: number }): number =>
  text
    .split('\n')
    .slice(0, line - 1)
    .reduce((sum, before) => sum + before.length + 1, 0) +
  column -
  1;

test('a member is at its key, an element at its value', () => {
  const text = '{\n  "a": [1,\n    {"b\\"": true}]\n}';
  const positions = positionsOf(text);
  expect(positions.of(['a'])).toEqual({ line: 2, column: 3 });
  expect(positions.of(['a', 0])).toEqual({ line: 2, column: 9 });
  expect(positions.of(['a', 1, 'b"'])).toEqual({ line: 3, column: 6 });
});

test('a missing value has the position of the nearest value around it', () => {
  const positions = positionsOf('{\n  "a": {"b": 1}\n}');
  expect(positions.of(['a', 'c', 'd'])).toEqual({ line: 2, column: 3 });
  expect(positions.of(['x'])).toEqual({ line: 1, column: 1 });
});

test('keys that an object holds twice are found', () => {
  expect(positionsOf('{"a": {"b": 1, "b": 2}, "b": 3}').repeatedKeys).toEqual([['a', 'b']]);
});

test('every member of any JSON text is found at its key, however it is indented', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 2, '\t'), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      const positions = positionsOf(text);
      expect(positions.repeatedKeys).toEqual([]);
      const check = (inner: unknown, path: (string | number)[]): void => {
        if (typeof inner !== 'object' || inner === null) return;
        for (const [key, member] of Object.entries(inner)) {
          const memberPath = [...path, Array.isArray(inner) ? Number(key) : key];
          const rest = text.slice(offsetOf(text, positions.of(memberPath)));
          const begins = Array.isArray(inner) ? JSON.stringify(member, null, indent).slice(0, 1) : JSON.stringify(key);
          expect(rest.startsWith(begins)).toBe(true);
          check(member, memberPath);
        }
      };
      check(value, []);
    }),
  );
});
