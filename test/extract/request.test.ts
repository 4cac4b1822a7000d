import { describe, expect, it } from 'vitest';
import { pageRequest } from '../../lib/extract/request.ts';
import type { MetadataField, SourceMetadata } from '../../lib/integration/metadata-schema.ts';

const metadata = (method: 'GET' | 'POST', request: MetadataField[]): SourceMetadata => ({
  api: '/v1/product/groups',
  method,
  id: 'id',
  request,
});

describe('the request for a page', () => {
  it('of the seed’s metadata carries no parameter, since none has a value', () => {
    const fields = [
      { field: 'id', label: 'id', type: 'string' },
      { field: 'name', label: 'name', type: 'string' },
    ];
    expect(pageRequest(metadata('GET', fields), { params: {} })).toEqual({
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
    expect(pageRequest(metadata('GET', fields), { params: {} }).query).toEqual([
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
    const { query } = pageRequest(metadata('GET', fields), { params: { start_index: 3, count: 500 } });
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
    const { body, query } = pageRequest(metadata('POST', fields), { params: { 'page.index': 2, 'page.size': 5 } });
    expect(query).toBeUndefined();
    expect(body).toBe(
      '{"FormId":"7","limit":10,"after":812252963824298000,"rate":1.5,"odd":"ten","deep":false,' +
        '"filter":{"name":"产品"},"rows":[{"id":"1"}],"page":{"index":2,"size":5}}',
    );
  });

  it('of a POST without parameters carries an empty object', () => {
    expect(pageRequest(metadata('POST', []), { params: {} }).body).toBe('{}');
  });

  it('follows a link', () => {
    expect(pageRequest(metadata('GET', []), { params: {}, link: '/next' })).toMatchObject({ link: '/next' });
  });
});
