import { expect, test } from 'vitest';
import { parseTemplate, slotsOf } from '../../lib/dialect/template.ts';

const field = (name: string, ...pipes: string[]) => ({ of: 'field', name, pipes });
const variable = (name: string, ...pipes: string[]) => ({ of: 'variable', name, pipes });

test.each([
  ['PRE001', { kind: 'constant', value: 'PRE001' }],
  [5, { kind: 'constant', value: 5 }],
  [null, { kind: 'constant', value: null }],
  ['_default', { kind: 'constant', value: '_default' }],
  ['{{a}', { kind: 'constant', value: '{{a}' }],
  ['{a}', { kind: 'constant', value: '{a}' }],
  ['{{id}}', { kind: 'slot', slot: field('id') }],
  [' {{ a.b }} ', { kind: 'slot', slot: field('a.b') }],
  ['{{MB_001}}', { kind: 'slot', slot: field('MB_001') }],
  ['{{a|datetime}}', { kind: 'slot', slot: field('a', 'datetime') }],
  ['{{ a | dateTime }}', { kind: 'slot', slot: field('a', 'datetime') }],
  ['{{a|timestamp_ms}}', { kind: 'slot', slot: field('a', 'timestamp_ms') }],
  ['{{DAYS_AGO_1}}', { kind: 'slot', slot: variable('DAYS_AGO_1') }],
  ['{PAGINATION_PAGE_SIZE}', { kind: 'slot', slot: variable('PAGINATION_PAGE_SIZE') }],
  ['{LAST_SYNC_TIME|datetime}', { kind: 'slot', slot: variable('LAST_SYNC_TIME', 'datetime') }],
  ['{{a}}-{{b}}', { kind: 'text', parts: [{ slot: field('a') }, { text: '-' }, { slot: field('b') }] }],
  [
    "x > '{{LAST_SYNC_TIME|datetime}}'",
    { kind: 'text', parts: [{ text: "x > '" }, { slot: variable('LAST_SYNC_TIME', 'datetime') }, { text: "'" }] },
  ],
])('%j is read', (value, template) => {
  expect(parseTemplate(value)).toEqual(template);
});

test.each([
  ['_function {{a}} * {{b.c}}', ['a', 'b.c']],
  ['_function LAST_SYNC_TIME * 1000', ['LAST_SYNC_TIME']],
  ['_function {LAST_SYNC_TIME} - {{DAYS_AGO_1}}', ['LAST_SYNC_TIME', 'DAYS_AGO_1']],
  ['_function round({{a}} / 3, 2)', ['a']],
])('%j is arithmetic over its operands', (value, names) => {
  const template = parseTemplate(value);
  expect(template.kind).toBe('formula');
  expect(slotsOf(template).map(({ name }) => name)).toEqual(names);
});

test.each([
  ['{{}}', 'empty'],
  ['{{a|upper}}', 'the pipe |upper'],
  ['since {{DAYS_AGO_x}}', 'the variable DAYS_AGO_x'],
  ['{{PAGINATION_CURSOR}}', 'the variable PAGINATION_CURSOR'],
  ['_function', '_function'],
  ["_function CASE '{{a}}' WHEN '1' THEN 'A' END", 'the name CASE'],
  ['_function {{a}} + qty', 'the name qty'],
  ['_function constructor({{a}})', 'the name constructor'],
  ['_function {{a}}.constructor', 'the name constructor'],
  ['_function "a" + {{a}}', 'the name a'],
  ['_function process.exit(1)', 'the name process'],
  ['_function {{a}} = 1', 'no arithmetic'],
  ['_function {{a}}; {{b}}', 'no arithmetic'],
  ['_function [1]', 'no arithmetic'],
  ['_function round', 'round without its brackets'],
  ['_findCollection find name from customers where id={{id}}', '_findCollection'],
  ['_mongoQuery {"a":1}', '_mongoQuery'],
])('%j is named, not sent as text', (value, why) => {
  expect(parseTemplate(value)).toEqual({ kind: 'unsupported', why: expect.stringContaining(why) });
});
