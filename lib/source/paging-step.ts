import { defined } from '../runtime/defined.ts';
import type { PageLook } from './page-look.ts';
import type { Progress } from './paging-state.ts';

/** An event worth an operator's eye. */
/** What may be odd about a page and does not end the reading. */
export type PagingWarning =
  | 'page-repeated'
  | 'page-short'
  | 'pages-overlap'
  | 'cursor-repeated'
  | 'paging-ignored'
  | 'paging-clamped'
  | 'total-mismatch'
  | 'total-changed';

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
 * Why paging cannot come to a trustworthy end. All of them say that the reading as a whole went wrong: going on from
 * the checkpoint would only fail again, the next run has to start at the first page.
 */
export type PagingFailure =
  | 'page-repeated'
  | 'cursor-repeated'
  | 'cursor-missing'
  | 'incomplete'
  | 'page-limit'
  | 'checkpoint-unfit';

export const startOverCodes: ReadonlySet<string> = new Set<PagingFailure>([
  'page-repeated',
  'cursor-repeated',
  'cursor-missing',
  'incomplete',
  'page-limit',
  'checkpoint-unfit',
]);

/** Warnings after which a snapshot may lack records that exist: nothing follows from a record's absence. */
export const doubtfulCodes: ReadonlySet<string> = new Set(['total-changed', 'total-mismatch', 'pages-overlap']);

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

/** The total as far as it can be believed, and what is odd about it. */
export const heardTotal = (progress: Progress, page: PageLook): { progress: Progress; warnings: Warning[] } => {
  const { total: before, least = Infinity, most = 0, seen } = progress;
  const { total, count } = page;
  // Some sources answer a page past the end with a total of 0.
  if (total === undefined || progress.noTotal || (total === 0 && count === 0 && seen > 0)) {
    return { progress, warnings: [] };
  }
  // A later page that is as long as the whole list: what is called the total is the count of the page.
  if (seen > 0 && count > 0 && total === count) {
    const { total: _, least: _least, most: _most, ...rest } = progress;
    const message = `the total ${total} is only the length of the page and is not used: mend source.answer.total`;
    return { progress: { ...rest, noTotal: true }, warnings: [{ code: 'total-mismatch', message }] };
  }
  const heard = { ...progress, total, least: Math.min(least, total), most: Math.max(most, total) };
  if (before === undefined || before === total) return { progress: heard, warnings: [] };
  const message = `the total went from ${before} to ${total} while the list was read`;
  return { progress: heard, warnings: [{ code: 'total-changed', message }] };
};

/** Records that came before and come again: rows were inserted while the list was read, or the source errs. */
export const overlapOf = ({ firstId, lastId }: Progress, { ids }: PageLook): Warning[] => {
  const again = [firstId, lastId].find((id) => id !== undefined && ids.includes(id));
  return again === undefined
    ? []
    : [{ code: 'pages-overlap', message: `record ${again} of one page came again on the next` }];
};

/** Takes the last page. A total that is not met is odd, but no more is missing than the total itself is unsure of. */
const takeLast = ({ seen, total }: Progress, page: PageLook, warnings: Warning[]): Step => {
  const taken = seen + page.count;
  if (total === undefined || taken === total) return { kind: 'take', warnings };
  const message = `the source speaks of ${total} records and sent ${taken}`;
  return { kind: 'take', warnings: [...warnings, { code: 'total-mismatch', message }] };
};

/**
 * The source gives no more pages. Rows that were added meanwhile may be counted and not come: a total that moved by n
 * is only known to n. Where even fewer came, records are missing. `advice` says what a person can do about it.
 */
export const endOfList = (progress: Progress, page: PageLook, warnings: Warning[], advice: string): Step => {
  const { least = 0, most = 0, seen } = progress;
  if (seen + page.count >= least - (most - least)) return takeLast(progress, page, warnings);
  const message = `the source speaks of ${least} records and sent ${seen + page.count}`;
  const again: Warning[] = [...warnings, { code: 'page-short', message: `${message}; asked again` }];
  return askAgain(progress, again, () => failure('incomplete', `${message}: ${advice}`, warnings));
};

/** What is heard of the total, to go on with. */
export const rememberTotal = ({ total, least, most, noTotal }: Progress): Partial<Progress> => ({
  ...defined({ total }),
  ...defined({ least }),
  ...defined({ most }),
  ...(noTotal ? { noTotal } : {}),
});

/** What the next page is compared with. */
export const rememberPage = ({ print, ids }: PageLook): Pick<Progress, 'print' | 'firstId' | 'lastId'> => {
  const [firstId] = ids;
  const lastId = ids.at(-1);
  return {
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
