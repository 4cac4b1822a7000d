import type { PositionalPaging } from '../integration/compile/paging-plan.ts';
import type { PageLook, Progress } from './paging-state.ts';
import {
  askAgain,
  endOfList,
  failure,
  heardTotal,
  overlapOf,
  rememberPage,
  rememberTotal,
  type Step,
  saysLast,
  saysMore,
  takeAndGoOn,
  tooManyPages,
  type Warning,
} from './paging-step.ts';

/** With a total that falls more often than this while reading, going back no longer helps. */
const MAX_BACKS = 50;

const IGNORED: Warning = {
  code: 'paging-ignored',
  message: 'the source gives its whole list whatever page it is asked for: set source.paging.kind to "single"',
};
const CLAMPED: Warning = {
  code: 'paging-clamped',
  message: 'the source gives its last page again when it is asked for the next one',
};

/**
 * The page before came again, and once more when it was asked for again. The source ignores paging and has sent its
 * whole list, or it sends its last page for every page past the end, or it is stuck.
 */
const samePage = (paging: PositionalPaging, progress: Progress, page: PageLook): Step => {
  const { count } = page;
  const { seen, pages, position = 0, largest = 0 } = progress;
  // A total that is the length of the page, or lower than what came, says nothing of the list.
  const stated = page.total === undefined || page.total === count ? progress.total : page.total;
  const total = stated !== undefined && stated < seen ? undefined : stated;
  const stuck = failure(
    'page-repeated',
    `the page at ${position} is the one before it again, and the list has no known end: ` +
      'set source.answer.total, or source.paging.kind to "single" if the source does not page',
  );
  const warning = pages === 1 ? IGNORED : CLAMPED;
  const more = paging.hasCeiling ? saysMore(page) : undefined;
  if (more !== undefined) {
    const message = `the page at ${position} is the one before it again, though the source says that there is more (${more})`;
    return failure('page-repeated', `${message}: does the source know the parameter of source.paging?`);
  }
  if (total !== undefined) return seen >= total ? { kind: 'end', warnings: [warning] } : stuck;
  // Shorter than the pages before it, or than asked for, or longer: not a page that others of its size would follow.
  if (pages > 1) return count < largest ? { kind: 'end', warnings: [warning] } : stuck;
  if (count === paging.pageSize && !paging.tellsSize) return stuck;
  return { kind: 'again', at: { ...progress, probing: true }, warnings: [] };
};

/** The answer to a probe: the same records for a third page mean that the source ignores paging. */
const judgeProbe = (
  { pageSize }: PositionalPaging,
  { print, position = 0, lastCount }: Progress,
  page: PageLook,
): Step => {
  if (page.print === print) return { kind: 'end', warnings: [IGNORED] };
  // Nothing behind a short page: it was all, and page 0 was taken for page 1.
  if (page.count === 0 && lastCount !== pageSize) return { kind: 'end', warnings: [] };
  return failure('page-repeated', `the page at ${position} is the one before it again, though the source does page`);
};

/**
 * Rows were deleted: all that come after them have moved up, some of them onto pages that were read before. Goes back
 * as far as they can have moved; what is read twice is merged later.
 *
 *   read   1 2 3 4 | 5 6 7 8 |             2 and 3 are deleted
 *   now    1 4 5 6 | 7 8 9 10 | 11         page 3 starts at 11: 9 and 10 would be missed
 */
const goBack = (paging: PositionalPaging, progress: Progress, deleted: number): Progress => {
  const { kind, pages, seen, position = 0, largest = paging.pageSize, total = 0, backs = 0 } = progress;
  const totals = { total, least: total, most: total, announced: total };
  const moved = { kind, pages: pages + 1, ...totals, largest, backs: backs + 1 };
  if (paging.kind === 'offset') {
    return { ...moved, position: Math.max(0, position - deleted), seen: Math.max(0, seen - deleted) };
  }
  const page = paging.first + Math.floor(Math.max(0, seen - deleted) / largest);
  return { ...moved, position: page, seen: Math.max(0, seen - (position - page) * largest) };
};

/**
 * Paging by page number or first row. A total that the source gives decides where the list ends, a short page alone
 * does not; without a total only an empty page ends it. A full page is never the last one. How large a full page is,
 * the largest one so far tells: servers cap the size that they are asked for.
 */
export const positionalStep = (paging: PositionalPaging, asked: Progress, page: PageLook): Step => {
  const { count } = page;
  if (asked.probing) return judgeProbe(paging, asked, page);
  if (count > 0 && page.print === asked.print) {
    const message = `the page at ${asked.position ?? 0} came twice; asked again`;
    return askAgain(asked, [{ code: 'page-repeated', message }], () => samePage(paging, asked, page));
  }

  const { progress, warnings } = heardTotal(asked, page);
  const { total, seen, backs = 0 } = progress;
  const deleted = (asked.total ?? 0) - (total ?? 0);
  if (total !== undefined && deleted > 0 && seen > 0 && backs < MAX_BACKS) {
    const at = goBack(paging, progress, deleted);
    return at.pages < paging.maxPages ? { kind: 'again', at, warnings } : tooManyPages(paging, warnings);
  }
  warnings.push(...overlapOf(progress, page));

  const { kind, position = 0, largest = 0 } = progress;
  const isReached = total !== undefined && seen + count >= total;
  const more = paging.hasCeiling ? saysMore(page) : undefined;
  if (count === 0 && more !== undefined && !isReached) {
    const message = `an empty page says that there is more (${more})`;
    const again: Warning[] = [...warnings, { code: 'page-short', message: `${message}; asked again` }];
    return askAgain(asked, again, () => failure('more-unread', `${message}: check source.paging`, warnings));
  }
  if (count === 0 || (isReached && count < largest && more === undefined)) {
    return endOfList(progress, page, warnings, {
      hasCeiling: paging.hasCeiling,
      isMarked: saysLast(page) || asked.saidLast === true,
      advice: 'if its total counts rows that it does not list, leave source.answer.total empty',
    });
  }
  const next: Progress = {
    kind,
    pages: progress.pages + 1,
    seen: seen + count,
    position: paging.kind === 'pageNumber' ? position + 1 : position + count,
    largest: Math.max(largest, count),
    ...rememberPage(page),
    ...rememberTotal(progress, page),
    ...(backs > 0 && { backs }),
  };
  return takeAndGoOn(next, paging, warnings);
};
