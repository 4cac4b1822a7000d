import { describe, expect, test } from 'vitest';
import { stringifyJson } from '../../lib/json/json.ts';
import { type Changes, integrationWith } from '../integration/sample.ts';
import { bodies, outcomes, prepareAll, reasons } from './snapshot.ts';

const qingyiyun = integrationWith('okki-product-groups-to-qingyiyun');
const crm = integrationWith('okki-product-groups-to-crm');

describe("the article's own examples", () => {
  test('a record of number, id and name is written under number, id and 编码', () => {
    const prepared = prepareAll(qingyiyun, [
      { number: 1, id: '123', name: '产品A' },
      { number: 2, id: '456', name: '产品B' },
    ]);
    expect(bodies(prepared).map((body) => stringifyJson(body))).toEqual([
      '{"number":1,"id":"123","编码":"产品A"}',
      '{"number":2,"id":"456","编码":"产品B"}',
    ]);
  });

  test('group1 becomes the integer 1', () => {
    const prepared = prepareAll(crm, [
      { id: 'group1', name: '电子产品' },
      { id: 'group2', name: '家用电器' },
    ]);
    expect(bodies(prepared).map((body) => stringifyJson(body))).toEqual([
      '{"group_id":1,"group_name":"电子产品"}',
      '{"group_id":2,"group_name":"家用电器"}',
    ]);
    expect(outcomes(prepared)).toEqual(['ready group1', 'ready group2']);
  });
});

describe('a target block without request', () => {
  test("takes what the source block's number names, where the record has no number of its own", () => {
    expect(bodies(prepareAll(qingyiyun, [{ id: 5203300076, name: '电子产品', parent_id: 0 }]))).toEqual([
      { number: '电子产品', id: 5203300076, 编码: '电子产品' },
    ]);
  });

  test('leaves out what the record does not have', () => {
    const integration = integrationWith('okki-product-groups-to-qingyiyun', {
      'transform.clean': {},
      'source.metadata.number': 'code',
    });
    expect(bodies(prepareAll(integration, [{ id: 7 }]))).toEqual([{ id: 7 }]);
  });

  test('keeps ids past 2^53 exact', () => {
    expect(
      bodies(prepareAll(qingyiyun, [{ id: 812252963824298001n, name: 'A' }])).map((b) => stringifyJson(b)),
    ).toEqual(['{"number":"A","id":812252963824298001,"编码":"A"}']);
  });
});

describe('a target block with request', () => {
  const requestOf = (...request: object[]): Changes => ({
    'target.metadata.request': request as never,
    'transform.types': undefined,
    'transform.clean': {},
  });
  const bodyOf = (changes: Changes, record: object) => {
    const [prepared] = prepareAll(integrationWith('okki-product-groups-to-crm', changes), [record as never]);
    return prepared?.outcome === 'ready' ? prepared.body : prepared?.reason;
  };

  test.each<[string, object, object, unknown]>([
    ['a dotted path', { field: 'x', value: '{{a.b}}' }, { a: { b: 5 } }, { x: 5 }],
    ['a value with its type', { field: 'x', value: '{{a}}' }, { a: [1, { b: 2 }] }, { x: [1, { b: 2 }] }],
    ['a constant', { field: 'x', value: 'PRE001' }, {}, { x: 'PRE001' }],
    ['a constant of a type', { field: 'x', value: '3', type: 'int' }, {}, { x: 3 }],
    ['text with fields in it', { field: 'x', value: '{{a}}-{{b}}/{{c}}' }, { a: 1, b: 'B' }, { x: '1-B/' }],
    [
      'a declared type',
      { field: 'x', value: '{{a}}', type: 'string' },
      { a: 812252963824298001n },
      { x: '812252963824298001' },
    ],
    ['null as null', { field: 'x', value: '{{a}}', type: 'int' }, { a: null }, { x: null }],
    ['nothing for a missing field', { field: 'x', value: '{{a}}' }, {}, {}],
    [
      'nothing for a field without value',
      {
        field: 'x',
        children: [
          { field: 'y', type: 'string' },
          { field: 'z', value: '{{z}}' },
        ],
      },
      { y: 'Y', z: 1 },
      { x: { z: 1 } },
    ],
    ["the record's own list for an array without value", { field: 'x', type: 'array' }, { x: [1] }, { x: [1] }],
    ['nothing where that is no list', { field: 'x', type: 'array' }, { x: 1 }, {}],
    [
      'a time in Beijing',
      { field: 'x', type: 'datetime', value: '{{a}}' },
      { a: 1_700_000_000 },
      { x: '2023-11-15 06:13:20' },
    ],
    ['a piped time', { field: 'x', value: '{{a|datetime}}' }, { a: '1700000000' }, { x: '2023-11-15 06:13:20' }],
    [
      'a time in milliseconds',
      { field: 'x', value: '{{a|timestamp_ms}}' },
      { a: '2023-11-15 06:13:20' },
      { x: 1_700_000_000_000 },
    ],
    ['arithmetic', { field: 'x', value: '_function {{qty}} * {{price}}' }, { qty: '3', price: 0.1 }, { x: 0.3 }],
    [
      'a list out of a text',
      { field: 'x', value: '{{a}}', parser: { name: 'StringToArray', params: ',' } },
      { a: 'p, q' },
      { x: ['p', 'q'] },
    ],
    [
      'a typed list out of a text',
      { field: 'x', type: 'int', value: '{{a}}', parser: { name: 'StringToArray', params: ',' } },
      { a: '1,2' },
      { x: [1, 2] },
    ],
    [
      'a text out of a list',
      { field: 'x', type: 'string', value: '{{a}}', parser: { name: 'ArrayToString', params: ';' } },
      { a: ['p', 2] },
      { x: 'p;2' },
    ],
    [
      'a reference by its number',
      { field: 'x', type: 'string', value: '{{a}}', parser: { name: 'ConvertObjectParser', params: 'FNUMBER' } },
      { a: 7 },
      { x: { FNUMBER: '7' } },
    ],
    [
      'children for each element of a list',
      {
        field: 'rows',
        type: 'array',
        value: 'lines',
        children: [
          { field: 'n', value: '{{lines.qty}}', type: 'int' },
          { field: 'of', value: '{{code}}' },
        ],
      },
      { code: 'C', lines: [{ qty: '1' }, { qty: 2 }] },
      {
        rows: [
          { n: 1, of: 'C' },
          { n: 2, of: 'C' },
        ],
      },
    ],
    [
      'children of the list that they address',
      { field: 'lines', type: 'array', children: [{ field: 'n', value: '{{lines.qty}}' }] },
      { lines: [{ qty: 1 }] },
      { lines: [{ n: 1 }] },
    ],
    [
      'one element where they address none',
      { field: 'rows', type: 'array', children: [{ field: 'n', value: '{{a}}' }] },
      { a: 1 },
      { rows: [{ n: 1 }] },
    ],
    [
      'an empty list for no elements',
      { field: 'rows', type: 'array', value: '{{lines}}', children: [{ field: 'n', value: '{{lines.qty}}' }] },
      {},
      { rows: [] },
    ],
    [
      'elements that are no objects',
      { field: 'rows', type: 'array', value: 'tags', children: [{ field: 't', value: '{{tags}}' }] },
      { tags: ['a', 'b'] },
      { rows: [{ t: 'a' }, { t: 'b' }] },
    ],
    [
      'lists within lists',
      {
        field: 'rows',
        type: 'array',
        value: 'lines',
        children: [
          {
            field: 'subs',
            type: 'array',
            value: 'lines.parts',
            children: [
              { field: 'p', value: '{{lines.parts.no}}' },
              { field: 'l', value: '{{lines.no}}' },
            ],
          },
        ],
      },
      { lines: [{ no: 1, parts: [{ no: 'x' }, { no: 'y' }] }] },
      {
        rows: [
          {
            subs: [
              { p: 'x', l: 1 },
              { p: 'y', l: 1 },
            ],
          },
        ],
      },
    ],
    ['an array by its name without braces', { field: 'x', value: 'rows', type: 'array' }, { rows: [1] }, { x: [1] }],
    ['zero where a value is required', { field: 'x', value: '{{a}}', is_required: true }, { a: 0 }, { x: 0 }],
    [
      'children as an object',
      { field: 'x', type: 'object', children: [{ field: 'y', value: '{{a}}', type: 'int' }] },
      { a: '7' },
      { x: { y: 7 } },
    ],
    ['a key that names a prototype', { field: '__proto__', value: '{{a}}' }, { a: 1 }, JSON.parse('{"__proto__": 1}')],
    ['a key that every object inherits', { field: 'constructor', value: '{{a}}' }, { a: 1 }, { constructor: 1 }],
    ['no field of the prototype', { field: 'x', value: '{{constructor}}' }, {}, {}],
  ])('sends %s', (_, field, record, body) => {
    expect(bodyOf(requestOf(field), { id: 1, ...record })).toEqual(body);
  });

  test.each<[object, object, string]>([
    [{ field: 'x', value: '{{a}}', is_required: true }, {}, 'x: is required and missing'],
    [{ field: 'x', value: '{{a}}', is_required: true }, { a: ' ' }, 'x: is required and blank'],
    [{ field: 'x', value: '{{a}}', type: 'int' }, { a: 'abc' }, 'x: "abc" is no integer: plain digits'],
    [
      { field: 'x', children: [{ field: 'y', value: '{{a}}', type: 'int' }] },
      { a: 'b' },
      'x.y: "b" is no integer: plain digits',
    ],
    [{ field: 'x', value: '{{a|datetime}}' }, { a: 'soon' }, 'x: "soon" is no time'],
    [{ field: 'x', value: '{{a}}', type: 'datetime' }, { a: 'soon' }, 'x: "soon" is no time'],
    [{ field: 'x', value: '_function {{a}} * 2' }, {}, 'x: a is missing'],
    [{ field: 'x', value: '_function {{a}} * 2' }, { a: 'two' }, 'x: a is no number'],
    [
      { field: 'x', value: '_function {{a}} + 0' },
      { a: '812252963824298001' },
      'x: a is past 2^53 and would not stay exact',
    ],
    [{ field: 'x', value: '_function 1 / {{a}}' }, { a: 0 }, 'x: comes to no number'],
    [
      { field: 'rows', type: 'array', value: 'lines', children: [{ field: 'n', value: '{{lines.qty}}', type: 'int' }] },
      { lines: [{ qty: 1 }, { qty: 'b' }] },
      'rows[1].n: "b" is no integer: plain digits',
    ],
    [
      { field: 'rows', type: 'array', value: 'lines', children: [{ field: 'n', value: '{{lines.qty}}' }] },
      { lines: 'none' },
      'rows: lines is a text, not a list',
    ],
    [
      {
        field: 'rows',
        type: 'array',
        value: 'lines',
        is_required: true,
        children: [{ field: 'n', value: '{{lines.qty}}' }],
      },
      { lines: [] },
      'rows: is required and lines is empty',
    ],
  ])('%j refuses %j by name', (field, record, reason) => {
    expect(bodyOf(requestOf(field), { id: 1, ...record })).toBe(reason);
  });

  test('a type rule of our own goes before the declared type', () => {
    expect(reasons(prepareAll(crm, [{ id: 'grp1', name: 'A' }]))).toEqual([
      'group_id: "grp1" is no integer: plain digits, or digits after "group"',
    ]);
  });
});
