import type { LinkedPaging } from '../integration/compile/source-plan.ts';
import type { PageLook } from './page-look.ts';
import type { Progress } from './paging-state.ts';
import {
  askAgain,
  endOfList,
  failure,
  heardTotal,
  overlapOf,
  rememberPage,
  rememberTotal,
  type Step,
  takeAndGoOn,
} from './paging-step.ts';

const isPowerOfTwo = (count: number): boolean => Number.isInteger(Math.log2(count));

/**
 * Paging by a cursor or link that each page gives for the next. The source itself says where the list ends; a cursor
 * that came before would lead round in a circle.
 */
export const linkedStep = (paging: LinkedPaging, asked: Progress, page: PageLook): Step => {
  const { count, hasMore } = page;
  const given = paging.kind === 'cursor' ? page.cursor : page.link;
  // A source that waits for new rows gives the same cursor with every empty page.
  const waitsForMore = count === 0 && given === asked.cursor;
  const next = hasMore === false || waitsForMore ? undefined : given;
  const word = paging.kind === 'cursor' ? 'cursor' : 'link';

  if (count > 0 && page.print === asked.print) {
    const message = `page ${asked.pages + 1} is the one before it again`;
    return askAgain(asked, [{ code: 'page-repeated', message: `${message}; asked again` }], () =>
      failure('page-repeated', `${message}: the source does not follow its own ${word}`),
    );
  }
  if (next !== undefined && (next === asked.cursor || next === asked.anchor)) {
    const message = `after page ${asked.pages + 1} a ${word} came that had come before`;
    return askAgain(asked, [{ code: 'cursor-repeated', message: `${message}; asked again` }], () =>
      failure('cursor-repeated', `${message}: the source leads round in a circle`),
    );
  }

  const { progress, warnings } = heardTotal(asked, page);
  warnings.push(...overlapOf(progress, page));
  const { kind, seen, anchor } = progress;
  if (next === undefined) {
    if (hasMore === true && !waitsForMore) {
      return failure('cursor-missing', `the source has more, but gives no ${word}: check source.paging.cursorPath`);
    }
    return endOfList(progress, page, warnings, `check source.paging: where does the next ${word} stand?`);
  }

  const pages = progress.pages + 1;
  const goOn: Progress = {
    kind,
    pages,
    seen: seen + count,
    cursor: next,
    ...(isPowerOfTwo(pages) ? { anchor: next } : anchor === undefined ? {} : { anchor }),
    ...rememberPage(page),
    ...rememberTotal(progress),
  };
  return takeAndGoOn(goOn, paging, warnings);
};
