import { describe, expect, test } from 'vitest';
import { fillTemplate } from '../../../lib/integration/dialect/fill.ts';
import { parseTemplate, slotsOf } from '../../../lib/integration/dialect/template.ts';
import type { JsonValue } from '../../../lib/json/json.ts';
import { readPath } from '../../../lib/json/path.ts';

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
  ["_function FROM_UNIXTIME( ( {LAST_SYNC_TIME} - 600 ) , '%Y-%m-%d %H:%i:%s' )", ['LAST_SYNC_TIME']],
  ['_function from_unixtime({{a}} + round({{b}}))', ['a', 'b']],
])('%j is arithmetic over its operands', (value, names) => {
  const template = parseTemplate(value);
  expect(template.kind).toBe('formula');
  expect(slotsOf(template).map(({ name }) => name)).toEqual(names);
});

test.each<[string, JsonValue, unknown]>([
  ["_function FROM_UNIXTIME({{a}} - 600, '%Y-%m-%d %H:%i:%s')", 1_706_904_306, { value: '2024-02-03 03:55:06' }],
  ["_function FROM_UNIXTIME({{a}}, '%Y年%m月%d日')", '1706904306', { value: '2024年02月03日' }],
  ["_function FROM_UNIXTIME( ( {{ a }} / 1000 ) ,'%Y-%m-%d %T' )", 1_706_904_306_000, { value: '2024-02-03 04:05:06' }],
  ['_function FROM_UNIXTIME({{a}})', 1_706_904_306.9, { value: '2024-02-03 04:05:06' }],
  ['_function FROM_UNIXTIME({{a}})', 1e14, { reason: '100000000000000 is no time' }],
  ['_function FROM_UNIXTIME({{a}} > 1)', 2, { value: '1970-01-01 08:00:01' }],
  ['_function FROM_UNIXTIME({{a}})', null, { reason: 'a is missing' }],
  ['{{a|date}}', '2024-02-02T20:05:06Z', { value: '2024-02-03' }],
  ['{{a|date}}', 'soon', { reason: '"soon" is no time' }],
  ['{{a|date}}', null, { value: null }],
])('%j of %j is a time in Beijing', (text, value, filled) => {
  expect(fillTemplate(parseTemplate(text), () => value)).toEqual(filled);
});

describe('CASE', () => {
  const org =
    "_function case '{{org}}' when '100' then {{price}}*{{qty}} when '200' then 'no {{end}}' when 300 then 3 else '{{org}}' end";

  test.each<[string, JsonValue, unknown]>([
    [org, { org: '100', price: 0.1, qty: '3' }, { value: 0.3 }],
    [org, { org: 100, price: 2, qty: 3 }, { value: 6 }],
    [org, { org: '200', end: 7 }, { value: 'no 7' }],
    [org, { org: '300.0' }, { value: 3 }],
    [org, { org: '400' }, { value: '400' }],
    [org, { org: '100', qty: 3 }, { reason: 'price is missing' }],
    [org, {}, { value: '' }],
    ["_function CASE {{a}} WHEN 1 THEN 'one' END", { a: 1 }, { value: 'one' }],
    ["_function CASE {{a}} WHEN 1 THEN 'one' END", { a: '1.0' }, { value: 'one' }],
    ["_function CASE {{a}} WHEN 1 THEN 'one' END", { a: 2 }, { value: null }],
    ['_function case {{a}} when 0 then true else false end', { a: 0 }, { value: true }],
    ['_function case {{a}} when 0 then true else false end', { a: 5 }, { value: false }],
    ["_function CASE {{a}} WHEN 1 THEN 'one' ELSE NULL END", {}, { value: null }],
    ["_function CASE '{{a}}' WHEN '' THEN 'none' ELSE '{{a}}' END", { a: null }, { value: 'none' }],
    ["_function CASE '{{a}}' WHEN 'Sent' THEN 1 ELSE 0 END", { a: 'Sent' }, { value: 1 }],
    [
      "_function CASE '{{a}}' WHEN 'Sent' THEN 1 ELSE 0 END",
      { a: 'SENT ' },
      { reason: `"SENT " is "Sent" but for its letters' case or spaces` },
    ],
    ["_function CASE '{{a}}' WHEN 'o\\'clock' THEN 'WHEN' END", { a: "o'clock" }, { value: 'WHEN' }],
    [
      "_function CASE WHEN {{q}} > 5 THEN 'many' WHEN {{q}} > 0 THEN 'some' ELSE 'none' END",
      { q: '6' },
      { value: 'many' },
    ],
    [
      "_function CASE WHEN {{q}} > 5 THEN 'many' WHEN {{q}} > 0 THEN 'some' ELSE 'none' END",
      { q: 1 },
      { value: 'some' },
    ],
    [
      "_function CASE WHEN {{q}} > 5 THEN 'many' WHEN {{q}} > 0 THEN 'some' ELSE 'none' END",
      { q: 0 },
      { value: 'none' },
    ],
    ["_function CASE WHEN {{q}} > 5 THEN 'many' ELSE 'none' END", {}, { reason: 'q is missing' }],
  ])('%s of %j', (text, record, filled) => {
    const template = parseTemplate(text);
    expect(template).toMatchObject({ kind: 'choice' });
    expect(fillTemplate(template, ({ name }) => readPath(record, name))).toEqual(filled);
  });

  test('takes the fields of all its branches', () => {
    expect(slotsOf(parseTemplate(org)).map(({ name }) => name)).toEqual(['org', 'price', 'qty', 'end', 'org']);
  });
});

test.each([
  ['{{}}', 'empty'],
  ['{{a|upper}}', 'the pipe |upper'],
  ['since {{DAYS_AGO_x}}', 'the variable DAYS_AGO_x'],
  ['{{PAGINATION_CURSOR}}', 'the variable PAGINATION_CURSOR'],
  ['_function', '_function'],
  ["_function CASE '{{a}}' WHEN '1' THEN 'A'", 'CASE without its END'],
  ["_function CASE '{{a}}' THEN 'A' END", 'THEN in a place'],
  ["_function CASE '{{a}}' WHEN '1' THEN CASE '{{b}}' WHEN '2' THEN 3 END END", 'CASE in a place'],
  ["_function CASE '{{a}}' WHEN '1' THEN 2 END * 3", 'CASE within other arithmetic'],
  ["_function CASE '{{a}}' WHEN '是' THEN 'it''s' END", 'the name it'],
  ["_function 3 * CASE '{{a}}' WHEN '1' THEN 2 END", 'the name CASE'],
  ["_function CASE '{{a}}' WHEN {{b}} THEN 2 END", 'WHEN before anything but'],
  ["_function CASE LOCATE('x','{{a}}') WHEN 0 THEN 2 END", 'the name LOCATE'],
  ["_function CASE WHEN '{{a}}' = 'x' THEN 2 END", 'the name x'],
  ["_function CASE '{{a}}' WHEN 'x' THEN LEFT('{{b}}', 2) END", 'the name LEFT'],
  ["_function CASE '{{a|upper}}' WHEN 'x' THEN 2 END", 'the pipe |upper'],
  ["_function CASE {{a|upper}} WHEN 'x' THEN 2 END", 'the pipe |upper'],
  ['_function {{a}} + qty', 'the name qty'],
  ['_function constructor({{a}})', 'the name constructor'],
  ['_function {{a}}.constructor', 'the name constructor'],
  ['_function "a" + {{a}}', 'the name a'],
  ['_function process.exit(1)', 'the name process'],
  ['_function {{a}} = 1', 'no arithmetic'],
  ['_function {{a}}; {{b}}', 'no arithmetic'],
  ['_function [1]', 'no arithmetic'],
  ['_function round', 'round without its brackets'],
  ["_function FROM_UNIXTIME({{a}}, '%Y-%j')", "the format '%Y-%j'"],
  ['_function FROM_UNIXTIME({{a}}) + 1', 'FROM_UNIXTIME'],
  ["_function FROM_UNIXTIME({{a}}, '%Y') + FROM_UNIXTIME({{a}}, '%m')", 'the name Y'],
  ["_function CONCAT(FROM_UNIXTIME({{a}}), 'x')", 'CONCAT'],
  ['_function FROM_UNIXTIME()', 'arithmetic'],
  ['_findCollection find name from customers where id={{id}}', '_findCollection'],
  ['_mongoQuery {"a":1}', '_mongoQuery'],
])('%j is named, not sent as text', (value, why) => {
  expect(parseTemplate(value)).toEqual({ kind: 'unsupported', why: expect.stringContaining(why) });
});

test.each([
  [`_function 1${' + 1'.repeat(5_000)}`, 'more than 10000 characters'],
  [`_function ${'('.repeat(9_000)}`, 'no arithmetic'],
  [`_function case ${"\\'".repeat(4_500)}`, 'CASE without its END'],
])('a long _function is named, not read for ever (%#)', (value, why) => {
  expect(parseTemplate(value)).toEqual({ kind: 'unsupported', why: expect.stringContaining(why) });
});
