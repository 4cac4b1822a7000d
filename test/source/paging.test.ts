import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Page } from '../../lib/source/answer.ts';
import { readProgress } from '../../lib/source/progress.ts';
import { type ListShape, pagingServer, readAll, rows } from './read-all.ts';
import { byCursor, byLink, byOffset, byPage, single } from './settings.ts';

describe('a single page', () => {
  it('is the whole list', () => {
    expect(readAll(single, () => ({ records: rows(3) }))).toMatchObject({ end: 'complete', records: rows(3) });
  });

  it('that holds less than its total is asked for again, and then fails: the source pages', () => {
    const reading = readAll(single, () => ({ records: rows(20), total: 100 }));
    expect(reading).toMatchObject({ end: 'incomplete', records: [], warnings: ['page-short', 'page-short'] });
    expect(reading.requests).toHaveLength(3);
  });

  it('that holds more than its total is taken with a warning', () => {
    const reading = readAll(single, () => ({ records: rows(5), total: 3 }));
    expect(reading).toMatchObject({ end: 'complete', records: rows(5), warnings: ['total-mismatch'] });
  });
});

describe.each([
  ['page number', byPage],
  ['offset', byOffset],
] as const)('paging by %s', (_, paging) => {
  it.each<[count: number, shape: ListShape, requests: number]>([
    [0, {}, 1],
    [0, { total: 'none' }, 1],
    // A total that is the page's own length may be no total: one more request is cheaper than a missed row.
    [3, {}, 2],
    [3, { total: 'none' }, 2],
    // A full page is never taken for the last one.
    [10, {}, 2],
    [10, { total: 'none' }, 2],
    [25, {}, 3],
    [25, { total: 'none' }, 4],
    // A server that gives less than asked for.
    [25, { cap: 4 }, 7],
    [25, { cap: 4, total: 'none' }, 8],
    // A total that is only the page's length.
    [25, { total: 'page' }, 4],
    [7, { total: 'page', cap: 2 }, 5],
    [25, { cap: 5 }, 6],
  ])('reads %d rows of a server like %j in %d requests', (count, shape, requests) => {
    const reading = readAll(
      paging(10),
      pagingServer(() => rows(count), shape),
    );
    expect(reading).toMatchObject({ end: 'complete', records: rows(count) });
    expect(reading.requests).toHaveLength(requests);
  });

  it.each<[name: string, count: number, shape: ListShape]>([
    ['more rows than asked for, with a total', 25, {}],
    ['more rows than asked for', 25, { total: 'none' }],
    ['as many rows as asked for, with a total', 10, {}],
    ['as many rows as asked for', 10, { total: 'none' }],
    ['fewer rows than asked for', 4, { total: 'none' }],
    ['one row', 1, { total: 'none' }],
  ])('notices a server that ignores paging and has %s: every row once, and a warning', (_, count, shape) => {
    const reading = readAll(
      paging(10),
      pagingServer(() => rows(count), { ...shape, ignoresPaging: true }),
    );
    expect(reading).toMatchObject({ end: 'complete', records: rows(count) });
    expect(reading.warnings).toContain('paging-ignored');
    expect(reading.requests.length).toBeLessThanOrEqual(5);
  });

  it.each([1, 2])('takes a page that comes again %d times by mistake once', (times) => {
    const server = pagingServer(() => rows(45));
    let last: Page | undefined;
    let repeated = 0;
    const reading = readAll(paging(10), (request) => {
      if (last !== undefined && last.records.length > 0 && repeated < times) {
        repeated += 1;
        return last;
      }
      last = server(request);
      return last;
    });
    expect(reading).toMatchObject({ end: 'complete', records: rows(45) });
    expect(reading.warnings).toEqual(Array(times).fill('page-repeated'));
  });

  it('fails on a page at which the source is stuck', () => {
    const server = pagingServer(() => rows(100));
    const reading = readAll(paging(10), ({ params }) => {
      const position = Number(params.start_index ?? 1 + Number(params.offset) / 10);
      return server({ params: position > 3 ? { start_index: 3, count: 10 } : params });
    });
    expect(reading).toMatchObject({ end: 'page-repeated', records: rows(30) });
    expect(reading.requests).toHaveLength(6);
  });

  it('fails on a first page that comes again and again from a source that pages', () => {
    const reading = readAll(paging(10), ({ params }) => {
      const size = Number(params.count ?? params.limit);
      return { records: rows(Math.min(size, 10)) };
    });
    expect(reading.end).toBe('page-repeated');
  });

  it('fails rather than guess where the page size cannot be varied', () => {
    expect(readAll(paging(10, { tellsSize: false }), () => ({ records: rows(10) })).end).toBe('page-repeated');
  });

  it('fails where the list ends before its total, having asked again', () => {
    const server = pagingServer(() => rows(25));
    const reading = readAll(paging(10), (request) => ({ ...server(request), total: 40 }));
    expect(reading).toMatchObject({ end: 'incomplete', records: rows(25) });
  });

  it('goes on past a short page while the total says that there is more', () => {
    const server = pagingServer(() => rows(25));
    const reading = readAll(paging(10), (request, index) => {
      const page = server(request);
      // A row that the source holds back on its second page, and counts.
      return index === 1 ? { ...page, records: page.records.slice(1) } : page;
    });
    expect(reading.records).toEqual(expect.arrayContaining(rows(5, 21)));
  });

  it('ends with a warning under a total that only grows, once all that it first spoke of has come', () => {
    const server = pagingServer(() => rows(25));
    const reading = readAll(paging(10), (request, index) => ({ ...server(request), total: 25 + index }));
    expect(reading).toMatchObject({ end: 'complete', records: rows(25) });
    expect(reading.warnings).toEqual(expect.arrayContaining(['total-changed', 'total-mismatch']));
  });

  it('bears a total of 0 behind the end', () => {
    const server = pagingServer(() => rows(20));
    const reading = readAll(paging(10), (request) => {
      const page = server(request);
      return page.records.length === 0 ? { records: [], total: 0 } : page;
    });
    expect(reading).toMatchObject({ end: 'complete', records: rows(20), warnings: [] });
  });

  it('fails after so many pages that they can have no end', () => {
    const reading = readAll(paging(10, { maxPages: 7 }), (_, index) => ({ records: rows(10, 1 + index * 10) }));
    expect(reading).toMatchObject({ end: 'page-limit' });
    expect(reading.requests).toHaveLength(7);
  });

  it('warns of rows that were inserted before it, which come twice', () => {
    let list = rows(30);
    const server = pagingServer(() => list);
    const reading = readAll(paging(10), (request, index) => {
      if (index === 1) list = [...rows(3, 101), ...list];
      return server(request);
    });
    expect(reading.end).toBe('complete');
    expect(reading.records).toEqual(expect.arrayContaining(rows(30)));
    expect(reading.warnings).toEqual(expect.arrayContaining(['total-changed', 'pages-overlap']));
  });

  it('goes back where rows were deleted before it, so that none is missed', () => {
    let list = rows(30);
    const server = pagingServer(() => list);
    const reading = readAll(paging(10), (request, index) => {
      if (index === 1) list = list.slice(4);
      return server(request);
    });
    expect(reading.end).toBe('complete');
    expect(reading.records).toEqual(expect.arrayContaining(rows(26, 5)));
    expect(reading.warnings).toContain('total-changed');
  });

  it('comes to an end under a total that jumps up and down', () => {
    const server = pagingServer(() => rows(100));
    const reading = readAll(paging(10), (request, index) => ({ ...server(request), total: index % 2 ? 100 : 400 }));
    expect(reading.end).not.toBe('');
    expect(reading.requests.length).toBeLessThan(1_100);
  });

  it('yields every row that stays, whatever else is deleted while it reads (total given)', () => {
    const deletions = fc.array(fc.array(fc.nat({ max: 59 }), { maxLength: 15 }), { maxLength: 12 });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 60 }),
        fc.integer({ min: 1, max: 20 }),
        deletions,
        (count, size, deleted) => {
          let list = rows(count);
          const server = pagingServer(() => list);
          const reading = readAll(paging(size), (request, index) => {
            const gone = new Set(deleted[index] ?? []);
            list = list.filter(({ id }) => !gone.has(id));
            return server(request);
          });
          // All rows gone at once look like a page past the end.
          if (reading.end !== 'complete') expect([reading.end, list.length]).toEqual(['incomplete', 0]);
          else expect(reading.records).toEqual(expect.arrayContaining(list));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('yields every row or fails, and comes to an end, however pages are repeated, dropped or cut (total given)', () => {
    const fault = fc.constantFrom('none', 'none', 'none', 'repeat', 'drop', 'cut');
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 60 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 25 }),
        fc.array(fault, { maxLength: 30 }),
        fc.boolean(),
        (count, size, cap, faults, clamps) => {
          const list = rows(count);
          const server = pagingServer(() => list, { cap, clamps });
          let before: Page = { records: [], total: count };
          const reading = readAll(paging(size), (request, index) => {
            const page = server(request);
            const faulty = faults[index] ?? 'none';
            if (faulty === 'repeat') return before;
            before = page;
            if (faulty === 'drop') return { ...page, records: [] };
            return faulty === 'cut' ? { ...page, records: page.records.slice(0, -1) } : page;
          });
          if (reading.end === 'complete') {
            // A page that was cut in the middle is seen by the count alone: a repeated row may stand for the lost one.
            const distinct = new Set(reading.records.map((record) => JSON.stringify(record))).size;
            if (distinct < count) expect(reading.warnings.length).toBeGreaterThan(0);
            expect(reading.records.length).toBeGreaterThanOrEqual(count);
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('yields every row once in order, whatever page size is asked for, given or counted (no faults)', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 200 }),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 60 }),
        fc.constantFrom('list' as const, 'none' as const, 'page' as const),
        (count, size, cap, total) => {
          const reading = readAll(
            paging(size),
            pagingServer(() => rows(count), { cap, total }),
          );
          expect(reading).toMatchObject({ end: 'complete', records: rows(count) });
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('paging by page number', () => {
  it('may begin at page 0', () => {
    const server = pagingServer(() => rows(25));
    const reading = readAll(byPage(10, { first: 0 }), ({ params }) =>
      server({ params: { ...params, start_index: Number(params.start_index) + 1 } }),
    );
    expect(reading).toMatchObject({ end: 'complete', records: rows(25) });
    expect(reading.requests[0]).toMatchObject({ params: { start_index: 0, count: 10 } });
  });

  it.each<[total: 'list' | 'none', count: number]>([
    ['list', 20],
    ['none', 25],
    ['none', 4],
  ])('ends at a server that gives its last page for those past the end (total: %s)', (total, count) => {
    const reading = readAll(
      byPage(10),
      pagingServer(() => rows(count), { total, clamps: true }),
    );
    expect(reading).toMatchObject({ end: 'complete', records: rows(count) });
    expect(reading.warnings).toContain(count > 10 ? 'paging-clamped' : 'paging-ignored');
  });

  it('believes no total that is lower than what came, where a page comes again', () => {
    // Four pages: 32 rows, and page 0 is page 1 again.
    const page = pagingServer(() => rows(32), { total: 'none' });
    const reading = readAll(byPage(9, { first: 0 }), ({ params: { start_index = 0, count = 9 } }) => ({
      ...page({ params: { start_index: Math.max(1, Number(start_index)), count } }),
      total: 4,
    }));
    expect(reading.end).toBe('page-repeated');
  });

  it.each<[pageSize: number, count: number, end: string]>([
    // The server's own size is 10.
    [10, 45, 'page-repeated'],
    [100, 45, 'page-repeated'],
    [100, 4, 'complete'],
  ])(
    'never takes page 0 for all of it where it is page 1 again (page size %i, %i rows): %s',
    (pageSize, count, end) => {
      const page = pagingServer(() => rows(count), { total: 'none' });
      const reading = readAll(byPage(pageSize, { first: 0 }), ({ params: { start_index = 0 } }) =>
        page({ params: { start_index: Math.max(1, Number(start_index)), count: 10 } }),
      );
      expect(reading.end).toBe(end);
      if (end === 'complete') expect(reading.records).toEqual(rows(count));
    },
  );
});

/** The cursor or link of the next page. */
const given = (at: string | number): Pick<Page, 'next'> => ({ next: { kind: 'given', at } });

describe('paging by cursor', () => {
  /** Pages of these sizes, each with the cursor of the next. */
  const cursorServer =
    (sizes: readonly number[], extra: (index: number) => Partial<Page> = () => ({})) =>
    ({ params }: { params: Readonly<Record<string, string | number>> }): Page => {
      const index = params.cursor === undefined ? 0 : Number(String(params.cursor).slice(1));
      const from = sizes.slice(0, index).reduce((sum, size) => sum + size, 1);
      const next = index + 1 < sizes.length ? given(`c${index + 1}`) : {};
      return { records: rows(sizes[index] ?? 0, from), ...next, ...extra(index) };
    };

  it('reads until there is no cursor, over empty pages too', () => {
    const reading = readAll(byCursor(), cursorServer([5, 0, 5, 2]));
    expect(reading).toMatchObject({ end: 'complete', records: rows(12), warnings: [] });
    expect(reading.requests[1]).toEqual({ params: { cursor: 'c1' } });
  });

  it('reads until the source says that there is no more, though it gives a cursor', () => {
    const reading = readAll(
      byCursor(),
      cursorServer([5, 5, 5, 5], (index) => ({ hasMore: index < 2 })),
    );
    expect(reading).toMatchObject({ end: 'complete', records: rows(15) });
  });

  it('fails where the source says that there is more, but gives no cursor', () => {
    const reading = readAll(
      byCursor(),
      cursorServer([5, 5], () => ({ hasMore: true })),
    );
    expect(reading).toMatchObject({ end: 'cursor-missing', records: rows(5) });
  });

  it('ends at an empty page that gives its own cursor', () => {
    const reading = readAll(
      byCursor(),
      cursorServer([5, 5, 0], (index) => given(`c${Math.min(index + 1, 2)}`)),
    );
    expect(reading).toMatchObject({ end: 'complete', records: rows(10), warnings: [] });
  });

  it('asks again where a page leads to itself, and fails where that stays so', () => {
    let times = 0;
    const glitch = readAll(
      byCursor(),
      cursorServer([5, 5, 5], (index) => (index === 1 && times++ < 2 ? given('c1') : {})),
    );
    expect(glitch).toMatchObject({ end: 'complete', records: rows(15) });
    expect(glitch.warnings).toEqual(['cursor-repeated', 'cursor-repeated']);
    const stuck = readAll(
      byCursor(),
      cursorServer([5, 5, 5], (index) => (index === 1 ? given('c1') : {})),
    );
    expect(stuck).toMatchObject({ end: 'cursor-repeated', records: rows(5) });
  });

  it('fails where a new cursor brings the old page, again and again', () => {
    let cursor = 0;
    const reading = readAll(byCursor(), () => ({ records: rows(5), ...given(++cursor) }));
    expect(reading).toMatchObject({ end: 'page-repeated', records: rows(5) });
  });

  it('notices every circle before it has gone round four times', () => {
    fc.assert(
      fc.property(fc.nat({ max: 40 }), fc.integer({ min: 1, max: 40 }), (lead, length) => {
        const reading = readAll(byCursor({ maxPages: 100_000 }), ({ params }) => {
          const index = Number(params.cursor ?? 0);
          const next = index + 1 < lead + length ? index + 1 : Math.max(lead, 1);
          return { records: rows(2, 1 + index * 2), ...given(next) };
        });
        expect(['cursor-repeated', 'page-repeated']).toContain(reading.end);
        expect(reading.requests.length).toBeLessThan(4 * (lead + length) + 10);
      }),
    );
  });

  it.each([
    ['complete', [10, 10], []],
    ['complete', [10, 13], ['total-changed', 'total-mismatch']],
    ['complete', [13, 10], ['total-changed']],
    ['incomplete', [12, 12], ['page-short', 'page-short']],
    ['complete', [11, 13], ['total-changed', 'total-mismatch']],
    ['incomplete', [13, 14], ['total-changed', 'page-short', 'page-short']],
  ])('is %s with 10 rows under totals %j: a total that moved by n is known to n', (end, totals, warnings) => {
    const server = cursorServer([5, 5], (index) => ({ total: totals[index] ?? 0 }));
    expect(readAll(byCursor(), server)).toMatchObject({ end, warnings });
  });

  it('takes 0 for a cursor', () => {
    const reading = readAll(byCursor(), ({ params }) =>
      params.cursor === undefined ? { records: rows(2), ...given(0) } : { records: rows(2, 3) },
    );
    expect(reading).toMatchObject({ end: 'complete', records: rows(4) });
  });

  it('stops at the page limit', () => {
    let id = 0;
    const reading = readAll(byCursor({ maxPages: 5 }), () => ({ records: rows(1, ++id), ...given(`c${id}`) }));
    expect(reading.end).toBe('page-limit');
    expect(reading.requests).toHaveLength(5);
  });

  it('yields every row once in order, whatever the pages’ sizes', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 60 }), (sizes) => {
        const count = sizes.reduce((sum, size) => sum + size, 0);
        const reading = readAll(
          byCursor(),
          cursorServer(sizes, () => ({ total: count })),
        );
        expect(reading).toMatchObject({ end: 'complete', records: rows(count) });
      }),
    );
  });
});

describe('paging by link', () => {
  it('follows the links that the source gives, the first page without one', () => {
    const reading = readAll(byLink(), ({ link }) => {
      const page = link === undefined ? 1 : Number(new URL(link, 'http://source.test').searchParams.get('page'));
      return { records: rows(5, (page - 1) * 5 + 1), ...(page < 4 ? given(`/list?page=${page + 1}`) : {}) };
    });
    expect(reading).toMatchObject({ end: 'complete', records: rows(20) });
    expect(reading.requests.slice(0, 2)).toEqual([{ params: {} }, { params: {}, link: '/list?page=2' }]);
  });

  it('fails on a link that leads to its own page', () => {
    let id = 0;
    expect(readAll(byLink(), () => ({ records: rows(1, ++id), ...given('/same') }))).toMatchObject({
      end: 'cursor-repeated',
    });
  });
});

describe('a checkpoint', () => {
  const state = { kind: 'pageNumber', pages: 2, seen: 20, position: 3, largest: 10 };
  it.each([
    ['its own', byPage(10), state, true],
    ['another paging', byOffset(10), state, false],
    ['an unknown key', byPage(10), { ...state, extra: 1 }, false],
    ['a negative position', byPage(10), { ...state, position: -1 }, false],
    ['nothing', byPage(10), {}, false],
  ])('is read where it is of %s', (_, paging, stored, fits) => {
    expect(readProgress(paging, stored) !== undefined).toBe(fits);
  });
});
