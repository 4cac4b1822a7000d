import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { transformPlanOf } from '../../lib/integration/compile/run-plan.ts';
import { sourcePlanOf } from '../../lib/integration/compile/source-plan.ts';
import { targetPlanOf } from '../../lib/integration/compile/target-plan.ts';
import { conditionLogics } from '../../lib/integration/dialect/condition.ts';
import { readOtherResponse } from '../../lib/integration/dialect/other-response.ts';
import { parserNames } from '../../lib/integration/dialect/parsers.ts';
import { fieldTypes } from '../../lib/integration/dialect/words.ts';
import { DEFAULT_PAGE_SIZE } from '../../lib/integration/fill/paging-families.ts';
import { profileNames } from '../../lib/integration/fill/profile.ts';
import { parseIntegration } from '../../lib/integration/read.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import { describeFault } from '../../lib/runtime/fault.ts';
import { pageRequest } from '../../lib/source/progress.ts';
import { openTransform } from '../../lib/transform/transform.ts';
import { type Changes, changedText, integrationWith } from './sample.ts';

const crm = 'okki-product-groups-to-crm';

const pagingOf = (metadata: Record<string, JsonValue>, changes: Changes = {}) =>
  integrationWith(crm, {
    'source.paging': undefined,
    ...Object.fromEntries(Object.entries(metadata).map(([key, value]) => [`source.metadata.${key}`, value])),
    ...changes,
  }).source.paging;

const field = (name: string, value?: JsonValue) => ({ field: name, ...(value === undefined ? {} : { value }) });

describe('paging, where source.paging says nothing', () => {
  test.each<[string, Record<string, JsonValue>, object]>([
    [
      'start_index and count: a page number',
      { request: [field('start_index', '1'), field('count', '10')] },
      { kind: 'pageNumber', pageParam: 'start_index', sizeParam: 'count', pageSize: 10, firstPage: 1 },
    ],
    [
      'page_index and page_size, from page 0, without a size of its own',
      { request: [field('page_index', 0), field('page_size')] },
      { kind: 'pageNumber', pageParam: 'page_index', pageSize: DEFAULT_PAGE_SIZE, firstPage: 0 },
    ],
    [
      'pageIndex and pageSize inside an object',
      { request: [{ field: 'page', type: 'object', children: [field('pageIndex', '1'), field('pageSize', '50')] }] },
      { kind: 'pageNumber', pageParam: 'page.pageIndex', sizeParam: 'page.pageSize', pageSize: 50 },
    ],
    [
      'offset and pageSize: rows from 0',
      { request: [field('offset', '0'), field('pageSize', '20')] },
      { kind: 'offset', offsetParam: 'offset', sizeParam: 'pageSize', pageSize: 20 },
    ],
    [
      'StartRow and Limit beside the request',
      { request: [field('a', 'b')], otherRequest: [field('StartRow', 0), field('Limit', 2000)] },
      { kind: 'offset', offsetParam: 'StartRow', sizeParam: 'Limit', pageSize: 2000 },
    ],
    [
      'the variables of pagination',
      {
        pagination: { pageSize: '30' },
        request: [field('from', '{{PAGINATION_START_ROW}}'), field('take', '{{PAGINATION_PAGE_SIZE}}')],
      },
      { kind: 'offset', offsetParam: 'from', sizeParam: 'take', pageSize: 30 },
    ],
    [
      'the variables in arithmetic that comes to a page number',
      {
        pagination: { pageSize: 30 },
        request: [field('p', '_function {PAGINATION_START_ROW} / {PAGINATION_PAGE_SIZE} + 1')],
      },
      { kind: 'pageNumber', pageParam: 'p', pageSize: 30, firstPage: 1 },
    ],
    [
      'the same from page 0, with the size',
      {
        pagination: { pageSize: 30 },
        request: [field('p', '_function PAGINATION_START_ROW / 30'), field('n', '{PAGINATION_PAGE_SIZE}')],
      },
      { kind: 'pageNumber', pageParam: 'p', sizeParam: 'n', pageSize: 30, firstPage: 0 },
    ],
    [
      'the variables in other arithmetic, or in text: nothing but they carry the page',
      { pagination: { pageSize: 30 }, request: [field('from', '_function {PAGINATION_START_ROW} + 1')] },
      { kind: 'offset', pageSize: 30 },
    ],
    [
      'a statement with both',
      { pagination: { pageSize: 30 }, request: [field('sql', 'limit {PAGINATION_START_ROW},{PAGINATION_PAGE_SIZE}')] },
      { kind: 'offset', pageSize: 30 },
    ],
    [
      'a page number beside the size of pagination',
      { pagination: { pageSize: 30 }, request: [field('page', '1'), field('take', '{{PAGINATION_PAGE_SIZE}}')] },
      { kind: 'pageNumber', pageParam: 'page', sizeParam: 'take', pageSize: 30 },
    ],
    [
      'a size of its own before that of pagination',
      { pagination: { pageSize: 500 }, request: [field('page_no', '1'), field('page_size', '20')] },
      { kind: 'pageNumber', sizeParam: 'page_size', pageSize: 20 },
    ],
    [
      'a cursor, with the place of the next one in otherResponse',
      { request: [field('cursor'), field('limit', '5')], otherResponse: { pageKey: 'data.next' } },
      { kind: 'cursor', cursorParam: 'cursor', cursorPath: 'data.next', sizeParam: 'limit', pageSize: 5 },
    ],
    [
      'offset and length',
      { request: [field('offset', '0'), field('length', '1000')] },
      { kind: 'offset', offsetParam: 'offset', sizeParam: 'length', pageSize: 1000 },
    ],
    [
      '$skip and $top',
      { request: [field('$top', '200'), field('$skip', 0), field('$format', 'json')] },
      { kind: 'offset', offsetParam: '$skip', sizeParam: '$top', pageSize: 200 },
    ],
    [
      'a page number that begins the list, without a size',
      { request: [field('pageNum', '1'), field('shop', '3')] },
      { kind: 'pageNumber', pageParam: 'pageNum', pageSize: DEFAULT_PAGE_SIZE, firstPage: 1 },
    ],
    ['page 0 without a size', { request: [field('page', 0)] }, { kind: 'pageNumber', firstPage: 0 }],
    [
      'a time that is named like a page is none',
      { request: [field('current', '{{CURRENT_TIME}}'), field('page_no', '1'), field('size', '5')] },
      { kind: 'pageNumber', pageParam: 'page_no', sizeParam: 'size' },
    ],
  ])('%s', (_, metadata, paging) => {
    expect(pagingOf(metadata)).toMatchObject(paging);
  });

  test.each<[string, JsonValue[]]>([
    ['no parameter of paging', [field('name')]],
    ['a page alone', [field('page', '7')]],
    ['one that is not set', [field('page'), field('current', '')]],
  ])('is unstated, with a warning, under %s', (_, request) => {
    const unstated = { 'source.metadata.request': request, 'source.paging': undefined };
    const { integration, warnings } = parseIntegration(changedText(crm, unstated), `${crm}.json`);
    expect(integration?.source).not.toHaveProperty('paging');
    expect(warnings.map(({ path }) => path)).toContain('source.paging');
    expect(sourcePlanOf(integrationWith(crm, unstated)).paging).toMatchObject({ kind: 'single', isStated: false });
    const stated = { ...unstated, 'source.paging': { kind: 'single' } };
    expect(parseIntegration(changedText(crm, stated), `${crm}.json`).warnings).toEqual([]);
    expect(sourcePlanOf(integrationWith(crm, stated)).paging).toMatchObject({ kind: 'single', isStated: true });
  });

  test.each([
    '页码,0为第1页',
    '页码，从0开始',
    '从零开始计数',
    '起始页为０',
    '当前页,默认0',
    'Page number, zero-based',
    'page index, starts at 0',
  ])('is warned about where the page number is described as %j and asked for from 1', (describe) => {
    const paged = (value: JsonValue, paging?: JsonValue) =>
      parseIntegration(
        changedText(crm, {
          'source.metadata.pagination': { pageSize: 5 },
          'source.metadata.request': [{ ...field('pageNo', value), describe }],
          'source.paging': paging,
        }),
        `${crm}.json`,
      );
    for (const value of ['{{PAGINATION_START_PAGE}}', '1']) {
      const { warnings } = paged(value);
      expect(warnings.map(({ path }) => path)).toEqual(['source.metadata.request[0].describe']);
      expect(warnings[0]?.expected).toContain('"firstPage":0');
    }
    expect(paged('0').warnings).toEqual([]);
    const own = { kind: 'pageNumber', pageParam: 'pageNo', pageSize: 5 };
    const placesOf = (paging: JsonValue) => paged('1', paging).warnings.map(({ path }) => path);
    expect(placesOf(own)).toContain('source.metadata.request[0].describe');
    expect(placesOf({ ...own, firstPage: 1 })).not.toContain('source.metadata.request[0].describe');
  });
});

describe('otherResponse', () => {
  const said = { statusKey: 'ret', statusValue: '1', dataKey: 'rows', pageKey: 'sum' };

  test.each<[string, JsonValue]>([
    ['an object', said],
    ['a list of fields', Object.entries(said).map(([name, value]) => ({ field: name, value, label: 'x' }))],
    ['a list of objects', [{ statusKey: 'ret', statusValue: '1' }, { dataKey: 'rows' }, { pageKey: 'sum' }]],
  ])('is read as %s', (_, raw) => {
    expect(readOtherResponse(raw)).toEqual(said);
  });

  test('says where list, status and total stand; keys of source.answer go before it', () => {
    const { answer } = integrationWith(crm, {
      'source.metadata.otherResponse': said,
      'source.answer': { total: ['n'] },
    }).source;
    expect(answer).toMatchObject({ records: 'rows', code: 'ret', successCodes: ['1'], total: ['n'] });
  });

  test('of a target says what a success is', () => {
    const { success } = integrationWith(crm, {
      'target.metadata.otherResponse': { statusKey: 'ret', statusValue: 1 },
      'target.success': undefined,
    }).target;
    expect(success.rules).toEqual([{ path: 'ret', equals: [1], required: true }]);
  });
});

describe('a profile', () => {
  test.each(profileNames)('%s is laid under what the file says', (profile) => {
    const integration = integrationWith(crm, {
      'source.profile': profile,
      'target.profile': profile,
      'source.answer': { code: 'own' },
      'source.metadata.method': 'POST',
      'source.metadata.otherRequest': [{ field: 'FormId', value: 'BD_MATERIAL' }],
      'target.metadata.otherRequest': [{ field: 'formid', value: 'BD_MATERIAL' }],
      'target.success': undefined,
    });
    expect(integration.source.answer.code).toBe('own');
    expect(integration.source.answer.records).not.toBe('data');
    expect(integration.target.success.rules.length).toBeGreaterThan(0);
  });

  test('gives a name its path, and an authorisation all but its credentials', () => {
    const { target, source } = integrationWith('okki-product-groups-to-qingyiyun', {
      'target.profile': 'qingyiyun',
      'target.path': undefined,
      'source.profile': 'okki',
      'source.connection.auth': { kind: 'oauth2', clientId: { env: 'A' }, clientSecret: { env: 'B' } },
    });
    expect(target.path).toBe('/execute');
    expect(source.connection.auth).toMatchObject({ tokenPath: '/v1/oauth2/access_token' });
  });

  test('lies under the file’s authorisation at every level, references as a whole', () => {
    const auth = {
      kind: 'token',
      request: { url: '/oauth', params: { app_key: { env: 'KEY' }, app_secret: { env: 'SECRET' }, lang: 'zh' } },
      answer: { token: 'token', code: 'code' },
      use: { in: 'query', name: 'access_token' },
    };
    const findProfile = () => ({ profile: { name: 'mine', title: 'Mine', target: { auth } } });
    const own = { request: { params: { app_secret: { ssm: '/mine' } } }, answer: { code: 'errcode' } };
    const changes = { 'target.profile': 'mine', 'target.connection.auth': own };
    const { integration, faults } = parseIntegration(changedText(crm, changes), `${crm}.json`, findProfile);
    expect(faults).toEqual([]);
    expect(integration?.target.connection.auth).toMatchObject({
      request: { params: { app_key: { env: 'KEY' }, app_secret: { ssm: '/mine' }, lang: 'zh' } },
      answer: { token: 'token', code: 'errcode' },
    });
  });

  test('names the account at its family’s systems, where the file does not', () => {
    const dir = mkdtempSync(join(tmpdir(), 'profile-'));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const target = { account: ['acct', { env: 'ACCT_ID' }] };
    writeFileSync(join(dir, 'mine.json'), JSON.stringify({ name: 'mine', title: 'Mine', target }));
    const accountOf = (changes: Changes) =>
      parseIntegration(changedText(crm, { 'target.profile': './mine.json', ...changes }), join(dir, `${crm}.json`))
        .integration?.target.connection.account;
    expect(accountOf({})).toEqual(target.account);
    expect(accountOf({ 'target.connection.account': ['own'] })).toEqual(['own']);
  });

  test('of one’s own is a file beside the integration; its faults are told', () => {
    const dir = mkdtempSync(join(tmpdir(), 'profile-'));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const file = join(dir, `${crm}.json`);
    const text = changedText(crm, { 'source.profile': './mine.json', 'source.answer': undefined });
    const profile = { name: 'mine', title: 'Mine', source: { answer: { records: 'here' } } };
    writeFileSync(join(dir, 'mine.json'), JSON.stringify(profile));
    expect(parseIntegration(text, file).integration?.source.answer.records).toBe('here');
    writeFileSync(join(dir, 'mine.json'), JSON.stringify({ ...profile, sorce: {} }));
    expect(parseIntegration(text, file).faults.map(describeFault).join()).toContain('mine.json');
    rmSync(join(dir, 'mine.json'));
    expect(parseIntegration(text, file).faults.map(describeFault).join()).toContain('ENOENT');
  });
});

describe('how each key is read', () => {
  const keysOf = (changes: Changes) => parseIntegration(changedText(crm, changes), `${crm}.json`).keys;
  const asOf = (changes: Changes) =>
    Object.fromEntries(keysOf(changes).map(({ side, key, as }) => [`${side}.${key}`, as]));

  test('is told for every key of both blocks, with its place', () => {
    const readings = asOf({
      'source.metadata.pagination': { pageSize: 5 },
      'source.metadata.adapter': 1,
      'source.metadata.label': 'x',
      'source.metadata.beatFlat': [],
      'source.metadata.condition': [[{ field: 'a', logic: 'regex' }]],
    });
    expect(readings).toMatchObject({
      'source.api': 'honoured',
      'source.pagination': 'ignored',
      'source.adapter': 'unknown',
      'source.label': 'noted',
      'source.beatFlat': 'unused',
      'source.condition': 'refused',
      'target.request': 'honoured',
    });
  });

  test('names the place inside a key that is refused, with its line', () => {
    const changes = { 'target.metadata.request': [field('group_id', '{{id}}'), field('b', '{{x|upper}}')] };
    const refused = keysOf(changes).find(({ as }) => as === 'refused');
    expect(refused).toMatchObject({ side: 'target', key: 'request' });
    expect(refused?.why).toContain('request[1].value: expected');
    const line = changedText(crm, changes).split('\n')[(refused?.position.line ?? 0) - 1];
    expect(line).toContain('"request"');
  });
});

const mostly = <T, U>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<U>) =>
  fc.oneof({ arbitrary: usual, weight: 12 }, { arbitrary: odd, weight: 1 });
const values = (...usual: JsonValue[]) =>
  mostly(
    fc.constantFrom<JsonValue>('x', 5, '', null, ...usual),
    fc.constantFrom<JsonValue>(
      '{{id}}',
      '{{CURRENT_TIME}}',
      '_function IF(1)',
      '_function 1 + 1',
      "_function CASE '{{id}}' WHEN '1' THEN 2 END",
      '_mongoQuery x',
      '{{X|y}}',
      '{{PAGINATION_START_ROW}}',
      '{PAGINATION_PAGE_SIZE}',
      '{PAGINATION_START_PAGE}',
      '{id}',
      { a: ['{{id}}'] },
    ),
  );
const trees = (...usual: JsonValue[]) => {
  const leaf = {
    field: mostly(
      fc.constantFrom('a', 'b', 'lines', 'count'),
      fc.constantFrom('page', 'cursor', 'start_index', 'offset'),
    ),
    type: mostly(fc.constantFrom(...Object.keys(fieldTypes)), fc.constantFrom('file', '')),
    is_required: fc.boolean(),
    parser: mostly(
      fc.record({ name: fc.constantFrom<string>(...parserNames), params: fc.constant(',') }),
      fc.constantFrom(null, { name: 'MD5', params: ',' }, { name: 'ConvertObjectParser' }),
    ),
    mapping: mostly(fc.constantFrom(null, {}), fc.constant({ target: 'm' })),
  };
  const one = fc.record({ ...leaf, value: values(...usual) }, { requiredKeys: ['field'] });
  const parent = fc.record(
    { field: leaf.field, type: fc.constantFrom('array', 'object'), children: fc.array(one, { maxLength: 2 }) },
    { requiredKeys: ['field'] },
  );
  return fc.array(fc.oneof(one, parent), { maxLength: 3 });
};
const sourceTree = trees('{{LAST_SYNC_TIME}}', '{{CURRENT_TIME|datetime}}', '_function {{DAYS_AGO_3}} * 1000');
const targetTree = trees(
  "_function CASE {{a}} WHEN 1 THEN 'b' END",
  '{{id}}',
  '{{a.b|timestamp_ms}}',
  '{{lines.x}}',
  '_function {{a}} + 1',
  'lines',
);
const besideTree = trees('true', 0, false, ['a'], '1,2');
const sourceBlock = fc.record(
  {
    request: sourceTree,
    otherRequest: sourceTree,
    pagination: mostly(fc.constantFrom({}), fc.constantFrom({ pageSize: 10 }, { pageSize: '10' })),
    otherResponse: fc.constantFrom([], { pageKey: 'next', dataKey: 'data' }),
    condition: fc.array(
      fc.array(
        fc.record({
          field: fc.constantFrom('a', 'lines.x'),
          logic: mostly(fc.constantFrom<string>(...conditionLogics), fc.constant('in')),
          value: fc.constantFrom('1,2', 'timestamp:2024-01-01,2024-02-01'),
        }),
        { minLength: 1, maxLength: 2 },
      ),
      { maxLength: 2 },
    ),
    beatFlat: fc.constantFrom([], ['lines'], null),
    operation: mostly(
      fc.constantFrom({ method: 'none' }, { method: 'splitArray', arrayKey: 'lines' }),
      fc.constant({ method: 'other' }),
    ),
    groupCalculate: mostly(fc.constantFrom([], {}), fc.constant({ by: ['a'] })),
  },
  { requiredKeys: [] },
);

test('any well-formed block runs as it is, or is refused with a key of it named', async () => {
  const context = { nowMs: 1_700_000_000_000, lastSyncMs: 1_600_000_000_000 };
  let ran = 0;
  await fc.assert(
    fc.asyncProperty(
      sourceBlock,
      targetTree,
      besideTree,
      fc.jsonValue({ maxDepth: 3 }),
      async (source, request, other, record) => {
        const sourceKeys = Object.entries(source).map(([key, one]) => [`source.metadata.${key}`, one]);
        const text = changedText(crm, {
          ...Object.fromEntries(sourceKeys),
          'source.paging': undefined,
          'source.window': JSON.stringify(source).includes('LAST_SYNC_TIME') ? { initial: '2020-01-01' } : undefined,
          'target.metadata.request': request as never,
          'target.metadata.otherRequest': other as never,
          'transform.types': undefined,
        });
        const { integration, faults, keys } = parseIntegration(text, `${crm}.json`);
        if (integration === undefined) {
          expect(faults.length).toBeGreaterThan(0);
          for (const { path } of faults) expect(path).toMatch(/^(source|target)\./);
          return;
        }
        ran += 1;
        expect(keys.filter(({ as }) => as === 'refused')).toEqual([]);
        const page = { position: 3, pageSize: 10, startRow: 20 };
        const asked = pageRequest(sourcePlanOf(integration).request, { page }, context);
        expect('reason' in asked ? asked.reason : asked.path).not.toBe('');
        expect(JSON.stringify(asked)).not.toMatch(/\{\{|_function|_mongoQuery|PAGINATION_/);
        const { beside } = await targetPlanOf(integration);
        expect(JSON.stringify(beside)).not.toMatch(/\{\{|_function|_mongoQuery|PAGINATION_/);
        const { prepared } = openTransform(transformPlanOf(integration))
          .begin()
          .prepare([record as JsonValue], () => 'record 1');
        expect(prepared.length).toBeGreaterThan(0);
      },
    ),
    { numRuns: 400 },
  );
  expect(ran).toBeGreaterThan(20);
});
