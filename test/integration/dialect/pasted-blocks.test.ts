import { describe, expect, test } from 'vitest';
import { sourcePlanOf } from '../../../lib/integration/compile/source-plan.ts';
import { parseIntegration } from '../../../lib/integration/read.ts';
import type { JsonObject, JsonValue } from '../../../lib/json/json.ts';
import type { Fault } from '../../../lib/runtime/fault.ts';
import { pageRequest } from '../../../lib/source/progress.ts';
import { type Changes, changedText, integrationWith } from '../sample.ts';

const crm = 'okki-product-groups-to-crm';

/** What `validate` says of a source or target block: the places of faults, and of warnings. */
const said = (side: 'source' | 'target', block: JsonObject, changes: Changes = {}) => {
  const own = Object.entries(block).map(([key, value]) => [`${side}.metadata.${key}`, value]);
  const text = changedText(crm, {
    ...(side === 'source' ? { 'source.paging': undefined } : { 'transform.types': undefined }),
    ...Object.fromEntries(own),
    ...changes,
  });
  const { faults, warnings, integration } = parseIntegration(text, `${crm}.json`);
  const shown = ({ path, expected, position }: Fault) => {
    expect(position, path).toBeDefined();
    return `${path.replace(`${side}.metadata.`, '')}: ${expected}`;
  };
  // Of most of these blocks nobody says how they are paged, and many have constants only; that has tests of its own.
  const others = warnings.filter(
    ({ expected }) => !/since nothing in the block says it|the same body is sent for every record/.test(expected),
  );
  return { faults: faults.map(shown), warnings: others.map(shown), runs: integration !== undefined };
};

const one = (value: JsonValue, more: JsonObject = {}): JsonValue => [{ field: 'x', value, ...more }];

describe('an adapter’s own key that changes what is sent is kept, and warned about by name', () => {
  test.each<[string, 'source' | 'target', JsonObject, RegExp]>([
    ['records in new forms', 'source', { formatResponse: [{ old: 'a', new: 'b' }] }, /^formatResponse: .*old names/],
    ['records handed on to others', 'target', { distributionOrg: '1,2' }, /^distributionOrg: .*requests of its own/],
    ['translated values', 'target', { request: one('{{a}}', { mapping: { target: 'm' } }) }, /mapping: .*untranslated/],
    ['values with a default', 'target', { request: one('{{a}}', { default: 'b' }) }, /default: .*stays missing/],
    ['values in another form', 'target', { request: one('{{a}}', { valueFormat: 'Y' }) }, /valueFormat: .*old form/],
  ])('%s', (_what, side, block, words) => {
    const { faults, warnings, runs } = said(side, block);
    expect([faults, runs]).toEqual([[], true]);
    expect(warnings).toContainEqual(expect.stringMatching(words));
  });
});

describe('a notice says what the key would have done, and that the run goes on without it', () => {
  test.each<[string, 'source' | 'target', JsonObject, RegExp]>([
    [
      'a key written back',
      'target',
      { primaryWriteback: { api: '/u' } },
      /^primaryWriteback: nothing: it would write.*/,
    ],
    ['tables', 'source', { buildModel: true }, /^buildModel: nothing: it would build tables/],
    [
      'translated values',
      'target',
      { request: one('{{a}}', { mapping: { target: 'm' } }) },
      /it would translate the v/,
    ],
    [
      'a key that nobody knows',
      'source',
      { beatFlatt: ['a'] },
      /^beatFlatt: a key known here \(did you mean "beatFlat"\?\)/,
    ],
  ])('%s', (_what, side, block, words) => {
    const { warnings, runs } = said(side, block);
    expect(runs).toBe(true);
    expect(warnings).toContainEqual(expect.stringMatching(words));
    expect(warnings).toContainEqual(expect.stringContaining('the run goes on without it'));
  });
});

describe('an instruction to the platform’s adapter is no parameter', () => {
  test.each(['otherapi', 'otherkey', 'detailkey', 'detailApi', 'other_api', 'main_sql'])('%s is refused', (field) => {
    const instruction = [{ field, value: '/cgi-bin/detail' }];
    for (const key of ['request', 'otherRequest']) {
      expect(said('source', { [key]: instruction }).faults).toEqual([expect.stringMatching(`^${key}\\[0\\]: no `)]);
    }
    expect(said('target', { otherRequest: instruction }).faults).toEqual([
      expect.stringContaining('otherRequest[0]: no '),
    ]);
  });

  test('without a value, or inside another field, it instructs nobody', () => {
    const request: JsonValue = [
      { field: 'otherapi', value: null },
      { field: 'o', children: one('1', { field: 'otherkey' }) },
    ];
    expect(said('source', { request }).faults).toEqual([]);
  });
});

describe('what would send other data than the export means is refused by name', () => {
  test.each<[string, 'source' | 'target', JsonObject, RegExp]>([
    ['several fields as the key', 'source', { id: '{{bill}}-{{line}}' }, /^id: the path of one field/],
    ['several fields as the key, by commas', 'source', { id: 'bill,line' }, /^id: the path of one field/],
    ['a template as the number', 'source', { number: '{no}' }, /^number: the path of one field/],
    [
      'one record after the other',
      'source',
      { api: 'topapi/processinstance/get' },
      /^api: an API that gives a list of whole records/,
    ],
    ['a comparison with other records', 'target', { diffActions: ['add'] }, /^diffActions: no diffActions/],
    ['a comparison that reads', 'source', { diffMode: 'full' }, /^diffMode: no diffMode/],
    ['a database', 'source', { main_sql: 'select 1' }, /^main_sql: no database query: only REST/],
    [
      'the dialect of the documentation',
      'source',
      { queryParams: { a: 1 } },
      /^queryParams: .*documentation's dialect/,
    ],
    ['its body', 'target', { body: { a: '{{b}}' } }, /^body: .*paste the block that the platform exports/],
    ['its answer', 'source', { responseParser: { path: 'd' } }, /^responseParser: .*documentation's dialect/],
    ['a filter before the write', 'target', { condition: [[{ field: 'a', logic: 'notnull' }]] }, /^condition: no cond/],
    [
      'a field in one pair of braces',
      'target',
      { request: one('{code}') },
      /^request\[0\]\.value: two braces.*{{code}}/,
    ],
    [
      'a Chinese one among text',
      'target',
      { request: one('店铺{店铺.名}') },
      /two braces around a field, {{店铺\.名}}/,
    ],
    [
      'one in children',
      'target',
      { request: [{ field: 'o', children: one('{a}') }] },
      /^request\[0\]\.children\[0\]\.v/,
    ],
    ['braces that do not close', 'target', { request: one('{{a}') }, /braces are closed/],
    [
      'a list named in one pair',
      'target',
      { request: one('{ls}', { type: 'array', children: one('a') }) },
      /^request\[0/,
    ],
    [
      'a template inside an object',
      'target',
      { request: one({ a: ['{{b}}'] }) },
      /no template inside a list or an obj/,
    ],
    ['a time of the run in the body', 'target', { request: one('{{HOURS_AGO_1}}') }, /the variable HOURS_AGO_1/],
    ['a time that is not known', 'source', { request: one('{MINUTE_AGO_30|datetime}') }, /the variable MINUTE_AGO_30/],
    ['a key without its name', 'target', { request: one('a', { parser: { name: 'ConvertObjectParser' } }) }, /parser/],
    [
      'an element in brackets',
      'target',
      { request: one('{{items[0].no}}') },
      /items\[0\]\.no in braces \(fields are dott/,
    ],
    ['every element at once', 'target', { request: one('{{items.*.no}}') }, /items\.\*\.no in braces/],
    ['a root by its sign', 'target', { request: one('{{extras.$.code}}') }, /extras\.\$\.code in braces/],
    ['arithmetic without _function', 'target', { request: one('{{a * b}}') }, /a \* b in braces/],
    [
      'a template as a key of the body',
      'target',
      { request: null, id: 'id', name: '{{name}}' },
      /^name: the key that it/,
    ],
    ['a path for each record', 'target', { api: '/orders/{{id}}' }, /^api: a path without braces/],
    ['a path with a parameter', 'source', { api: '/orders/{shop}/list' }, /^api: a path without braces/],
    [
      'a parser over children',
      'target',
      { request: [{ field: 'x', children: one('a'), parser: { name: 'ArrayToString', params: ',' } }] },
      /^request\[0\]\.parser: nothing/,
    ],
    [
      'a constant that its parser cannot read',
      'target',
      { otherRequest: one([{ a: 1 }], { parser: { name: 'ArrayToString', params: ',' } }) },
      /^otherRequest\[0\]\.value: what its parser reads/,
    ],
  ])('%s', (_, side, block, fault) => {
    const { faults, runs } = said(side, block);
    expect(runs).toBe(false);
    expect(faults).toEqual([expect.stringMatching(fault)]);
  });

  test('a window that is asked for in a way that is refused has one fault, not two', () => {
    const value = "_function DATE_FORMAT({LAST_SYNC_TIME}, '%Y-%m-%d')";
    const { faults } = said('source', { request: one(value) }, { 'source.window': { initial: '2026-01-01' } });
    expect(faults).toEqual([expect.stringMatching(/^request\[0\]\.value: .*DATE_FORMAT/)]);
  });
});

describe('a field that refers to a list which beatFlat takes apart is refused with the new name', () => {
  const flat = { 'source.metadata.beatFlat': ['details'] };
  const list = { field: 'rows', type: 'array' };

  test.each<[string, JsonValue, RegExp]>([
    ['a dotted field', one('{{details.no}}'), /^request\[0\]\.value: {{details_…}}/],
    [
      'one among text, in an object',
      [{ field: 'o', children: one('no {{details.no}}') }],
      /children\[0\]\.value: {{details_/,
    ],
    ['one in arithmetic', one('_function {{details.qty}} * 2'), /{{details_…}}/],
    ['the list by its name', [{ ...list, value: 'details', children: one('{{no}}') }], /value: no list details/],
    ['the list in braces', [{ ...list, value: '{{details}}', children: one('{{no}}') }], /value: no list details/],
    [
      'the list by the name of the field',
      [{ ...list, field: 'details', children: one('a') }],
      /value: no list details/,
    ],
  ])('%s', (_, request, fault) => {
    expect(said('target', { request }, flat).faults).toEqual([expect.stringMatching(fault)]);
    expect(said('target', { request }).faults).toEqual([]);
  });

  test('the key', () => {
    expect(said('source', { beatFlat: ['details'], id: 'details.no' }).faults).toEqual([
      expect.stringMatching(/^id: details_…/),
    ]);
    expect(said('source', { beatFlat: ['details'], id: 'details_no' }).runs).toBe(true);
  });

  test('other fields, and its own ones by their new name, are taken', () => {
    const request = [...(one('{{details_no}}') as []), { field: 'y', value: '{{detailsOf.x}}' }];
    expect(said('target', { request }, flat)).toEqual({ faults: [], warnings: [], runs: true });
  });
});

describe('a key that is ignored is warned about', () => {
  test.each<[string, 'source' | 'target', JsonObject, RegExp]>([
    [
      'a second look for what was missed',
      'source',
      { omissionRemedy: { crontab: '1 2 * * *' } },
      /overlapMinutes looks/,
    ],
    ['a filter that was laid aside', 'source', { condition_bk: [[{ field: 'a' }]] }, /^condition_bk: nothing/],
    ['tables of the platform', 'target', { buildModel: true }, /^buildModel: nothing/],
    [
      'a name that otherResponse has not',
      'source',
      { otherResponse: { totalKey: 'n' } },
      /^otherResponse\.totalKey: one/,
    ],
    ['one in a list', 'source', { otherResponse: [{ field: 'totalKey', value: 'n' }] }, /^otherResponse\[0\]: one of/],
    [
      'a status without its value',
      'target',
      { otherResponse: { statusKey: 'ok' } },
      /^otherResponse: statusValue beside/,
    ],
    [
      'two fields of one name',
      'target',
      { request: [...(one('{{a}}') as []), ...(one('{{b}}') as [])] },
      /\.field: every/,
    ],
    [
      'text where a number is declared',
      'source',
      { request: one('FQty', { type: 'number' }) },
      /of type number; it is/,
    ],
    ['text where a list is declared', 'target', { otherRequest: one('a', { type: 'array' }) }, /of type array; it is/],
    [
      'a parser without a value',
      'source',
      { request: one(null, { parser: { name: 'ArrayToString' } }) },
      /for its parser/,
    ],
    [
      'one pair of braces in a source',
      'source',
      { request: one('query {shop}') },
      /no {shop}: it is sent as it stands/,
    ],
  ])('%s', (_, side, block, warning) => {
    const { faults, warnings } = said(side, block);
    expect(faults).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(warning)]);
  });
});

describe('what an export writes for "not used" is not used', () => {
  const empty = [null, '', [], {}];

  test.each(empty)('%j', (nothing) => {
    const keys = ['idCheck', 'number', 'operation', 'otherRequest', 'otherResponse'];
    const both = Object.fromEntries(keys.map((key) => [key, nothing]));
    expect(said('source', { ...both, beatFlat: nothing, condition: nothing, pagination: nothing })).toEqual({
      faults: [],
      warnings: [],
      runs: true,
    });
    expect(said('target', { ...both, name: nothing, id: nothing, condition: nothing })).toMatchObject({ runs: true });
  });

  test('a block without a request writes what it names, also where it says so by null', () => {
    const { target } = integrationWith(crm, {
      'target.metadata.request': null,
      'target.metadata.idCheck': null,
      'target.metadata.number': null,
      'target.metadata.id': 'id',
      'transform.types': undefined,
    });
    expect(target.metadata).toMatchObject({ id: 'id', idCheck: true });
    expect(target.metadata.number).toBeUndefined();
  });
});

test('what only describes may have any form', () => {
  const described = { label: 7, describe: ['a'], id: 'x1', display: { width: 200 }, parent: null, physicalModel: {} };
  expect(said('target', { request: one('{{a}}', described) })).toEqual({ faults: [], warnings: [], runs: true });
});

test('constants that fit their type cause no warning', () => {
  for (const [value, type] of [
    ['1', 'bool'],
    ['12', 'int'],
    [true, 'boolean'],
    ['rows', 'array'],
    ['a', 'text'],
    [0, 'double'],
    [0.5, 'float'],
    [0.5, 'decimal'],
  ]) {
    const request = [{ field: 'x', value, type }] as JsonValue;
    expect(said('target', { request }), String(value)).toEqual({ faults: [], warnings: [], runs: true });
  }
});

test('text that only looks like JSON or a set stays text', () => {
  for (const text of ['{"k":"v"}', '{}', '{"a":{"b":1}}', '{0}', '[{"a":1}]']) {
    expect(said('target', { request: one(text) })).toEqual({ faults: [], warnings: [], runs: true });
  }
});

test.each<['source' | 'target', JsonObject, string]>([
  ['source', { idCheck: 'false' }, 'idCheck: true or false'],
  ['target', { idCheck: 'false' }, 'idCheck: true or false'],
  ['source', { pagination: { pageSize: 'all' } }, 'pagination.pageSize: a page size'],
  ['source', { autoFillResponse: 'yes' }, 'autoFillResponse: true or false'],
])('a %s block %j is refused: a text is not read as what it may mean', (side, block, fault) => {
  expect(said(side, block).faults).toContain(fault);
});

test('rows of a batch may be written as text', () => {
  const operation = { method: 'batchArraySave', rowsKey: 'array' };
  expect(said('target', { operation: { ...operation, rows: '20' } }).runs).toBe(true);
  expect(said('target', { operation: { ...operation, rows: '0' } }).faults).toEqual([
    'operation.rows: a whole number from 1 to 1000',
  ]);
});

describe('a source that pages by the number of the page', () => {
  const block = {
    pagination: { pageSize: 50 },
    request: [
      { field: 'page_no', type: 'string', value: '{PAGINATION_START_PAGE}' },
      { field: 'page_size', type: 'string', value: '{PAGINATION_PAGE_SIZE}' },
      { field: 'again', type: 'int', value: '{{PAGINATION_START_PAGE}}' },
    ],
  };
  const changes = {
    'source.paging': undefined,
    ...Object.fromEntries(Object.entries(block).map(([key, value]) => [`source.metadata.${key}`, value])),
  };

  test('is recognised by the variable, and gets it from page 1 on', () => {
    const integration = integrationWith(crm, changes);
    expect(integration.source.paging).toMatchObject({
      kind: 'pageNumber',
      pageParam: 'page_no',
      sizeParam: 'page_size',
      pageSize: 50,
      firstPage: 1,
    });
    const page = { position: 3, pageSize: 50, startRow: 100 };
    expect(pageRequest(sourcePlanOf(integration).request, { page }, { nowMs: 0, lastSyncMs: 0 })).toMatchObject({
      query: [
        ['page_no', '3'],
        ['page_size', '50'],
        ['again', '3'],
      ],
    });
  });

  test('is asked for pages of 100 where nothing states a size', () => {
    const { faults, runs } = said('source', { request: block.request ?? null });
    expect([faults, runs]).toEqual([[], true]);
    const integration = integrationWith(crm, { 'source.metadata.request': block.request, 'source.paging': undefined });
    expect(integration.source.paging).toMatchObject({ kind: 'pageNumber', pageSize: 100 });
  });

  test.each<[string, JsonObject, RegExp]>([
    [
      'with arithmetic around the variable',
      { ...block, request: one('_function {PAGINATION_START_PAGE} - 1') },
      /^request: .*START_PAGE.* of its own/,
    ],
  ])('is refused %s', (_, changed, fault) => {
    expect(said('source', changed).faults).toContainEqual(expect.stringMatching(fault));
  });
});

describe('a list of which only the first page would be read', () => {
  test.each<[string, JsonValue, boolean]>([
    ['page_size and nothing that pages', [{ field: 'pageSize', value: '100' }], false],
    [
      'page_size beside a field that pages by a name of its own',
      [{ field: 'pageSize', value: 9 }, { field: 'pg' }],
      false,
    ],
    ['a page that is no number', [{ field: 'page_size' }, { field: 'page_no', value: 'last' }], false],
    ['a limit: it may be all that is wanted', [{ field: 'limit', value: '100' }], true],
  ])('%s', (_, request, runs) => {
    const found = said('source', { request });
    expect(found.runs).toBe(runs);
    // `source.paging` is not in the file: the source is pointed at.
    expect(runs ? found.warnings : found.faults).toEqual([
      expect.stringMatching(/^source\.paging: how the list is paged/),
    ]);
    expect(said('source', { request }, { 'source.paging': { kind: 'single' } })).toMatchObject({
      faults: [],
      runs: true,
    });
  });
});

describe('a target whose requests have a form of their own', () => {
  const yida: JsonObject = {
    api: '/v1.0/yida/forms/instances',
    request: one('{{a}}'),
    otherRequest: ['appType', 'formUuid'].map((field) => ({ field, value: 'v' })),
  };
  const systemToken = { in: 'body', name: 'systemToken', value: { env: 'SYSTEM_TOKEN' } };
  const auth: JsonObject = { kind: 'none', params: [systemToken] };
  const items: JsonObject = { api: '/open/jushuitan/itemsku/upload', request: one('{{a}}') };

  test.each<[string, JsonObject, JsonObject, RegExp[]]>([
    ['says the form that is lacking', yida, {}, [/^target\.send\.request: .*"text": "formDataJson"/]],
    ['says the text by its key', yida, { under: 'formDataJson', as: 'text' }, []],
    ['has the text as a field', { ...yida, request: [{ field: 'formDataJson', value: '{{a}}' }] }, {}, []],
    [
      'says what its adapter adds',
      { ...yida, otherRequest: null },
      { under: 'formDataJson', as: 'text' },
      [/"appType".*"formUuid"/],
    ],
    ['takes a list', items, {}, [/^target\.send\.request: .*"list": "items"/]],
    ['takes a list that is named', items, { list: 'items' }, []],
    ['needs the key of a text', { request: one('{{a}}') }, { as: 'text' }, [/^target\.send\.request\.under: the key/]],
  ])('%s', (_, block, request, words) => {
    const changes = { 'target.path': undefined, 'target.send': { request }, 'target.connection.auth': auth };
    const { faults } = said('target', block, changes);
    expect(faults).toEqual(words.map((word) => expect.stringMatching(word)));
  });

  test('has no secret typed beside the record, but says where it goes by reference', () => {
    const typed = { ...yida, otherRequest: [{ field: 'systemToken', value: 'YOUR_SYSTEM_TOKEN' }] };
    expect(said('target', typed).faults).toContainEqual(
      expect.stringMatching(/^request|otherRequest.*connection\.auth\.params .*"name": "systemToken"/),
    );
  });
});
