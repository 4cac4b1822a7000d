import { describe, expect, it } from 'vitest';
import type { LinkedPaging, PagingPlan } from '../../lib/integration/compile/paging-plan.ts';
import type { Page } from '../../lib/source/answer.ts';
import type { NextMark } from '../../lib/source/answer-next.ts';
import { nextStep } from '../../lib/source/paging.ts';
import { isAllRead, isEndUnsure } from '../../lib/source/paging-step.ts';
import { startOf } from '../../lib/source/progress.ts';
import { pagingServer, readAll, rows } from './read-all.ts';
import { byCursor, byLink, byOffset, byPage, single } from './settings.ts';

const more = (isMore: boolean) => ({ moreFlags: [{ path: 'has_next', more: isMore, by: 'flag' as const }] });

/** What the first page of a list comes to: the code of the failure, else `end` or `goes on`. */
const afterFirst = (paging: PagingPlan, page: Page, hasLinked = false): string => {
  const step = nextStep(paging, 'id', startOf(paging), page, hasLinked);
  if (step.kind === 'failed') return step.code;
  return step.kind === 'take' && step.next === undefined ? 'end' : 'goes on';
};

describe('a list that stops after as many rows as servers cut off at', () => {
  const endless = (count: number, extra: Partial<Page> = {}) => {
    const server = pagingServer(() => rows(count), { total: 'none' });
    return (request: Parameters<typeof server>[0]): Page => ({ ...server(request), ...extra });
  };

  it.each<[name: string, paging: PagingPlan, count: number, extra: Partial<Page>, end: string]>([
    ['1,000 rows by page', byPage(100), 1_000, {}, 'ceiling'],
    ['10,000 rows by offset', byOffset(500), 10_000, {}, 'ceiling'],
    ['1,000 rows in one answer', single, 1_000, {}, 'ceiling'],
    ['1,000 rows in one answer that calls them its total', single, 1_000, { total: 1_000 }, 'ceiling'],
    ['999 rows', byPage(100), 999, {}, 'complete'],
    ['1,001 rows', byPage(100), 1_001, {}, 'complete'],
    ['1,000 rows under a total', byPage(100), 1_000, { total: 1_000 }, 'complete'],
    ['1,000 rows, and no more by its own word', byPage(100), 1_000, more(false), 'complete'],
    ['1,000 rows in one answer, and no more by its own word', single, 1_000, more(false), 'complete'],
    ['1,000 rows where there is no ceiling', byPage(100, { hasCeiling: false }), 1_000, {}, 'complete'],
  ])('has its end known or fails: %s', (_, paging, count, extra, end) => {
    expect(readAll(paging, endless(count, extra)).end).toBe(end);
  });

  it.each<[name: string, last: NextMark, end: string]>([
    ['a null cursor is a mark', { kind: 'end' }, 'complete'],
    ['an absent cursor is none', { kind: 'absent' }, 'ceiling'],
  ])('by cursor: %s', (_, last, end) => {
    const reading = readAll(byCursor(), (_asked, index) => ({
      records: rows(100, 1 + index * 100),
      next: index < 9 ? { kind: 'given', at: `c${index}` } : last,
    }));
    expect(reading.end).toBe(end);
  });
});

describe('a page without a cursor or a link, where none ever came,', () => {
  const absent: Pick<Page, 'next'> = { next: { kind: 'absent' } };
  const sized = (changes: Partial<LinkedPaging> = {}) => byCursor({ pageSize: 2, ...changes });

  it.each<[name: string, paging: LinkedPaging, page: Page, end: string]>([
    ['as long as the stated size', sized(), { records: rows(2), ...absent }, 'cursor-missing'],
    ['with a total that is its own length', sized(), { records: rows(2), total: 2, ...absent }, 'cursor-missing'],
    ['shorter than the stated size', sized(), { records: rows(1), ...absent }, 'end'],
    ['without rows', sized(), { records: [], ...absent }, 'end'],
    ['of a list without more', sized(), { records: rows(2), ...absent, ...more(false) }, 'end'],
    ['of a list with more', sized(), { records: rows(1), ...absent, ...more(true) }, 'cursor-missing'],
    ['where hasMorePath says no', sized(), { records: rows(2), hasMore: false, ...absent }, 'end'],
    ['where that is the end', sized({ absentEnds: true }), { records: rows(2), ...absent }, 'end'],
    ['with null in its place', sized(), { records: rows(2), next: { kind: 'end' } }, 'end'],
    ['of no stated size', byCursor(), { records: rows(2), ...absent }, 'end'],
    ['by link, of no stated size', byLink(), { records: rows(2), ...absent }, 'end'],
    [
      'where the next one stands elsewhere',
      byCursor(),
      { records: rows(2), ...absent, moreFlags: [{ path: 'paging.next', more: true, by: 'next' }] },
      'cursor-missing',
    ],
  ])('is the end or a failure: %s', (_, paging, page, end) => {
    expect(afterFirst(paging, page)).toBe(end);
  });

  it('is the end where an earlier run had one, or a page of this', () => {
    expect(afterFirst(sized(), { records: rows(2), ...absent }, true)).toBe('end');
    const reading = readAll(sized(), (_, index) => ({
      records: rows(2, 1 + index * 2),
      next: index === 0 ? { kind: 'given', at: 'c1' } : { kind: 'absent' },
    }));
    expect(reading).toMatchObject({ end: 'complete', records: rows(4) });
  });

  it('names the path and the key that says that it is the end', () => {
    const step = nextStep(sized(), 'id', startOf(sized()), { records: rows(2), ...absent });
    expect(step).toMatchObject({ message: expect.stringMatching(/^page 1 .*"next".*source\.paging\.absent/) });
  });

  it('is warned about where no size says that the page is the last one', () => {
    expect(readAll(byCursor(), () => ({ records: rows(2), ...absent })).warnings).toEqual(['cursor-unseen']);
    // A server may cap the page that was asked for.
    const capped = readAll(byCursor({ pageSize: 100 }), () => ({ records: rows(2), ...absent }));
    expect(capped).toMatchObject({ end: 'complete', warnings: ['cursor-unseen'] });
    expect(readAll(byCursor({ absentEnds: true }), () => ({ records: rows(2), ...absent })).warnings).toEqual([]);
  });
});

describe('what stands in the place of a cursor', () => {
  it('and is not a cursor fails with path and page, unless the source says that there is no more', () => {
    const next: NextMark = { kind: 'unfit', found: 'an object with href' };
    const step = nextStep(byLink(), 'id', startOf(byLink()), { records: rows(2), next });
    expect(step).toMatchObject({
      kind: 'failed',
      code: 'cursor-unfit',
      message: expect.stringMatching(/page 1 .*href.*"links\.next"/),
    });
    expect(afterFirst(byCursor(), { records: rows(2), next, hasMore: false })).toBe('end');
  });

  it.each([1, 3, 5])('as 0 leads to the first page again after %d pages: the failure names paging.end', (pages) => {
    const paging = byCursor();
    let progress = startOf(paging);
    for (let index = 0; index < 50; index++) {
      const page = index % pages;
      const at = page + 1 < pages ? page + 1 : 0;
      const next: NextMark = { kind: 'given', at };
      const step = nextStep(paging, 'id', progress, { records: rows(2, 1 + page * 2), next });
      if (step.kind === 'failed') {
        expect(step.message).toContain('source.paging.end');
        expect(index).toBeLessThan(pages + 3);
        return;
      }
      if (step.kind === 'take' && step.next !== undefined) progress = step.next;
      if (step.kind === 'again') progress = step.at;
    }
    expect.unreachable('the circle was not noticed');
  });
});

describe('one answer that is taken for the whole list', () => {
  const unstated: PagingPlan = { ...single, isStated: false };

  it.each<[name: string, page: Page, end: string]>([
    ['nothing says otherwise', { records: rows(3) }, 'end'],
    ['its total is larger', { records: rows(3), total: 5 }, 'goes on'],
    ['a flag says that there is more', { records: rows(3), ...more(true) }, 'more-unread'],
    ['a flag says that there is no more', { records: rows(3), ...more(false) }, 'end'],
    ['it has a next page', { records: rows(3), moreFlags: [{ path: 'next', more: true, by: 'next' }] }, 'more-unread'],
    ['it has pages', { records: rows(3), moreFlags: [{ path: 'pages', more: true, by: 'pages' }] }, 'more-unread'],
  ])('%s', (_, page, end) => {
    expect(afterFirst(unstated, page)).toBe(end);
    expect(afterFirst(single, page)).toBe(end);
  });

  it('is warned about in every run until the file says so', () => {
    expect(readAll(unstated, () => ({ records: rows(3) })).warnings).toEqual(['paging-unstated']);
    expect(readAll(single, () => ({ records: rows(3) })).warnings).toEqual([]);
  });

  it('is the whole list where the file says that there is no ceiling', () => {
    const all: PagingPlan = { ...single, hasCeiling: false };
    expect(afterFirst(all, { records: rows(1_000), ...more(true) })).toBe('end');
  });
});

describe('a list that is asked for by position', () => {
  it('fails where it ends with an empty page that says that there is more', () => {
    const server = pagingServer(() => rows(20), { total: 'none' });
    expect(readAll(byPage(10), (request) => ({ ...server(request), ...more(true) })).end).toBe('more-unread');
  });

  it('fails where its first page comes for every page, though the source says that there is more', () => {
    expect(readAll(byPage(500), () => ({ records: rows(20), ...more(true) })).end).toBe('page-repeated');
    expect(readAll(byPage(500), () => ({ records: rows(20), ...more(false) })).end).toBe('complete');
  });

  it('does not believe a total that is the length of a page at which the source is stuck', () => {
    const stuck = readAll(byPage(10), ({ params }) => ({
      records: rows(Math.min(10, Number(params.count))),
      total: 10,
    }));
    expect(stuck.end).toBe('page-repeated');
  });

  it('reads on past a total that is lower than the rows that came', () => {
    const server = pagingServer(() => rows(47));
    const reading = readAll(byPage(10), (request) => ({ ...server(request), total: 20 }));
    expect(reading).toMatchObject({ end: 'complete', records: rows(47), warnings: ['total-mismatch'] });
  });
});

it.each<[name: string, progress: object, isRead: boolean]>([
  ['before the first page', {}, false],
  ['where nothing was announced', { seen: 4 }, false],
  ['after a page as long as any, where nothing was announced', { seen: 4, lastCount: 2, largest: 2 }, false],
  ['after a page shorter than those before', { seen: 3, lastCount: 1, largest: 2 }, true],
  ['after a shorter page, where more was announced', { seen: 3, lastCount: 1, largest: 2, announced: 9 }, false],
  ['where more was announced', { seen: 4, announced: 5 }, false],
  ['where so many were announced', { seen: 4, announced: 4 }, true],
  ['under a total that is none', { seen: 4, announced: 2, noTotal: true }, true],
  ['in a checkpoint of an earlier version', { seen: 4, total: 4, least: 4, most: 4 }, true],
  ['where the page before was the last by its own word', { seen: 4, saidLast: true }, true],
])('whether all that was announced is read: %s', (_, progress, isRead) => {
  expect(isAllRead({ kind: 'pageNumber', pages: 2, seen: 0, ...progress })).toBe(isRead);
});

it.each<[name: string, progress: object, isUnsure: boolean]>([
  ['under a total', { total: 4, announced: 4, lastCount: 2, largest: 2 }, false],
  ['after a first page that calls its length the total', { announced: 2, lastCount: 2, largest: 2 }, false],
  ['after page lengths, and a page as long as any', { announced: 2, noTotal: true, lastCount: 2, largest: 2 }, true],
  ['after page lengths, and a shorter page', { announced: 1, noTotal: true, lastCount: 1, largest: 2 }, false],
  [
    'after a page that was the last by its own word',
    { noTotal: true, saidLast: true, lastCount: 2, largest: 2 },
    false,
  ],
  ['behind a cursor', { announced: 2, cursor: 'c1' }, true],
  ['behind a cursor, under a total', { total: 4, announced: 4, cursor: 'c1' }, false],
])('whether an end by a refusal is unsure: %s', (_, progress, isUnsure) => {
  expect(isEndUnsure({ kind: 'pageNumber', pages: 2, seen: 4, ...progress })).toBe(isUnsure);
});
