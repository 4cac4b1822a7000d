import type { PagingPlan, PositionalPaging, SinglePaging } from '../integration/compile/paging-plan.ts';
import type { SourcePlan } from '../integration/compile/source-plan.ts';
import type { RequestContext } from '../integration/dialect/variables.ts';
import type { Page } from './answer.ts';
import { linkedStep } from './paging-linked.ts';
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
import { lookAt, type PageLook, type Progress, startOf } from './progress.ts';

const UNSTATED: Warning = {
  code: 'paging-unstated',
  message:
    'nothing says how the list is paged: one answer is taken for all of it. Set source.paging, {"kind": "single"} if that is right',
};

/** One answer is the whole list; a total or a flag that says otherwise means that the source pages after all. */
const singleStep = ({ isStated, hasCeiling }: SinglePaging, asked: Progress, page: PageLook): Step => {
  const { progress, warnings } = heardTotal(asked, page);
  if (!isStated && asked.asked === undefined) warnings.push(UNSTATED);
  const more = hasCeiling ? saysMore(page, ['flag', 'next', 'pages']) : undefined;
  if (more !== undefined) {
    const message = `the source says that there is more (${more}) than the ${page.count} records of its answer`;
    const advice =
      'set source.paging to how it pages, or to {"kind": "single", "ceiling": false} if this means something else';
    return failure('more-unread', `${message}: ${advice}`, warnings);
  }
  const advice = 'the source pages: set source.paging';
  return endOfList(progress, page, warnings, { hasCeiling, isMarked: saysLast(page), advice });
};

/**
 * State and page in, next step out: the one place that decides where a list ends. Pure. It always comes to an end:
 * every page taken or gone back to counts towards `maxPages`, every other question is asked twice at most.
 * `idPath` is the dotted path of a record's id; `hasLinked`: a page of an earlier run carried a cursor or link.
 */
export const nextStep = (paging: PagingPlan, idPath: string, asked: Progress, page: Page, hasLinked = false): Step => {
  const look = lookAt(page, idPath);
  switch (paging.kind) {
    case 'single':
      return singleStep(paging, asked, look);
    case 'pageNumber':
    case 'offset':
      return positionalStep(paging, asked, look);
    case 'cursor':
    case 'nextLink':
      return linkedStep(paging, asked, look, hasLinked);
    default:
      return paging satisfies never;
  }
};

/**
 * A list of changes that stops at a ceiling is read in smaller windows of time, each of them from its first page:
 *
 *     the run's window   |-------------------------------|   stops after exactly 1,000 rows
 *     its first half     |---------------|                   1,000 again
 *     …                  |-------|                           640: the end of this part
 *     then the rest             |------------------------|   and so on, split where it stops at the ceiling
 *
 * What was read before is read again and merged. Parts overlap by a second, since sources count their ends differently.
 */
const OVERLAP_MS = 1_000;
/** A part as short as this is not split: times are written in seconds. */
const SHORTEST_MS = 4_000;

/** What is asked for at `progress`: the run's window, or the part of it that is being read. Pure. */
export const contextAt = ({ fromMs, toMs }: Progress, run: RequestContext): RequestContext => ({
  ...run,
  lastSyncMs: fromMs ?? run.lastSyncMs,
  nowMs: toMs ?? run.nowMs,
});

const startOfPart = ({ paging }: SourcePlan, from: Progress, fromMs: number, toMs: number): Progress => ({
  ...startOf(paging),
  ...((from.linked === true || from.cursor !== undefined) && { linked: true }),
  fromMs: Math.floor(fromMs),
  toMs: Math.floor(toMs),
});

/** A step within a part of the window stays in that part. */
const within = ({ fromMs, toMs, linked }: Progress, next: Progress): Progress =>
  fromMs === undefined || toMs === undefined ? next : { ...next, fromMs, toMs, ...(linked && { linked }) };

/**
 * The next step of a reading, over the parts of its window where it has to be split. Pure. `hasLinked`: as for
 * `nextStep`.
 */
export const stepInWindow = (
  plan: SourcePlan,
  asked: Progress,
  page: Page,
  run: RequestContext,
  hasLinked: boolean,
): Step => {
  const step = nextStep(plan.paging, plan.id, asked, page, hasLinked);
  const { lastSyncMs: fromMs, nowMs: toMs } = contextAt(asked, run);
  switch (step.kind) {
    case 'again':
      return { ...step, at: within(asked, step.at) };
    case 'take': {
      if (step.next !== undefined) return { ...step, next: within(asked, step.next) };
      return toMs < run.nowMs
        ? { ...step, next: startOfPart(plan, asked, Math.max(fromMs, toMs - OVERLAP_MS), run.nowMs) }
        : step;
    }
    case 'end':
      return toMs < run.nowMs
        ? { ...step, kind: 'again', at: startOfPart(plan, asked, Math.max(fromMs, toMs - OVERLAP_MS), run.nowMs) }
        : step;
    case 'failed': {
      if (step.code !== 'ceiling' || !plan.hasWindow || toMs - fromMs < SHORTEST_MS) return step;
      const message = 'the list of a window stopped at a ceiling: the window is split and read again in parts';
      const next = startOfPart(plan, asked, fromMs, fromMs + (toMs - fromMs) / 2);
      return { kind: 'take', next, warnings: [...step.warnings, { code: 'window-split', message }] };
    }
    default:
      return step satisfies never;
  }
};

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
const positionalStep = (paging: PositionalPaging, asked: Progress, page: PageLook): Step => {
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
