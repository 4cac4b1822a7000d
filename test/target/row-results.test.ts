import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ResultsPlan, targetPlanOf } from '../../lib/integration/compile/target-plan.ts';
import { loadRequest } from '../../lib/target/http-target.ts';
import { rowOutcomes } from '../../lib/target/row-results.ts';
import { type Changes, integrationWith } from '../integration/sample.ts';

const results = (row: ResultsPlan['row']): ResultsPlan => ({
  path: 'data.rows',
  success: { path: 'ok', equals: [true, 1] },
  message: ['message'],
  row,
});
const inOrder = results({ by: 'order', idKey: 'key' });
const byId = results({ by: 'id', path: 'id', idKey: 'key' });

/** Records that the target knows under these ids. */
const records = (ids: readonly string[]) => ids.map((key) => ({ id: `source ${key}`, body: { key } }));

const outcomesOf = (rows: unknown, ids: string[], setting: ResultsPlan) =>
  rowOutcomes(JSON.stringify({ data: { rows } }), 200, records(ids), setting)?.map((outcome) =>
    outcome.kind === 'rejected' ? `rejected ${outcome.failure.excerpt}` : outcome.kind,
  );

describe('a batch that is answered row by row', () => {
  it('ends for each record as the row with its id says, in any order', () => {
    const rows = [
      { id: 2, ok: false, message: '重复' },
      { id: '1', ok: true },
      { id: 3, ok: '1' },
    ];
    expect(outcomesOf(rows, ['1', '2', '3'], byId)).toEqual(['loaded', 'rejected 重复', 'loaded']);
  });

  it.each([
    ['true true', 'loaded'],
    ['true false', 'rejected ok: false'],
    ['false true', 'rejected ok: false'],
    ['true null', 'uncertain'],
    ['null true', 'uncertain'],
    ['null false', 'uncertain'],
    ['false null', 'rejected ok: false'],
  ])('with two rows of one record, %s, is %s: no success hides what stands beside it', (said, expected) => {
    const rows = said.split(' ').map((ok) => ({ id: 1, ok: JSON.parse(ok) }));
    expect(outcomesOf(rows, ['1'], byId)).toEqual([expected]);
  });

  it('ends by place in the request, where rows are numbered', () => {
    const rows = [
      { n: 1, ok: false },
      { n: 0, ok: 1 },
    ];
    expect(outcomesOf(rows, ['a', 'b'], results({ by: 'index', path: 'n' }))).toEqual(['loaded', 'rejected ok: false']);
  });

  it('ends in the order sent, where rows have neither and all are there', () => {
    expect(outcomesOf([{ ok: true }, { ok: false, message: 'no' }], ['a', 'b'], inOrder)).toEqual([
      'loaded',
      'rejected no',
    ]);
    expect(outcomesOf([{ ok: true }], ['a', 'b'], inOrder)).toEqual(['uncertain', 'uncertain']);
  });

  it('knows a record by its own id where its body carries none', () => {
    const sent = [{ id: '7', body: {} }];
    const answer = JSON.stringify({ data: { rows: [{ id: 7, ok: true }] } });
    expect(rowOutcomes(answer, 200, sent, byId)).toEqual([{ kind: 'loaded' }]);
  });

  it('leaves a record uncertain that the rows do not speak of', () => {
    expect(outcomesOf([{ id: 1, ok: true }], ['1', '2'], byId)).toEqual(['loaded', 'uncertain']);
  });

  it('has its rows as an object by id, whether or not they repeat the id', () => {
    const rows = { 1: { ok: true }, 2: { ok: false, message: '重复' }, 3: { id: 3, ok: 1 } };
    const said = ['loaded', 'rejected 重复', 'loaded', 'uncertain'];
    expect(outcomesOf(rows, ['1', '2', '3', '4'], byId)).toEqual(said);
    expect(outcomesOf(rows, ['1', '2', '3', '4'], inOrder)).toEqual(said);
    // The row's own word on its id counts before the key.
    expect(outcomesOf({ a: { id: '1', ok: true } }, ['1', 'a'], byId)).toEqual(['loaded', 'uncertain']);
    expect(
      outcomesOf(
        [
          { n: 1, ok: true },
          { n: 2, ok: false },
        ],
        ['a', 'b'],
        results({ by: 'index', path: 'n' }),
      ),
    ).toEqual([expect.stringMatching('uncertain'), expect.stringMatching('uncertain')]);
    expect(outcomesOf({ 0: { ok: false }, 1: { ok: true } }, ['a', 'b'], results({ by: 'index', path: 'n' }))).toEqual([
      'rejected ok: false',
      'loaded',
    ]);
  });

  it('leaves a record uncertain whose row does not say how it ended', () => {
    const rows = [{ id: 1, ok: null }, { id: 2 }, { id: 3, ok: {} }, 4, null];
    const ids = ['1', '2', '3', '4', 'null'];
    expect(outcomesOf(rows, ids, byId)).toEqual(ids.map(() => 'uncertain'));
    expect(outcomesOf({ saved: 3 }, ['1'], byId)).toEqual(['uncertain']);
    expect(outcomesOf([], ['1'], byId)).toEqual(['uncertain']);
  });

  it('does not hide a refusal behind another row of the same record', () => {
    const [yes, no] = [
      { id: 1, ok: true },
      { id: 1, ok: false, message: 'no' },
    ];
    expect(outcomesOf([yes, no], ['1'], byId)).toEqual(['rejected no']);
    expect(outcomesOf([no, yes], ['1'], byId)).toEqual(['rejected no']);
  });

  it('is judged as a whole where the answer has no rows', () => {
    for (const rows of [undefined, null, 'three', 3, true]) expect(outcomesOf(rows, ['1'], inOrder)).toBeUndefined();
    expect(rowOutcomes('<html>', 200, records(['1']), inOrder)).toBeUndefined();
  });

  it('has one outcome for each record, whatever the rows are', () => {
    const keys = fc.constantFrom(inOrder, byId, results({ by: 'index', path: 'id' }));
    fc.assert(
      fc.property(fc.oneof(fc.array(fc.jsonValue()), fc.object()), fc.array(fc.string()), keys, (rows, ids, key) => {
        expect(outcomesOf(rows, ids, key)).toHaveLength(ids.length);
      }),
    );
  });
});

describe('what goes beside the records', () => {
  const requestOf = async (changes: Changes) => {
    const integration = integrationWith('okki-product-groups-to-crm', {
      'target.metadata.otherRequest': [
        { field: 'Creator', value: 'sync' },
        { field: 'array', value: 'never' },
        { field: 'unset', value: '' },
      ],
      ...changes,
    });
    const record = { id: '1', body: { a: 1n }, idempotencyKey: 'k' };
    return loadRequest(await targetPlanOf(integration), [record]);
  };

  it('stands in the body, and replaces nothing there', async () => {
    expect(await requestOf({})).toEqual({
      method: 'POST',
      path: '/groups/batch',
      headers: { 'idempotency-key': 'k' },
      body: '{"Creator":"sync","array":[{"a":1}]}',
    });
  });

  it('stands in the query or in headers, where the file says so', async () => {
    expect(await requestOf({ 'target.send': { otherRequest: { in: 'query' } } })).toMatchObject({
      query: [
        ['Creator', 'sync'],
        ['array', 'never'],
      ],
      body: '{"array":[{"a":1}]}',
    });
    expect((await requestOf({ 'target.send': { otherRequest: { in: 'header' } } })).headers).toEqual({
      creator: 'sync',
      array: 'never',
      'idempotency-key': 'k',
    });
  });

  it('has the types that it declares, and goes through its parsers', async () => {
    const otherRequest = [
      { field: 'IsAutoSubmitAndAudit', type: 'bool', value: 'true' },
      { field: 'IsDeleteEntry', type: 'bool', value: false },
      { field: 'SubSystemId', type: 'int', value: '0' },
      { field: 'Scheme', type: 'string', value: 21 },
      { field: 'NeedUpDateFields', type: 'array', value: 'FDate,FQty', parser: { name: 'StringToArray', params: ',' } },
      { field: 'Org', value: '100', parser: [{ name: 'ConvertObjectParser', params: 'FNumber' }] },
      { field: 'Options', type: 'array', children: [{ field: 'Depth', type: 'int', value: '2' }] },
    ];
    expect(JSON.parse((await requestOf({ 'target.metadata.otherRequest': otherRequest })).body ?? '')).toEqual({
      IsAutoSubmitAndAudit: true,
      IsDeleteEntry: false,
      SubSystemId: 0,
      Scheme: '21',
      NeedUpDateFields: ['FDate', 'FQty'],
      Org: { FNumber: '100' },
      Options: [{ Depth: 2 }],
      array: [{ a: 1 }],
    });
  });

  it('lies under one roof with the records, where the file says so', async () => {
    const send = { request: { under: 'data.Model' }, otherRequest: { under: 'data' } };
    expect((await requestOf({ 'target.send': send })).body).toBe(
      '{"data":{"Creator":"sync","array":"never","Model":{"array":[{"a":1}]}}}',
    );
  });
});
