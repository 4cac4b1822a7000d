import type { LinkedPaging } from '../integration/compile/paging-plan.ts';
import { defined } from '../runtime/defined.ts';
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
  type Warning,
} from './paging-step.ts';
import type { PageLook, Progress } from './progress.ts';

const isPowerOfTwo = (count: number): boolean => Number.isInteger(Math.log2(count));

const wordOf = ({ kind }: LinkedPaging): string => (kind === 'cursor' ? 'cursor' : 'link');

/** `0` asks for the first page of many lists, and means the end in as many. */
const isZero = (at: string | number | undefined): boolean => String(at) === '0';

const ZERO_ADVICE = '. A 0 came in its place: if 0 means the end, set source.paging.end to [0]';

/**
 * What a page without cursor or link comes to. Where no page ever carried one, the place that is looked at may be the
 * wrong one: a page as long as it was asked for then hides others behind it.
 */
const afterAbsence = (
  paging: LinkedPaging,
  progress: Progress,
  page: PageLook,
  warnings: Warning[],
  wasSeen: boolean,
): Step | undefined => {
  const { count } = page;
  const { place, pageSize, absentEnds } = paging;
  const isReached = progress.total !== undefined && progress.seen + count >= progress.total;
  const isExplained = absentEnds || wasSeen || saysLast(page) || isReached || count === 0;
  const word = wordOf(paging);
  const more = saysMore(page, wasSeen ? ['flag'] : ['flag', 'next']);
  if (more !== undefined && !absentEnds) {
    const message = `page ${progress.pages + 1} says that there is more (${more}), but has no ${word} at ${place}`;
    return failure('cursor-missing', `${message}: mend source.paging`, warnings);
  }
  if (isExplained) return undefined;
  const none = `no page ever carried a ${word} at ${place}`;
  if (pageSize !== undefined && count >= pageSize) {
    const message = `page ${progress.pages + 1} is full, and ${none}`;
    const advice = `mend source.paging, or set source.paging.absent to "end" if a last page has no ${word}`;
    return failure('cursor-missing', `${message}: ${advice}`, warnings);
  }
  // Shorter than stated, it may be all, and may be capped.
  const message = `${none}: the list ends with its first page. Set source.paging.absent to "end" if that is right`;
  warnings.push({ code: 'cursor-unseen', message });
  return undefined;
};

/**
 * Paging by a cursor or link that each page gives for the next. The source itself says where the list ends; a cursor
 * that came before would lead round in a circle. `hasLinked`: a page of an earlier run carried a cursor or link.
 */
export const linkedStep = (paging: LinkedPaging, asked: Progress, page: PageLook, hasLinked: boolean): Step => {
  const { count, hasMore, next: mark = { kind: 'absent' } } = page;
  const given = mark.kind === 'given' ? mark.at : undefined;
  // A source that waits for new rows gives the same cursor with every empty page.
  const waitsForMore = count === 0 && given !== undefined && given === asked.cursor;
  const next = hasMore === false || waitsForMore ? undefined : given;
  const word = wordOf(paging);
  const zero = asked.zero || isZero(next);
  const hint = zero ? ZERO_ADVICE : '';

  if (mark.kind === 'unfit' && hasMore !== false) {
    const message = `page ${asked.pages + 1} has ${mark.found} at ${paging.place}, which is no ${word}`;
    return failure(
      'cursor-unfit',
      `${message}: mend source.paging, or name it in source.paging.end if it means the end`,
    );
  }
  if (count > 0 && page.print === asked.print) {
    const message = `page ${asked.pages + 1} is the one before it again`;
    return askAgain(asked, [{ code: 'page-repeated', message: `${message}; asked again` }], () =>
      failure('page-repeated', `${message}: the source does not follow its own ${word}${hint}`),
    );
  }
  if (asked.zero && count > 0 && page.print === asked.firstPrint) {
    return failure(
      'cursor-repeated',
      `page ${asked.pages + 1} is the first one again: the source leads round in a circle${hint}`,
    );
  }
  if (next !== undefined && (next === asked.cursor || next === asked.anchor)) {
    const message = `after page ${asked.pages + 1} a ${word} came that had come before`;
    return askAgain(asked, [{ code: 'cursor-repeated', message: `${message}; asked again` }], () =>
      failure('cursor-repeated', `${message}: the source leads round in a circle${hint}`),
    );
  }

  const { progress, warnings } = heardTotal(asked, page);
  warnings.push(...overlapOf(progress, page));
  const { kind, seen, anchor } = progress;
  if (next === undefined) {
    if (hasMore === true && !waitsForMore) {
      return failure('cursor-missing', `the source has more, but gives no ${word}: check source.paging.cursorPath`);
    }
    const wasSeen = hasLinked || asked.linked === true || asked.cursor !== undefined;
    const unread = mark.kind === 'absent' ? afterAbsence(paging, progress, page, warnings, wasSeen) : undefined;
    return (
      unread ??
      endOfList(progress, page, warnings, {
        hasCeiling: paging.hasCeiling,
        isMarked: mark.kind === 'end' || waitsForMore || saysLast(page),
        advice: `check source.paging: where does the next ${word} stand?`,
      })
    );
  }

  const pages = progress.pages + 1;
  const firstPrint = asked.pages === 0 ? page.print : asked.firstPrint;
  const goOn: Progress = {
    kind,
    pages,
    seen: seen + count,
    cursor: next,
    ...(isPowerOfTwo(pages) ? { anchor: next } : defined({ anchor })),
    ...defined({ firstPrint }),
    ...(zero && { zero }),
    ...rememberPage(page),
    ...rememberTotal(progress, page),
  };
  return takeAndGoOn(goOn, paging, warnings);
};
