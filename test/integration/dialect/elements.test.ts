import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bodyPlanOf } from '../../../lib/integration/compile/body-plan.ts';
import { sourcePlanOf } from '../../../lib/integration/compile/source-plan.ts';
import { targetPlanOf } from '../../../lib/integration/compile/target-plan.ts';
import { parseIntegration } from '../../../lib/integration/read.ts';
import type { JsonObject, JsonValue } from '../../../lib/json/json.ts';
import { pageRequest } from '../../../lib/source/progress.ts';
import { loadRequest } from '../../../lib/target/http-target.ts';
import { mapRecord } from '../../../lib/transform/map.ts';
import { type Changes, changedText, integrationWith } from '../sample.ts';

const crm = 'okki-product-groups-to-crm';
const plain: Changes = { 'transform.types': undefined };

const mapped = (request: JsonValue, record: JsonObject) =>
  mapRecord(bodyPlanOf(integrationWith(crm, { ...plain, 'target.metadata.request': request })), record);

/** The JSON body of the first page, or of the one at `position`. */
const asked = (request: JsonValue, changes: Changes = {}): JsonObject => {
  const integration = integrationWith(crm, {
    'source.metadata.method': 'POST',
    'source.metadata.request': request,
    'source.paging': undefined,
    ...changes,
  });
  const page = { position: 3, pageSize: 100, startRow: 200 };
  const built = pageRequest(sourcePlanOf(integration).request, { page }, { nowMs: 0, lastSyncMs: 0 });
  if ('reason' in built) throw new TypeError(built.reason);
  return JSON.parse(String(built.body));
};

const faults = (side: 'source' | 'target', request: JsonValue, changes: Changes = {}): string[] =>
  parseIntegration(changedText(crm, { ...plain, [`${side}.metadata.request`]: request, ...changes }), `${crm}.json`)
    .faults.filter(({ path }) => path.includes('metadata.request'))
    .map(({ path, expected }) => `${path}: ${expected}`);

const filters = (...names: string[]): JsonValue => [
  {
    field: 'filters',
    type: 'object',
    children: names.map((field) => ({ field, type: 'object', children: [{ field: 'key', value: `k${field}` }] })),
  },
];

describe('a field named by a place is an element of a list', () => {
  it.each(['object', 'array', undefined])('in the request of a source, in a field of type %s', (type) => {
    const request = [
      {
        field: 'ids',
        ...(type && { type }),
        children: [
          { field: '0', value: 'a' },
          { field: '1', value: 'b' },
        ],
      },
    ];
    expect(asked(request)).toEqual({ ids: ['a', 'b'] });
  });

  it('also where it is an object itself, and wherever its entry stands', () => {
    expect(asked(filters('1', '0'))).toEqual({ filters: [{ key: 'k0' }, { key: 'k1' }] });
  });

  it('also from the tenth on', () => {
    const names = Array.from({ length: 12 }, (_, index) => String(index));
    expect(asked(filters(...names))).toEqual({ filters: names.map((name) => ({ key: `k${name}` })) });
  });

  it('in the body of a target, filled from the record', () => {
    const request = [
      {
        field: 'items',
        type: 'array',
        children: [{ field: '0', type: 'object', children: [{ field: 'no', value: '{{no}}' }] }],
      },
      {
        field: 'pair',
        children: [
          { field: '0', value: '{{a}}' },
          { field: '1', value: 'x' },
        ],
      },
    ];
    expect(mapped(request, { no: 7, a: 1 })).toEqual({ body: { items: [{ no: 7 }], pair: [1, 'x'] } });
  });

  it('keeps the place of an element without a value before those that have one', () => {
    const request = [
      { field: 'l', children: ['{{a}}', '{{b}}', '{{c}}'].map((value, at) => ({ field: `${at}`, value })) },
    ];
    expect(mapped(request, { b: 2 })).toEqual({ body: { l: [null, 2] } });
    expect(mapped(request, { a: 0, c: 3 })).toEqual({ body: { l: [0, null, 3] } });
    expect(mapped(request, {})).toEqual({ body: { l: [] } });
  });

  it('keeps the list where a page is asked for inside of it', () => {
    const request = [
      {
        field: 'query',
        children: [
          {
            field: '0',
            children: [
              { field: 'page_no', value: '1' },
              { field: 'page_size', value: '100' },
            ],
          },
        ],
      },
    ];
    expect(asked(request)).toEqual({ query: [{ page_no: 3, page_size: 100 }] });
  });

  it('a property: n elements make a list of n in their order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1, maxLength: 15 }), (values) => {
        const children = values.map((value, index) => ({ field: String(index), value })).reverse();
        expect(mapped([{ field: 'l', children }], {})).toEqual({ body: { l: values } });
      }),
    );
  });

  it.each<[string, JsonValue]>([
    ['with a name beside it', filters('0', 'key')],
    ['with a gap', filters('0', '2')],
    ['that does not begin at 0', filters('1', '2')],
  ])('is refused %s', (_, request) => {
    for (const side of ['source', 'target'] as const) {
      expect(faults(side, request)).toEqual([
        expect.stringContaining('metadata.request[0].children: fields, or elements of a list named 0, 1, …'),
      ]);
    }
  });

  it('is refused as the body itself, which is an object; a query may have such a name', () => {
    const request = [{ field: '0', value: 'a' }];
    expect(faults('target', request)).toEqual([expect.stringContaining('the body as a whole is no list')]);
    expect(faults('source', request, { 'source.metadata.method': 'POST' })).toHaveLength(1);
    expect(faults('source', request, { 'source.metadata.method': 'GET' })).toEqual([]);
  });
});

describe('the key that records go under', () => {
  const batch = { method: 'batchArraySave', rows: 2, rowsKey: 'array' };
  const posted = async (changes: Changes): Promise<JsonValue> => {
    const plan = await targetPlanOf(integrationWith(crm, { 'target.metadata.operation': batch, ...changes }));
    const record = { id: '1', idempotencyKey: 'k', body: { a: 1 } };
    return JSON.parse(loadRequest(plan, [record]).body ?? '');
  };
  const key = [{ field: 'key', value: 'Model' }];

  it.each<[string, Changes, JsonValue]>([
    ['is rowsKey where nothing else is named', {}, { array: [{ a: 1 }] }],
    [
      'is what otherRequest.key names, which is then no parameter',
      { 'target.metadata.otherRequest': key },
      { Model: [{ a: 1 }] },
    ],
    [
      'is what the file names, before the block does',
      { 'target.metadata.otherRequest': key, 'target.send': { request: { list: 'rows' } } },
      { rows: [{ a: 1 }] },
    ],
    [
      'stands where the file puts it, with the constants beside it',
      {
        'target.metadata.otherRequest': [...key, { field: 'formid', value: 'F' }],
        'target.send': { request: { under: 'data' } },
      },
      { formid: 'F', data: { Model: [{ a: 1 }] } },
    ],
    [
      'is that of a list of one, without batchArraySave',
      { 'target.metadata.operation': { method: 'none' }, 'target.send': { request: { list: 'items' } } },
      { items: [{ a: 1 }] },
    ],
    [
      'is none without batchArraySave: there key is a parameter',
      { 'target.metadata.operation': { method: 'none' }, 'target.metadata.otherRequest': key },
      { a: 1, key: 'Model' },
    ],
    [
      'is a parameter beside the list that the file names, without batchArraySave',
      {
        'target.metadata.operation': { method: 'none' },
        'target.metadata.otherRequest': key,
        'target.send': { request: { list: 'items' } },
      },
      { items: [{ a: 1 }], key: 'Model' },
    ],
    [
      'is what the block names in a family that sends lists of one, with or without batchArraySave',
      {
        'target.metadata.operation': { method: 'none' },
        'target.metadata.otherRequest': [
          { field: 'key', value: 'Bills' },
          { field: 'formid', value: 'F' },
        ],
        'target.profile': 'kingdee',
        'target.metadata.api': 'batchSave',
        'target.path': undefined,
      },
      { formid: 'F', data: { Bills: [{ a: 1 }] } },
    ],
  ])('%s', async (_, changes, body) => {
    expect(await posted(changes)).toEqual(body);
  });

  const operationRow = (changes: Changes): string =>
    parseIntegration(changedText(crm, changes), `${crm}.json`).keys.find(
      (row) => row.side === 'target' && row.key === 'operation',
    )?.why ?? '';

  it('is noted, where it is one that the platform itself would not send', () => {
    expect(operationRow({})).toContain('the platform itself would not send rowsKey');
    expect(operationRow({ 'target.metadata.otherRequest': key })).toContain(
      'records go under "Model", and rowsKey is not sent',
    );
  });
});
