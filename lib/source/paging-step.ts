import { defined } from '../runtime/defined.ts';
import type { MoreFlag } from './answer-next.ts';
import type { PageLook, Progress } from './progress.ts';

/** What may be odd about a page and does not end the reading. */
export type PagingWarning =
  | 'page-repeated'
  | 'page-short'
  | 'pages-overlap'
  | 'cursor-repeated'
  | 'paging-ignored'
  | 'paging-clamped'
  | 'total-mismatch'
  | 'total-changed'
  | 'total-unusable'
  | 'paging-unstated'
  | 'cursor-unseen'
  | 'window-split'
  | 'end-unsure';

export type Warning = { code: PagingWarning; message: string };

/** What a paginator makes of a page. */
export type Step = { warnings: Warning[] } /** Take the page; without `next` it was the last one. */ & (
  | { kind: 'take'; next?: Progress }
  /** Leave the page out, all of it came before; the list is complete. */
  | { kind: 'end' }
  /** Leave the page out and ask for the one at `at` first. */
  | { kind: 'again'; at: Progress }
  | { kind: 'failed'; code: PagingFailure; message: string }
);

/**
 * Why paging cannot come to a trustworthy end. The reading as a whole went wrong: to resume at the checkpoint would
 * fail again, so the next run starts at the first page.
 */
export type PagingFailure =
  | 'page-repeated'
  | 'cursor-repeated'
  | 'cursor-missing'
  | 'cursor-unfit'
  | 'incomplete'
  | 'more-unread'
  | 'ceiling'
  | 'page-limit'
  | 'checkpoint-unfit';

/** Warnings after which a snapshot may lack records that exist: nothing follows from a record's absence. */
export const doubtfulCodes: ReadonlySet<string> = new Set([
  'total-changed',
  'total-mismatch',
  'pages-overlap',
  'end-unsure',
]);

/** A source may repeat or shorten a page once by mistake: it is asked this many times more before that counts. */
const MAX_ASKED_AGAIN = 2;

export const failure = (code: PagingFailure, message: string, warnings: Warning[] = []): Step => ({
  kind: 'failed',
  code,
  message,
  warnings,
});

/** Asks for the same page again, as long as that is worth it; then `otherwise`. */
export const askAgain = (progress: Progress, warnings: Warning[], otherwise: () => Step): Step => {
  const asked = progress.asked ?? 0;
  return asked < MAX_ASKED_AGAIN ? { kind: 'again', at: { ...progress, asked: asked + 1 }, warnings } : otherwise();
};

const withoutTotal = ({ total: _, least: _least, most: _most, ...rest }: Progress): Progress => ({
  ...rest,
  noTotal: true,
});

/** What shows that something called the total cannot be one; undefined: it may be one. */
const noTotalFor = ({ seen, total: before }: Progress, total: number, count: number): Warning | undefined => {
  const warningOf = (code: PagingWarning, why: string): Warning => ({
    code,
    message: `the total ${total} is ${why} and is not used: mend source.answer.total`,
  });
  if (count === 0) return undefined;
  // A later page that is as long as the whole list: what is called the total is the count of the page. The list is
  // read as one without a total, and as whole.
  if (seen > 0 && total === count) return warningOf('total-unusable', 'only the length of the page');
  // Where it fell, rows were deleted that had been read.
  const fell = before !== undefined && total < before;
  return total < seen + count && !fell ? warningOf('total-mismatch', 'lower than what came') : undefined;
};

/**
 * The total as far as it can be believed, and what is odd about it. On a first page that is as long as its own total
 * nothing tells the two apart: such a total is announced, and not yet believed.
 */
export const heardTotal = (asked: Progress, page: PageLook): { progress: Progress; warnings: Warning[] } => {
  const { total, count } = page;
  // Some sources answer a page past the end with a total of 0.
  if (total === undefined || (total === 0 && count === 0 && asked.seen > 0)) return { progress: asked, warnings: [] };
  const progress = { ...asked, announced: total };
  if (asked.noTotal || (asked.seen === 0 && total === count && count > 0)) return { progress, warnings: [] };
  const warning = noTotalFor(asked, total, count);
  if (warning !== undefined) return { progress: withoutTotal(progress), warnings: [warning] };
  const { total: before, least = Infinity, most = 0 } = asked;
  const heard = { ...progress, total, least: Math.min(least, total), most: Math.max(most, total) };
  if (before === undefined || before === total) return { progress: heard, warnings: [] };
  const message = `the total went from ${before} to ${total} while the list was read`;
  return { progress: heard, warnings: [{ code: 'total-changed', message }] };
};

/** Where the source says that more comes, as words, by the kinds of flags that are looked at. */
export const saysMore = (
  { hasMore, moreFlags = [] }: PageLook,
  kinds: readonly MoreFlag['by'][] = ['flag'],
): string | undefined => {
  const paths = moreFlags.filter(({ more, by }) => more && kinds.includes(by)).map(({ path }) => path);
  if (paths.length > 0) return paths.join(', ');
  return hasMore === true ? 'hasMorePath' : undefined;
};

/** Whether the source says that nothing more comes, and does not say the contrary as well. */
export const saysLast = (page: PageLook): boolean =>
  page.hasMore === false || (saysMore(page) === undefined && (page.moreFlags ?? []).some(({ more }) => !more));

/**
 * Whether everything was read that the source spoke of: then a page that it refuses, or has no list on, lies behind the
 * last one. Every total counts here, whether or not it is believed; without one, a page shorter than those before it.
 */
export const isAllRead = ({ seen, announced, most, saidLast, lastCount = 0, largest = 0 }: Progress): boolean => {
  const spoken = announced ?? most;
  return seen > 0 && (spoken === undefined ? saidLast === true || lastCount < largest : seen >= spoken);
};

/**
 * Whether a refused page is an end that might be none: nothing but the lengths of the pages was announced, and the page
 * before was as long as any, or gave a cursor.
 */
export const isEndUnsure = ({ total, saidLast, noTotal, cursor, lastCount = 0, largest = 0 }: Progress): boolean =>
  total === undefined && saidLast !== true && (cursor !== undefined || (noTotal === true && lastCount >= largest));

/** Records that came before and come again: rows were inserted while the list was read, or the source errs. */
export const overlapOf = ({ firstId, lastId }: Progress, { ids }: PageLook): Warning[] => {
  const again = [firstId, lastId].find((id) => id !== undefined && ids.includes(id));
  return again === undefined
    ? []
    : [{ code: 'pages-overlap', message: `record ${again} of one page came again on the next` }];
};

/** Takes the last page. A total that is not met is a warning: no more is missing than the total itself varies. */
const takeLast = ({ seen, total }: Progress, page: PageLook, warnings: Warning[]): Step => {
  const taken = seen + page.count;
  if (total === undefined || taken === total) return { kind: 'take', warnings };
  const message = `the source speaks of ${total} records and sent ${taken}`;
  return { kind: 'take', warnings: [...warnings, { code: 'total-mismatch', message }] };
};

/** Where servers cut lists off without a word. */
const CEILINGS: ReadonlySet<number> = new Set([1_000, 10_000]);

/** What the end of a list rests on, and what a person can do where it does not hold. */
export type End = {
  hasCeiling: boolean;
  /** Whether the source itself marked the end, other than by a total. */
  isMarked: boolean;
  advice: string;
};

/**
 * The source gives no more pages. Rows added while reading may be counted without being read, so a total that moved by
 * n is exact to n only. Where even fewer rows came, records are missing. A list that stops at a ceiling without a mark
 * may have been cut off there.
 */
export const endOfList = (
  progress: Progress,
  page: PageLook,
  warnings: Warning[],
  { hasCeiling, isMarked, advice }: End,
): Step => {
  const { least = 0, most = 0, seen, total } = progress;
  const taken = seen + page.count;
  if (taken < least - (most - least)) {
    const message = `the source speaks of ${least} records and sent ${taken}`;
    const again: Warning[] = [...warnings, { code: 'page-short', message: `${message}; asked again` }];
    return askAgain(progress, again, () => failure('incomplete', `${message}: ${advice}`, warnings));
  }
  const isTotalReached = total !== undefined && taken >= total;
  if (hasCeiling && !isMarked && !isTotalReached && CEILINGS.has(taken)) {
    const message =
      `the list stops after exactly ${taken} records and no mark says that this is its end: many sources cut lists ` +
      'off there. Ask for less at a time, or set source.paging.ceiling to false if there is no such ceiling';
    return failure('ceiling', message, warnings);
  }
  return takeLast(progress, page, warnings);
};

/** What is heard of the total, to go on with. */
export const rememberTotal = (
  { total, least, most, noTotal, announced }: Progress,
  page: PageLook,
): Partial<Progress> => ({
  ...defined({ total, least, most, announced }),
  ...(noTotal && { noTotal }),
  ...(saysLast(page) && { saidLast: true }),
});

/** What the next page is compared with. */
export const rememberPage = ({
  count,
  print,
  ids,
}: PageLook): Pick<Progress, 'lastCount' | 'print' | 'firstId' | 'lastId'> => {
  const [firstId] = ids;
  const lastId = ids.at(-1);
  return {
    lastCount: count,
    ...defined({ print }),
    ...(firstId === undefined || lastId === undefined ? {} : { firstId, lastId }),
  };
};

type Limited = { maxPages: number };

export const tooManyPages = ({ maxPages }: Limited, warnings: Warning[]): Step =>
  failure('page-limit', `after ${maxPages} pages there is no end: raise source.paging.maxPages`, warnings);

/** Takes the page and goes on at `next`, unless there were too many. */
export const takeAndGoOn = (next: Progress, paging: Limited, warnings: Warning[]): Step =>
  next.pages < paging.maxPages ? { kind: 'take', next, warnings } : tooManyPages(paging, warnings);
