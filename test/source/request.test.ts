import { describe, expect, it } from 'vitest';
import type { ApiRequest } from '../../lib/connection/api/api.ts';
import { type RequestPlan, sourcePlanOf } from '../../lib/integration/compile/source-plan.ts';
import type { RequestContext } from '../../lib/integration/dialect/variables.ts';
import type { Integration, MetadataField } from '../../lib/integration/schema/schema.ts';
import { defined } from '../../lib/runtime/defined.ts';
import { type PageAt, pageRequest } from '../../lib/source/progress.ts';
import { integrationWith } from '../integration/sample.ts';

type SourceBlock = Integration['source'];

const shipped = integrationWith('okki-product-groups-to-crm');

const planOf = (block: Pick<SourceBlock, 'metadata'> & Partial<SourceBlock>): RequestPlan =>
  sourcePlanOf({ ...shipped, source: { ...shipped.source, paging: { kind: 'single' }, ...block } }).request;

const metadata = (method: 'GET' | 'POST', request: MetadataField[], paging?: SourceBlock['paging']): RequestPlan =>
  planOf({ metadata: { api: '/v1/product/groups', method, id: 'id', request }, ...defined({ paging }) });

const numbered = (pageParam: string, sizeParam: string): SourceBlock['paging'] => ({
  kind: 'pageNumber',
  pageParam,
  sizeParam,
  pageSize: 500,
  firstPage: 1,
  maxPages: 10,
});

/** 2024-02-03 04:05:06 and a day before, in Beijing. */
const context: RequestContext = { nowMs: 1_706_904_306_000, lastSyncMs: 1_706_817_906_000 };

const requestOf = (plan: RequestPlan, at: PageAt = {}): ApiRequest => {
  const request = pageRequest(plan, at, context);
  if ('reason' in request) throw new TypeError(request.reason);
  return request;
};

describe('the request for a page', () => {
  it('of the seed’s metadata carries no parameter, since none has a value', () => {
    const fields = [
      { field: 'id', label: 'id', type: 'string' },
      { field: 'name', label: 'name', type: 'string' },
    ];
    expect(requestOf(metadata('GET', fields))).toEqual({
      method: 'GET',
      path: '/v1/product/groups',
      query: [],
    });
  });

  it('carries constants as text in the query, also 0 and false; null and empty are not sent', () => {
    const fields: MetadataField[] = [
      { field: 'removed', type: 'string', value: '0' },
      { field: 'layer', type: 'int', value: 0 },
      { field: 'all', value: false },
      { field: 'none', value: '' },
      { field: 'nothing', value: null },
      { field: 'ids', value: [1, 2] },
    ];
    expect(requestOf(metadata('GET', fields)).query).toEqual([
      ['removed', '0'],
      ['layer', '0'],
      ['all', 'false'],
      ['ids', '[1,2]'],
    ]);
  });

  it('is paged by the paginator, whose parameters win over constants of the same name', () => {
    const fields: MetadataField[] = [
      { field: 'start_index', value: '1' },
      { field: 'count', value: '10' },
    ];
    const page = { position: 3, pageSize: 500, startRow: 1000 };
    const { query } = requestOf(metadata('GET', fields, numbered('start_index', 'count')), { page });
    expect(query).toEqual([
      ['start_index', '3'],
      ['count', '500'],
    ]);
  });

  it('of a POST carries a JSON body with declared types, children and exact integers', () => {
    const fields: MetadataField[] = [
      { field: 'FormId', type: 'string', value: '7' },
      { field: 'limit', type: 'int', value: '10' },
      { field: 'after', type: 'int', value: '812252963824298000' },
      { field: 'rate', type: 'number', value: '1.5' },
      { field: 'odd', type: 'int', value: 'ten' },
      { field: 'deep', type: 'boolean', value: 'false' },
      { field: 'filter', type: 'object', children: [{ field: 'name', value: '产品' }, { field: 'unset' }] },
      { field: 'rows', type: 'array', children: [{ field: 'id', value: '1' }] },
      { field: 'hollow', type: 'object', children: [{ field: 'unset' }] },
    ];
    const { body, query } = requestOf(metadata('POST', fields, numbered('page.index', 'page.size')), {
      page: { position: 2, pageSize: 5, startRow: 5 },
    });
    expect(query).toBeUndefined();
    expect(body).toBe(
      '{"FormId":"7","limit":10,"after":812252963824298000,"rate":1.5,"odd":"ten","deep":false,' +
        '"filter":{"name":"产品"},"rows":[{"id":"1"}],"page":{"index":2,"size":5}}',
    );
  });

  it('of a POST without parameters carries an empty object', () => {
    expect(requestOf(metadata('POST', [])).body).toBe('{}');
  });

  it('asks for the page that the cursor leads to, of the size that the file states', () => {
    const paging = {
      kind: 'cursor',
      cursorParam: 'cursor',
      cursorPath: 'next',
      sizeParam: 'limit',
      pageSize: 5,
    } as const;
    const plan = metadata('GET', [], { ...paging, end: [], maxPages: 10 });
    expect(requestOf(plan).query).toEqual([['limit', '5']]);
    expect(requestOf(plan, { cursor: 'c1' }).query).toEqual([
      ['limit', '5'],
      ['cursor', 'c1'],
    ]);
  });

  it('follows a link', () => {
    expect(requestOf(metadata('GET', []), { link: '/next' })).toMatchObject({ link: '/next' });
  });
});

const posted = (plan: RequestPlan, at?: PageAt) => requestOf(plan, at).body;

describe('templates in a request', () => {
  it.each<[MetadataField, unknown]>([
    [{ field: 'x', value: '{{LAST_SYNC_TIME}}' }, 1_706_817_906],
    [{ field: 'x', value: '{{CURRENT_TIME}}', type: 'string' }, '1706904306'],
    [{ field: 'x', value: '{LAST_SYNC_TIME}' }, 1_706_817_906],
    [{ field: 'x', value: '{{DAYS_AGO_2}}' }, 1_706_731_506],
    [{ field: 'x', value: '{{LAST_SYNC_TIME|datetime}}' }, '2024-02-02 04:05:06'],
    [{ field: 'x', value: '{{CURRENT_TIME|dateTime}}' }, '2024-02-03 04:05:06'],
    [{ field: 'x', value: '{{CURRENT_TIME}}', type: 'datetime' }, '2024-02-03 04:05:06'],
    [{ field: 'x', value: '{{LAST_SYNC_TIME|timestamp_ms}}' }, 1_706_817_906_000],
    [{ field: 'x', value: "FDate > '{{LAST_SYNC_TIME|datetime}}'" }, "FDate > '2024-02-02 04:05:06'"],
    [{ field: 'x', value: '_function {{LAST_SYNC_TIME}} * 1000' }, 1_706_817_906_000],
    [{ field: 'x', value: '_function LAST_SYNC_TIME - 86400' }, 1_706_731_506],
    [{ field: 'x', value: '{{PAGINATION_START_ROW}}' }, 20],
    [{ field: 'x', value: '{{PAGINATION_START_ROW}},{{PAGINATION_PAGE_SIZE}}' }, '20,10'],
    [{ field: 'x', value: '_function {PAGINATION_START_ROW} / {PAGINATION_PAGE_SIZE} + 1' }, 3],
    [{ field: 'x', value: 'a, b,c', parser: { name: 'StringToArray', params: ',' } }, ['a', 'b', 'c']],
    [{ field: 'x', value: '1,2', type: 'int', parser: { name: 'StringToArray', params: ',' } }, [1, 2]],
    [{ field: 'x', value: ['a', 'b'], parser: { name: 'ArrayToString', params: ';' } }, 'a;b'],
    [{ field: 'x', value: '7', type: 'int', parser: { name: 'ConvertObjectParser', params: 'FID' } }, { FID: 7 }],
  ])('%j is sent as %j', (field, value) => {
    const page = { position: 3, pageSize: 10, startRow: 20 };
    expect(JSON.parse(posted(metadata('POST', [field]), { page }) ?? '')).toEqual({ x: value });
  });

  it('that cannot be calculated give a reason instead of a request', () => {
    const page = { position: 1, pageSize: 0, startRow: 0 };
    const plan = metadata('POST', [{ field: 'x', value: '_function 1 / {PAGINATION_PAGE_SIZE}' }]);
    expect(pageRequest(plan, { page }, context)).toEqual({ reason: 'x: comes to no number' });
  });
});

describe('otherRequest', () => {
  const bill = (send: SourceBlock['send'], method: 'GET' | 'POST' = 'POST'): RequestPlan =>
    planOf({
      metadata: {
        api: 'executeBillQuery',
        method,
        id: 'FSupplierId',
        request: [
          { field: 'FSupplierId', value: 'FSupplierId' },
          { field: 'FNumber', value: 'FNumber' },
          { field: 'FName' },
        ],
        otherRequest: [{ field: 'FormId', value: 'BD_Supplier' }, { field: 'Limit' }],
      },
      paging: { kind: 'offset', offsetParam: 'StartRow', sizeParam: 'Limit', pageSize: 100, maxPages: 10 },
      send,
    });
  const page: PageAt = { page: { position: 0, pageSize: 100, startRow: 0 } };

  it('goes where request goes, unless send says otherwise; a name is a path', () => {
    expect(requestOf(bill({}), page)).toEqual({
      method: 'POST',
      path: '/executeBillQuery',
      body: '{"FSupplierId":"FSupplierId","FNumber":"FNumber","FormId":"BD_Supplier","StartRow":0,"Limit":100}',
    });
    expect(requestOf(bill({}, 'GET'), page).query).toContainEqual(['FormId', 'BD_Supplier']);
  });

  it('goes into the query or headers of a POST', () => {
    expect(requestOf(bill({ otherRequest: { in: 'query' } }), page)).toMatchObject({
      query: [
        ['FormId', 'BD_Supplier'],
        ['Limit', '100'],
      ],
      body: '{"FSupplierId":"FSupplierId","FNumber":"FNumber","StartRow":0}',
    });
    expect(requestOf(bill({ otherRequest: { in: 'header' } }), page).headers).toEqual({
      formid: 'BD_Supplier',
      limit: '100',
    });
  });

  it('stands beside the names of the fields, where the list is asked for names', () => {
    const send: SourceBlock['send'] = {
      request: { as: 'names', under: 'data.FieldKeys' },
      otherRequest: { under: 'data' },
    };
    expect(posted(bill(send), page)).toBe(
      '{"data":{"FieldKeys":"FSupplierId,FNumber,FName","FormId":"BD_Supplier","StartRow":0,"Limit":100}}',
    );
  });
});

describe('a request that says what it wants in one JSON text', () => {
  const fields: MetadataField[] = [
    { field: 'start', value: '{{LAST_SYNC_TIME|datetime}}' },
    { field: 'flag', type: 'int', value: '1' },
  ];
  const otherRequest: MetadataField[] = [{ field: 'charset', value: 'utf-8' }];
  const page = { position: 3, pageSize: 500, startRow: 1000 };
  const asked = (method: 'GET' | 'POST', send: SourceBlock['send'], request = fields) => {
    const block = { api: '/open/query', method, id: 'id', request, otherRequest };
    return requestOf(planOf({ metadata: block, send, ...defined({ paging: numbered('page', 'size') }) }), { page });
  };
  const text = '{"start":"2024-02-02 04:05:06","flag":1,"page":3,"size":500}';

  it('has the parameters of request in it, with those of the page, as numbers; the others stay beside', () => {
    const { body, headers } = asked('POST', { body: 'form', request: { as: 'fields', text: 'biz' } });
    expect([...new URLSearchParams(body)]).toEqual([
      ['charset', 'utf-8'],
      ['biz', text],
    ]);
    expect(headers).toEqual({ 'content-type': 'application/x-www-form-urlencoded' });
    const json = asked('POST', { request: { as: 'fields', text: 'biz', under: 'data' } });
    expect(JSON.parse(json.body ?? '')).toEqual({ charset: 'utf-8', biz: `{"data":${text}}` });
  });

  it('has both in it where the key is the same, and is sent even where it holds nothing', () => {
    const { body } = asked('POST', { request: { as: 'fields', text: 'biz' }, otherRequest: { text: 'biz' } });
    expect(JSON.parse(JSON.parse(body ?? '').biz)).toEqual({ ...JSON.parse(text), charset: 'utf-8' });
    const none = { api: '/open/query', method: 'POST' as const, id: 'id', request: [] };
    const bare = requestOf(planOf({ metadata: none, send: { body: 'form', request: { as: 'fields', text: 'biz' } } }));
    expect(bare.body).toBe('biz=%7B%7D');
  });

  it('may stand in the query of a GET', () => {
    expect(asked('GET', { request: { as: 'fields', text: 'biz' } }).query).toEqual([
      ['charset', 'utf-8'],
      ['biz', text],
    ]);
  });
});
