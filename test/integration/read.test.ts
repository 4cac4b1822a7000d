import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { targetPlanOf } from '../../lib/integration/compile/target-plan.ts';
import { parseIntegration, readIntegrations } from '../../lib/integration/read.ts';
import { ConfigurationError, describeFault } from '../../lib/runtime/fault.ts';
import {
  type Changes,
  changedText,
  integrationsFolder,
  integrationWith,
  type ShippedName,
  shippedText,
} from './sample.ts';

const qingyiyun = 'okki-product-groups-to-qingyiyun';
const crm = 'okki-product-groups-to-crm';

const rows = { path: 'rows', success: { path: 'ok', equals: [true] } };

/** The paths that are faulty after these changes. */
const faultsAfter = (name: ShippedName, changes: Changes): string[] =>
  parseIntegration(changedText(name, changes), `${name}.json`).faults.map(({ path }) => path);

/** `path: expected …; found …` of the only fault after these changes. */
const onlyFault = (name: ShippedName, changes: Changes): string => {
  const { faults } = parseIntegration(changedText(name, changes), `${name}.json`);
  expect(faults.map(({ path }) => path)).toHaveLength(1);
  return faults.map(({ path, expected, found }) => `${path}: ${expected}; ${found}`).join();
};

describe('the shipped integrations', () => {
  test('are read without faults and without warnings', () => {
    const { integrations, warnings } = readIntegrations([integrationsFolder]);
    expect(integrations.map(({ name }) => name)).toEqual([crm, qingyiyun]);
    expect(warnings).toEqual([]);
  });

  test("hold the platform's two blocks verbatim", () => {
    const { source, target } = JSON.parse(shippedText(qingyiyun));
    expect(source.metadata).toEqual({
      api: '/v1/product/groups',
      effect: 'QUERY',
      method: 'GET',
      number: 'name',
      id: 'id',
      request: [
        { field: 'id', label: 'id', type: 'string' },
        { field: 'name', label: 'name', type: 'string' },
      ],
      autoFillResponse: true,
    });
    expect(target.metadata).toEqual({
      api: '写入空操作',
      effect: 'EXECUTE',
      method: 'POST',
      number: 'number',
      id: 'id',
      name: '编码',
      idCheck: true,
    });
    expect(JSON.parse(shippedText(crm)).source.metadata).toEqual(source.metadata);
  });

  test('say where they post, and whether in batches', async () => {
    const [single, batched] = [
      await targetPlanOf(integrationWith(qingyiyun)),
      await targetPlanOf(integrationWith(crm)),
    ];
    expect(single.path).toBe('/execute');
    expect(single.batch).toBeUndefined();
    expect(batched.path).toBe('/groups/batch');
    expect(batched.batch).toEqual({ rows: 20, rowsKey: 'array' });
  });
});

describe('a file', () => {
  test("leaves out what has a default: OKKI's envelope, bounds, idCheck true", () => {
    const integration = integrationWith(qingyiyun, {
      'source.answer': undefined,
      'source.connection.timeoutMs': undefined,
      'target.connection.timeoutMs': undefined,
      'target.metadata.idCheck': undefined,
      'target.success': undefined,
      'target.retry': undefined,
      transform: undefined,
      deadlineMinutes: undefined,
    });
    expect(integration.source.answer).toEqual({
      records: 'data',
      code: 'code',
      successCodes: [0, 200],
      message: 'message',
      total: ['data.totalItem', 'data.count'],
    });
    expect(integration.source.connection.timeoutMs).toBe(60_000);
    expect(integration.target.connection.timeoutMs).toBe(15_000);
    expect(integration.target.metadata.idCheck).toBe(true);
    expect(integration.target.success.rules).toEqual([]);
    expect(integration.target.retry).toEqual({ maxAttempts: 8, baseMs: 1000, capMs: 300_000 });
    expect(integration.transform).toEqual({ clean: { trim: true }, duplicates: [], types: {} });
    expect(integration.deadlineMinutes).toBe(120);
  });

  test('may begin with a byte order mark', () => {
    expect(parseIntegration(`\uFEFF${shippedText(crm)}`, `${crm}.json`).faults).toEqual([]);
  });

  test.each([
    ['{"name": 1,\n  "title" 2}', 'x.json:2:11 expected JSON'],
    ['{"name": ', 'x.json:1:10 expected JSON'],
    ['', 'x.json:1:1 expected JSON'],
    ['{ // no\n}', 'x.json:1:3 expected JSON'],
    ['[]', 'x.json:1:1 expected an object; found an empty list'],
    ['null', 'x.json:1:1 expected an object; found null'],
  ])('that is no JSON object is one fault with its place: %j', (text, beginning) => {
    const { faults } = parseIntegration(text, 'x.json');
    expect(faults).toHaveLength(1);
    expect(faults.map(describeFault).join().startsWith(beginning)).toBe(true);
  });

  test.each<[string, (name: string) => string]>([
    ['an unknown key of a connection', () => changedText(crm, { 'target.connection.key': 'tok_live_12345' })],
    ['a key elsewhere whose name tells', () => changedText(crm, { 'target.apiKey': 'tok_live_12345' })],
    ['a value of a wrong form', () => changedText(crm, { 'source.connection.auth.clientSecret': 'tok_live_12345' })],
    [
      'a constant of the request whose field tells',
      () => changedText(crm, { 'target.metadata.request': [{ field: 'token', value: 'tok_live_12345' }] }),
    ],
    ['broken JSON', () => '{"token": tok_live_12345}'],
    ['JSON that breaks off', () => '{"name": "a", "token": "tok_live_12345"'],
  ])('does not show what may be a secret: %s', (_, textOf) => {
    const { faults, warnings } = parseIntegration(textOf(crm), `${crm}.json`);
    expect(faults.length + warnings.length).toBeGreaterThan(0);
    expect(JSON.stringify([faults, warnings])).not.toMatch(/tok_l|live/);
  });

  test('tells all its faults at once, of form and of sense, in the order of the file', () => {
    const text = changedText(qingyiyun, {
      title: undefined,
      'schedule.expression': 'hourly',
      'source.metadata.id': undefined,
      'source.metadata.effect': 'EXECUTE',
      'source.paging.kind': 'pageNumbr',
      'target.path': undefined,
      'target.onUncertain': undefined,
      deadlineMinute: 5,
    });
    const { faults, integration } = parseIntegration(text, `${qingyiyun}.json`);
    expect(integration).toBeUndefined();
    expect(faults.map(({ path }) => path)).toEqual([
      'title',
      'schedule.expression',
      'source.metadata.id',
      'source.metadata.effect',
      'source.paging.kind',
      'target.onUncertain',
      'target.path',
      'deadlineMinute',
    ]);
    const lines = text.split('\n');
    for (const { path, position, found } of faults.filter((fault) => fault.found !== 'nothing')) {
      const key = `"${path.split('.').at(-1)}"`;
      expect(lines[(position?.line ?? 0) - 1]?.slice((position?.column ?? 0) - 1)).toMatch(new RegExp(`^${key}`));
      expect(found).not.toBe('');
    }
  });

  test('refuses a key that comes twice: JSON would silently keep the last', () => {
    const text = shippedText(crm).replace('"concurrency": 4', '"concurrency": 4, "concurrency": 5');
    const { faults } = parseIntegration(text, `${crm}.json`);
    expect(faults.map(({ path, expected }) => `${path} ${expected}`)).toEqual(['target.concurrency every key once']);
  });

  test('of another name than the integration is warned about', () => {
    const { warnings, integration } = parseIntegration(shippedText(crm), '/tmp/other.json');
    expect(integration?.name).toBe(crm);
    expect(warnings.map(({ path }) => path)).toEqual(['name']);
  });

  test('of any JSON at all gets faults or an integration, never an exception', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        expect(parseIntegration(text, 'x.json').faults.length).toBeGreaterThan(0);
      }),
    );
  });

  test('with any value anywhere is either run or refused by name', () => {
    const places = [
      'schedule',
      'source',
      'source.connection',
      'source.connection.baseUrl',
      'source.connection.auth',
      'source.metadata',
      'source.metadata.request',
      'source.paging',
      'source.rateLimit',
      'transform',
      'transform.types',
      'transform.duplicates',
      'target.metadata',
      'target.metadata.operation',
      'target.metadata.request',
      'target.success',
      'target.retry',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.jsonValue({ maxDepth: 3 }), (place, value) => {
        const text = changedText(crm, { [place]: value as never });
        const { integration, faults } = parseIntegration(text, `${crm}.json`);
        expect(integration === undefined).toBe(faults.length > 0);
      }),
    );
  });
});

describe('our own blocks', () => {
  test('refuse unknown keys and name the one that was probably meant', () => {
    expect(onlyFault(crm, { 'target.onuncertain': 'park' })).toContain('did you mean "onUncertain"?');
    expect(onlyFault(crm, { 'source.connection.timeout': 5 })).toContain('no such key (did you mean "timeoutMs"?)');
    expect(onlyFault(crm, { 'transform.zzz': 1 })).toContain('no such key, known here: clean, duplicates, types');
  });

  test('refuse a secret that stands in the file, without repeating it', () => {
    const told = onlyFault(crm, { 'source.connection.auth.clientSecret': 's3cr3t' });
    expect(told).toContain('never the value itself');
    expect(told).not.toContain('s3cr3t');
  });

  test('refuse a base URL with a password in it, without repeating it', () => {
    const told = onlyFault(crm, { 'target.connection.baseUrl': 'https://me:s3cr3t@example.com' });
    expect(told).toContain('without user name, password');
    expect(told).not.toContain('s3cr3t');
  });

  test.each<[string, Changes, string]>([
    [
      'a reference of two kinds',
      { 'source.connection.auth.clientId': { env: 'A', ssm: '/a' } },
      'source.connection.auth.clientId.ssm',
    ],
    ['a reference of no kind', { 'source.connection.auth.clientId': {} }, 'source.connection.auth.clientId'],
    ['a bad name in a reference', { 'source.connection.baseUrl': { env: 'A-B' } }, 'source.connection.baseUrl.env'],
    ['no http URL', { 'target.connection.baseUrl': 'ftp://x' }, 'target.connection.baseUrl'],
    ['an unknown grant', { 'source.connection.auth.grant': 'code' }, 'source.connection.auth.grant'],
    [
      'a password grant without its fields',
      { 'source.connection.auth.grant': 'password' },
      'source.connection.auth.username,source.connection.auth.password',
    ],
    ['an unknown time zone', { 'schedule.timezone': 'Asia/Nowhere' }, 'schedule.timezone'],
    ['a half number', { deadlineMinutes: 1.5 }, 'deadlineMinutes'],
    ['a zero where one is the least', { 'target.retry.maxAttempts': 0 }, 'target.retry.maxAttempts'],
    ['a request longer than load could end', { 'target.connection.timeoutMs': 45_001 }, 'target.connection.timeoutMs'],
    ['a rate limit without its interval', { 'source.rateLimit': { requests: 1 } }, 'source.rateLimit'],
    ['a backoff that shrinks', { 'target.retry': { baseMs: 5000, capMs: 10 } }, 'target.retry.capMs'],
    [
      'a link in the body without its path',
      { 'source.paging': { kind: 'nextLink', in: 'body' } },
      'source.paging.path',
    ],
    [
      'a link in the header with a path',
      { 'source.paging': { kind: 'nextLink', in: 'header', path: 'a' } },
      'source.paging.path',
    ],
    [
      'a page size that is never sent',
      { 'source.paging': { kind: 'cursor', cursorParam: 'c', cursorPath: 'n', pageSize: 5 } },
      'source.paging.sizeParam',
    ],
    [
      'a type for a field that is not sent',
      { 'transform.types': { group_ids: { to: 'integer' } } },
      'transform.types.group_ids',
    ],
    [
      'a prefix where none is taken off',
      { 'transform.types': { group_id: { to: 'string', prefix: 'x' } } },
      'transform.types.group_id.prefix',
    ],
  ])('refuse %s', (_, changes, paths) => {
    expect(faultsAfter(crm, changes).join()).toBe(paths);
  });

  test.each<[string, Changes, string]>([
    [
      'path of a link',
      { 'source.paging': { kind: 'nextLink', in: 'body' } },
      'source.paging.path: the path of the link in the body; nothing',
    ],
    [
      'path of a link that is in the header',
      { 'source.paging': { kind: 'nextLink', in: 'header', path: 'a' } },
      'source.paging.path: nothing: the link is in the header; "a"',
    ],
    [
      'parameter of names',
      { 'source.send': { request: { as: 'names' } } },
      'source.send.request.under: the parameter that carries the names; nothing',
    ],
    [
      'word for how fields are sent',
      { 'source.send': { request: { as: 'name' } } },
      'source.send.request.as: one of "fields", "names" (did you mean "names"?); "name"',
    ],
    [
      'place of records',
      { 'target.send': { request: { in: 'query' } } },
      'target.send.request.in: "body": records are sent in no other place; "query"',
    ],
    [
      'rows that are found by two keys',
      { 'target.results': { ...rows, id: 'id', index: 'n' } },
      'target.results.index: nothing beside id: a row is found by one of them; "n"',
    ],
    [
      'rows without a word for success',
      { 'target.results': { path: 'rows', index: 'n' } },
      'target.results.success: an object; nothing',
    ],
    ['rows in another form', { 'target.results': 'rows' }, 'target.results: an object; "rows"'],
    [
      'endpoint of deletions',
      { vanished: { action: 'post' } },
      'vanished.path: the path of the deletion endpoint, since action is "post"; nothing',
    ],
    [
      'endpoint without deletions',
      { vanished: { path: '/x' } },
      'vanished.path: nothing, unless action is "post"; "/x"',
    ],
    [
      'action',
      { vanished: { action: 'pst' } },
      'vanished.action: one of "report", "post" (did you mean "post"?); "pst"',
    ],
    ...(
      [
        ['{{id', 'a template whose braces are closed: {{field}}; "{{id"'],
        [
          '{id}',
          'two braces around a field, {{id}}: in one pair it would be sent as it stands, for every record; "{id}"',
        ],
        ['{{name}}', '{{id}}, not {{name}}: of what is gone only the id is known; "{{name}}"'],
        [
          '{{CURRENT_TIME}}',
          'no variable of the run: the body would be another one in every run, and nothing ever unchanged; "{{CURRENT_TIME}}"',
        ],
      ] as const
    ).map(([value, says]): [string, Changes, string] => [
      `body of a deletion, ${value}`,
      { vanished: { action: 'post', path: '/gone', request: [{ field: 'id', value }] } },
      `vanished.request[0].value: ${says}`,
    ]),
    [
      'size of a batch',
      { 'target.metadata.operation': { method: 'batchArraySave', rowsKey: 'a' } },
      'target.metadata.operation.rows: how many records go into one request; nothing',
    ],
    [
      'array of a split',
      { 'source.metadata.operation': { method: 'splitArray' } },
      'source.metadata.operation.arrayKey: the array whose elements are the records; nothing',
    ],
    [
      'operation',
      { 'source.metadata.operation': { method: 'batchArraySave' } },
      'source.metadata.operation.method: "none", "splitArray"; others are not carried out yet; "batchArraySave"',
    ],
    [
      'prefix',
      { 'transform.types': { group_id: { to: 'string', prefix: 'x' } } },
      'transform.types.group_id.prefix: no prefix unless "to" is "integer"; "x"',
    ],
  ])('say in words what is missing or too much: %s', (_, changes, told) => {
    expect(onlyFault(crm, changes)).toBe(told);
  });

  test.each<[string, Changes]>([
    ['a literal URL', { 'target.connection.baseUrl': 'http://127.0.0.1:8080/api' }],
    [
      'references to SSM and Secrets Manager',
      {
        'source.connection.auth.clientId': { ssm: '/okki/id' },
        'source.connection.auth.clientSecret': { secretsManager: 'okki', key: 'secret' },
      },
    ],
    ['every kind of paging', { 'source.paging': { kind: 'single' } }],
    ['offsets', { 'source.paging': { kind: 'offset', offsetParam: 'offset', sizeParam: 'limit', pageSize: 10 } }],
    [
      'cursors',
      { 'source.paging': { kind: 'cursor', cursorParam: 'c', cursorPath: 'data.next', hasMorePath: 'data.more' } },
    ],
    ['links', { 'source.paging': { kind: 'nextLink', in: 'body', path: 'next' } }],
    ['a cron expression', { 'schedule.expression': 'cron(0 8 * * ? *)' }],
    ['no authorisation', { 'target.connection.auth': { kind: 'none' } }],
  ])('accept %s', (_, changes) => {
    expect(faultsAfter(crm, changes)).toEqual([]);
  });
});

describe('metadata blocks', () => {
  test('keep unknown keys as they are and warn about them', () => {
    const text = changedText(crm, { 'source.metadata.adapterKey': { deep: [1] }, 'target.metadata.idcheck': true });
    const { integration, warnings } = parseIntegration(text, `${crm}.json`);
    expect(integration?.source.metadata.adapterKey).toEqual({ deep: [1] });
    expect(warnings.map(({ path }) => path)).toEqual(['source.metadata.adapterKey', 'target.metadata.idcheck']);
    expect(warnings[1]?.expected).toContain('did you mean "idCheck"?');
  });

  test.each<[string, Changes, string]>([
    ['a source that is none', { 'source.metadata.effect': 'EXECUTE' }, 'source.metadata.effect'],
    [
      'the older spelling of it',
      { 'source.metadata.effect': undefined, 'source.metadata.type': 'WRITE' },
      'source.metadata.type',
    ],
    ['a target that is none', { 'target.metadata.effect': 'QUERY' }, 'target.metadata.effect'],
    ['a record written with GET', { 'target.metadata.method': 'GET' }, 'target.metadata.method'],
    ['a source without id', { 'source.metadata.id': undefined }, 'source.metadata.id'],
    ['two ids', { 'source.id': 'key' }, 'source.id'],
    ['a source api that is neither a path nor a name', { 'source.metadata.api': '查询 单据' }, 'source.path'],
    ['a target api that is no path', { 'target.metadata.api': '写入空操作' }, 'target.path'],
    ['two paths for one target', { 'target.path': '/other' }, 'target.path'],
    [
      'a batch without its key',
      { 'target.metadata.operation': { method: 'batchArraySave', rows: 5 } },
      'target.metadata.operation.rowsKey',
    ],
    [
      'a batch without its size',
      { 'target.metadata.operation': { method: 'batchArraySave', rowsKey: 'a' } },
      'target.metadata.operation.rows',
    ],
    [
      'an operation that is not carried out',
      { 'source.metadata.operation': { method: 'mergeArray' } },
      'source.metadata.operation.method',
    ],
    [
      'a split of nothing',
      { 'source.metadata.operation': { method: 'splitArray' } },
      'source.metadata.operation.arrayKey',
    ],
    [
      'a filter with an operator that is not carried out',
      { 'source.metadata.condition': [[{ field: 'a', logic: 'regex', value: '1' }]] },
      'source.metadata.condition[0][0].logic',
    ],
    [
      'a filter of another form',
      { 'source.metadata.condition': [{ field: 'a', logic: 'eq', value: '1' }] },
      'source.metadata.condition[0]',
    ],
    [
      'a filter with a template in it',
      { 'source.metadata.condition': [[{ field: 'a', logic: 'gt', value: '{{LAST_SYNC_TIME}}' }]] },
      'source.metadata.condition[0][0].value',
    ],
    ['a flattening of something else', { 'source.metadata.beatFlat': ['a', 5] }, 'source.metadata.beatFlat[1]'],
    [
      'merged records, in either block',
      { 'source.metadata.groupCalculate': { by: ['a'] }, 'target.metadata.groupCalculate': { by: ['a'] } },
      'source.metadata.groupCalculate,target.metadata.groupCalculate',
    ],
    [
      'a pipe that is not carried out',
      { 'target.metadata.request': [{ field: 'group_id', value: '{{id|upper}}' }] },
      'target.metadata.request[0].value',
    ],
    [
      'a time of the run in a body, which would never be the same twice',
      {
        'target.metadata.request': [
          { field: 'group_id', value: '{{id}}' },
          { field: 'at', value: '{{CURRENT_TIME}}' },
        ],
      },
      'target.metadata.request[1].value',
    ],
    [
      'a field in the parameters of a source',
      { 'source.metadata.request': [{ field: 'since', value: '{{updated}}' }] },
      'source.metadata.request[0].value',
    ],
    [
      'a page variable without pages of a size',
      {
        'source.metadata.request': [{ field: 'from', value: '{{PAGINATION_START_ROW}}' }],
        'source.paging': { kind: 'single' },
      },
      'source.metadata.request[0].value',
    ],
    [
      'pagination that nothing carries',
      { 'source.metadata.pagination': { pageSize: 10 }, 'source.paging': undefined },
      'source.metadata.pagination',
    ],
    [
      'a cursor whose next one stands nowhere',
      { 'source.metadata.request': [{ field: 'cursor' }], 'source.paging': undefined },
      'source.paging',
    ],
    [
      'arithmetic that is none',
      { 'target.metadata.request': [{ field: 'group_id', value: '_function IF({{a}},1,2)' }] },
      'target.metadata.request[0].value',
    ],
    [
      "a query of the platform's own store",
      { 'target.metadata.request': [{ field: 'group_id', value: '_findCollection find id from x' }] },
      'target.metadata.request[0].value',
    ],
    [
      'a parser that is not carried out',
      { 'target.metadata.request': [{ field: 'group_id', value: '{{id}}', parser: { name: 'MD5' } }] },
      'target.metadata.request[0].parser',
    ],
    [
      'an unknown field type',
      { 'target.metadata.request': [{ field: 'group_id', value: '{{id}}', type: 'file' }] },
      'target.metadata.request[0].type',
    ],
    [
      'a field beside its parent',
      {
        'target.metadata.request': [
          { field: 'group_id', value: '{{id}}' },
          { field: 'rows', type: 'array', value: 'rows' },
          { field: 'x', value: '{{x}}', parent: 'rows' },
        ],
      },
      'target.metadata.request[2].parent',
    ],
    [
      'two readings of idCheck',
      { 'source.metadata.idCheck': true, 'target.metadata.idCheck': false },
      'source.metadata.idCheck',
    ],
    ['a profile that there is none of', { 'source.profile': 'oki' }, 'source.profile'],
    ['a body for a GET', { 'source.send': { otherRequest: { in: 'body' } } }, 'source.send.otherRequest.in'],
    [
      'a body of nothing',
      {
        'target.metadata.request': [],
        'target.metadata.id': undefined,
        'target.metadata.number': undefined,
        'transform.types': undefined,
      },
      'target.metadata',
    ],
  ])('refuse %s', (_, changes, path) => {
    expect(faultsAfter(crm, changes).join()).toBe(path);
  });

  test('warn about unknown keys inside known ones, too', () => {
    const text = changedText(crm, {
      'source.metadata.operation': { method: 'none', mode: 1 },
      'source.metadata.condition': [[{ field: 'a', logic: 'notnull', strictmode: true }]],
    });
    const { warnings, faults } = parseIntegration(text, `${crm}.json`);
    expect(faults).toEqual([]);
    expect(warnings.map(({ path }) => path)).toEqual([
      'source.metadata.operation.mode',
      'source.metadata.condition[0][0].strictmode',
    ]);
  });

  test('let unused keys of an export stand: null, empty text, empty list', () => {
    const text = changedText(crm, { 'source.metadata.condition': [], 'source.metadata.beatFlat': null });
    expect(parseIntegration(text, `${crm}.json`)).toMatchObject({ faults: [], warnings: [] });
  });

  test('warn where one of our blocks decides instead', () => {
    const { warnings } = parseIntegration(
      changedText(crm, { 'source.metadata.pagination': { pageSize: 5 } }),
      `${crm}.json`,
    );
    expect(warnings.map(({ expected }) => expected).join()).toContain('source.paging');
  });
});

describe('reading files', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'integrations-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const faultsOf = (paths: string[]): string[] => {
    try {
      readIntegrations(paths);
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigurationError);
      return (error as ConfigurationError).faults.map(({ file, path }) => `${file} ${path}`.trim());
    }
    return [];
  };

  test('refuses two integrations of one name', () => {
    writeFileSync(join(folder, 'a.json'), shippedText(crm));
    writeFileSync(join(folder, 'b.json'), shippedText(crm));
    expect(faultsOf([folder])).toEqual([`${join(folder, 'b.json')} name`]);
  });

  test('tells the faults of all files together, with those that are missing', () => {
    writeFileSync(join(folder, 'a.json'), '{');
    writeFileSync(join(folder, 'b.json'), changedText(crm, { title: 5 }));
    expect(faultsOf([folder, join(folder, 'none.json')])).toEqual([
      join(folder, 'none.json'),
      join(folder, 'a.json'),
      `${join(folder, 'b.json')} title`,
    ]);
  });

  test('refuses a folder without integration files', () => {
    expect(faultsOf([folder])).toEqual([folder]);
  });

  test('error carries a code and one line per fault', () => {
    writeFileSync(join(folder, 'b.json'), changedText(crm, { title: 5, name: 'A' }));
    const read = () => readIntegrations([folder]);
    expect(read).toThrow(expect.objectContaining({ code: 'configuration', name: 'ConfigurationError' }));
    expect(read).toThrow(/b\.json:\d+:\d+ name: expected .*\n.*b\.json:\d+:\d+ title: expected a text; found 5$/);
  });
});
