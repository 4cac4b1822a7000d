import { expect, it } from 'vitest';
import { convert } from '../../lib/transform/convert.ts';

it.each([
  [true, true],
  [false, false],
  ['true', true],
  ['false', false],
  [1, true],
  [0, false],
  ['1', true],
  ['0', false],
])('%o becomes the boolean %s', (value, expected) => {
  expect(convert(value, { to: 'boolean' })).toEqual({ value: expected });
});

it.each([2, -1, 'yes', 'TRUE', '', ' true', [], {}])('%o is no boolean', (value) => {
  expect(convert(value, { to: 'boolean' })).toHaveProperty('reason');
});
