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
    ['nothing for a field without value', { field: 'x', type: 'array' }, { x: [1] }, {}],
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
  ])('%j refuses %j by name', (field, record, reason) => {
    expect(bodyOf(requestOf(field), { id: 1, ...record })).toBe(reason);
  });

  test('a type rule of our own goes before the declared type', () => {
    expect(reasons(prepareAll(crm, [{ id: 'grp1', name: 'A' }]))).toEqual([
      'group_id: "grp1" is no integer: plain digits, or digits after "group"',
    ]);
  });
});
