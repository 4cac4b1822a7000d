import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../lib/json/json.ts';
import { readAnswer } from '../../lib/source/answer.ts';
import { flagOf, moreFlagsOf } from '../../lib/source/answer-next.ts';
import { okkiAnswer } from './settings.ts';

describe('what an answer says of more pages', () => {
  it.each<[body: JsonValue, says: string[]]>([
    [{ data: [], has_next: true }, ['has_next']],
    [{ data: [], hasMore: false }, ['not hasMore']],
    [{ data: { list: [], hasNextPage: 'Y' } }, ['data.hasNextPage']],
    [{ data: [], page: { last: false } }, ['page.last']],
    [{ data: [], isLastPage: true }, ['not isLastPage']],
    [{ data: [], paging: { next: 2 } }, ['paging.next']],
    [{ data: [], links: { next: { href: '/p2' } } }, ['links.next']],
    [{ data: [], '@odata.nextLink': 'https://a.test/b' }, ['@odata.nextLink']],
    [{ data: [], next_cursor: 'abc', has_more: false }, ['not has_more']],
    [{ data: [], next: null, nextPage: 0, next_cursor: '' }, []],
    [{ data: [], totalPages: 3 }, ['totalPages']],
    [{ data: [], totalPages: 1, last: 'today', lastPage: 1 }, []],
    [{ data: [], page: { total_pages: '3' } }, ['page.total_pages']],
    [{ data: [], is_end: 0 }, ['is_end']],
    [{ data: [], isLast: 'Y' }, ['not isLast']],
    [{ data: [], nextPage: true }, ['nextPage']],
    [{ data: [], paging: { next: { after: 'NTI1' } } }, ['paging.next']],
    [{ data: [], paging: { next: { href: '' } }, links: { next: {} } }, []],
    [{ data: [{ has_next: true }] }, []],
    [[{ has_next: true }], []],
  ])('in %j: %j', (body, says) => {
    expect(moreFlagsOf(body).map(({ path, more }) => (more ? path : `not ${path}`))).toEqual(says);
  });

  it.each<[means: string, by: string, names: string]>([
    [
      'that more pages follow',
      'flag',
      `has_next hasNextPage has_more hasMoreData has_more_pages hasMoreItems haveMore have_next haveNextPage more
       moreData more_pages moreResults moreResultsAvailable isMore is_next isNextPage IsTruncated truncated
       exceededTransferLimit`,
    ],
    ['that this page is the last', 'last', 'isLast is_last_page isEnd last lastPage'],
    [
      'the next page',
      'next',
      `next next_link nextPage next_page_url nextUrl nextCursor nextPageToken next_token @odata.nextLink
       nextRecordsUrl`,
    ],
    ['how many pages there are', 'pages', 'totalPage total_pages pages_total last_page pages'],
  ])('a usual name says %s', (_, by, names) => {
    for (const name of names.split(/\s+/)) {
      const said = (value: JsonValue) => moreFlagsOf({ [name]: value });
      if (by === 'flag' || by === 'last') {
        expect(said(true), name).toEqual([{ path: name, more: by === 'flag', by: 'flag' }]);
        expect(said(false), name).toEqual([{ path: name, more: by === 'last', by: 'flag' }]);
      } else {
        expect(said(by === 'next' ? 'abc' : 2), name).toEqual([{ path: name, more: true, by }]);
      }
    }
  });

  it.each([
    [true, [true, 1, '1', 'true', 'Y', 'yes', 't']],
    [false, [false, 0, '0', 'FALSE', 'n', 'No', 'f']],
    [undefined, [null, 2, '', 'maybe', {}, []]],
  ])('is read as %s from %j', (flag, values) => {
    expect(values.map((value) => flagOf(value as JsonValue))).toEqual(values.map(() => flag));
  });

  it('in the headers of a list without an envelope: a next link, a total', () => {
    const link = '</p1>; rel="first", </p2>; rel="next"';
    expect(moreFlagsOf([], { link })).toMatchObject([{ more: true, by: 'next' }]);
    expect(moreFlagsOf([], { link: '</p1>; rel="first"' })).toEqual([]);
    for (const name of ['x-total-count', 'x-total', 'x-wp-total']) {
      expect(readAnswer('[{"id":1}]', { [name]: '9' }, okkiAnswer), name).toMatchObject({ page: { total: 9 } });
    }
  });

  it('never throws, whatever the answer is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        expect(Array.isArray(moreFlagsOf(body as JsonValue))).toBe(true);
      }),
    );
  });
});

describe('the total of an answer', () => {
  const totalIn = (body: object, total: readonly string[] = ['data.count']) => {
    const read = readAnswer(JSON.stringify(body), {}, { ...okkiAnswer, records: ['data.list'], total });
    return read.kind === 'page' ? read.page.total : 'fault';
  };
  const list = [{ id: 1 }, { id: 2 }];

  it.each<[name: string, body: object, total: number | undefined]>([
    ['stands where the file says', { data: { list, count: 9 } }, 9],
    ['stands under a usual name where it does not', { data: { list }, total: 9 }, 9],
    ['is a text there as well', { data: { list, totalCount: '9' } }, 9],
    ['stands there, where the file names the length of the page', { data: { list, count: 2 }, total_count: 9 }, 9],
    ['is the length of the page where nothing else is said', { data: { list, count: 2 } }, 2],
    ['is no money', { data: { list }, total: 12.5 }, undefined],
    ['is not looked for in the list', { data: { list: [{ total: 9 }] } }, undefined],
  ])('%s', (_, body, total) => {
    expect(totalIn(body)).toBe(total);
  });

  it('stands under every name that is usual for it', () => {
    const names = `total total_count totalCnt totalNum total_number totalItem totalItems total_record totalRecords
      totalResult totalResults totalRow total_rows totalSize totalElements total_entries totalHits recordCount
      records_count recordsTotal iTotalRecords totalItemCount dataCount @odata.count numFound`;
    for (const name of names.split(/\s+/)) expect(totalIn({ data: { list }, [name]: 9 }), name).toBe(9);
  });

  it('is none where the file says that there is none', () => {
    expect(totalIn({ data: { list, count: 9 }, total: 9 }, [])).toBeUndefined();
  });

  it.each<[body: object, isEmptyList: boolean]>([
    [{ code: 0, total: 0 }, true],
    [{ code: 0, data: null, total: '0' }, true],
    [{ code: 0, data: {}, total: 0 }, true],
    [{ code: 0, total: 3 }, false],
    [{ code: 0 }, false],
    [{ code: 0, data: { list: {} }, total: 0 }, true],
    [{ code: 0, data: { list: '' }, total: 0 }, true],
    [{ code: 0, data: { list: { id: 1 } }, total: 0 }, false],
    [{ code: 7, total: 0 }, false],
  ])('makes an answer without a list an empty one where it is 0: %j', (body, isEmptyList) => {
    expect(totalIn(body)).toBe(isEmptyList ? 0 : 'fault');
  });
});
