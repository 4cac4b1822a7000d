import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { transformPlanOf } from '../../lib/integration/compile/run-plan.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import { openTransform } from '../../lib/transform/transform.ts';
import { type Changes, integrationWith } from '../integration/sample.ts';
import { bodies, outcomes, place, prepareAll, reasons } from './snapshot.ts';

const integrationOf = (changes: Changes) =>
  integrationWith('okki-product-groups-to-qingyiyun', {
    'transform.clean': {},
    'source.metadata.number': undefined,
    'target.metadata.request': [
      { field: 'id', value: '{{id}}' },
      { field: 'code', value: '{{code}}' },
      { field: 'qty', value: '{{lines_qty}}' },
    ],
    ...changes,
  });

describe('beatFlat', () => {
  const flat = integrationOf({ 'source.metadata.beatFlat': ['lines'] });
  const order = { id: 7, code: 'C', lines: [{ qty: 1 }, { qty: 2 }] };

  test('makes one record of each child, with the parent’s fields and the key suffixed from 0', () => {
    expect(bodies(prepareAll(flat, [order]))).toEqual([
      { id: '7-0', code: 'C', qty: 1 },
      { id: '7-1', code: 'C', qty: 2 },
    ]);
  });

  test('suffixes from another number where the file says so', () => {
    const fromOne = integrationOf({ 'source.metadata.beatFlat': ['lines'], 'source.beatFlat': { firstSuffix: 1 } });
    expect(outcomes(prepareAll(fromOne, [order]))).toEqual(['ready 7-1', 'ready 7-2']);
  });

  test('takes a child’s own key as it is', () => {
    const own = integrationOf({ 'source.metadata.beatFlat': ['lines'], 'source.metadata.id': 'lines_no' });
    expect(outcomes(prepareAll(own, [{ lines: [{ no: 'a' }, { no: 'b' }, {}] }]))).toEqual([
      'ready a',
      'ready b',
      'invalid page 1, record 1, lines 3',
    ]);
  });

  test('flattens several arrays one after the other', () => {
    const two = integrationOf({ 'source.metadata.beatFlat': ['lines', 'tags'] });
    expect(outcomes(prepareAll(two, [{ id: 1, lines: [{}, {}], tags: ['x', 'y'] }]))).toEqual([
      'ready 1-0-0',
      'ready 1-0-1',
      'ready 1-1-0',
      'ready 1-1-1',
    ]);
  });

  test('keeps a record without children in the books, by its own id', () => {
    const prepared = prepareAll(flat, [{ id: 1, lines: [] }, { id: 2 }, { id: 3, lines: 'x' }, { lines: null }]);
    expect(outcomes(prepared)).toEqual(['filtered 1', 'filtered 2', 'invalid 3', 'filtered page 1, record 4']);
    expect(reasons(prepared)[2]).toBe('beatFlat: lines is a text, not a list');
  });
});

describe('splitArray', () => {
  const split = integrationOf({ 'source.metadata.operation': { method: 'splitArray', arrayKey: 'data.items' } });

  test('makes one record of each element, which stands for itself', () => {
    const page = { code: 'C', data: { items: [{ id: 1, code: 'A' }, { id: 2 }] } };
    expect(bodies(prepareAll(split, [page]))).toEqual([{ id: 1, code: 'A' }, { id: 2 }]);
  });

  test('takes a lone value for its id', () => {
    expect(bodies(prepareAll(split, [{ data: { items: ['a', 7] } }]))).toEqual([{ id: 'a' }, { id: 7 }]);
  });

  test('keeps a row without elements in the books', () => {
    expect(outcomes(prepareAll(split, [{ id: 5, data: {} }, 'x']))).toEqual([
      'filtered 5',
      'filtered page 1, record 2',
    ]);
  });
});

describe('rows that are no objects', () => {
  const request = [{ field: 'id' }, { field: 'code' }];

  test('are named after the fields that were asked for', () => {
    const lists = integrationOf({ 'source.answer.rows': 'lists', 'source.metadata.request': request });
    expect(bodies(prepareAll(lists, [[1, 'A'], [2, null], { id: 3, code: 'C' }]))).toEqual([
      { id: 1, code: 'A' },
      { id: 2, code: null },
      { id: 3, code: 'C' },
    ]);
    expect(reasons(prepareAll(lists, [[1]]))).toEqual(['a row of 1 values for 2 columns']);
  });

  test('are ids, where the list is one of values', () => {
    const values = integrationOf({ 'source.answer.rows': 'values' });
    expect(bodies(prepareAll(values, ['a', 812252963824298001n]))).toEqual([{ id: 'a' }, { id: 812252963824298001n }]);
  });
});

describe('condition', () => {
  const filtered = integrationOf({
    'source.metadata.condition': [[{ field: 'status', logic: 'eq', value: '1' }]],
  });

  test('drops are outcomes with its words, by id or by place', () => {
    const prepared = prepareAll(filtered, [{ id: 1, status: 1 }, { id: 2, status: 0 }, { status: 2 }, { status: 1 }]);
    expect(outcomes(prepared)).toEqual([
      'ready 1',
      'filtered 2',
      'filtered page 1, record 3',
      'invalid page 1, record 4',
    ]);
    expect(reasons(prepared)[0]).toBe('condition: does not hold: status eq "1"');
  });
});

test('no record is ever missing: each one stands for one outcome at least, whatever it is', () => {
  const integrations = [
    integrationOf({ 'source.metadata.beatFlat': ['lines', 'tags'] }),
    integrationOf({ 'source.metadata.operation': { method: 'splitArray', arrayKey: 'lines' } }),
    integrationOf({
      'source.answer.rows': 'lists',
      'source.metadata.beatFlat': ['lines'],
      'source.metadata.condition': [[{ field: 'lines.qty', logic: 'gt', value: 0, strictMode: true }]],
    }),
  ];
  const record = fc.oneof(
    fc.record(
      { id: fc.jsonValue({ maxDepth: 0 }), lines: fc.jsonValue({ maxDepth: 3 }), tags: fc.jsonValue({ maxDepth: 2 }) },
      { requiredKeys: [] },
    ),
    fc.jsonValue({ maxDepth: 2 }),
  );
  fc.assert(
    fc.property(fc.array(record), fc.constantFrom(...integrations), (records, integration) => {
      for (const [index, one] of records.entries()) {
        const { prepared } = openTransform(transformPlanOf(integration))
          .begin()
          .prepare([one as JsonValue], () => place(index));
        expect(prepared.length).toBeGreaterThan(0);
        for (const { id } of prepared) expect(id).not.toBe('');
      }
    }),
  );
});
