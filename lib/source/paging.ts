import type { PagingPlan, SinglePaging } from '../integration/compile/paging-plan.ts';
import type { SourcePlan } from '../integration/compile/source-plan.ts';
import type { RequestContext } from '../integration/dialect/variables.ts';
import type { Page } from './answer.ts';
import { linkedStep } from './paging-linked.ts';
import { positionalStep } from './paging-positional.ts';
import { lookAt, type PageLook, type Progress, startOf } from './paging-state.ts';
import { endOfList, failure, heardTotal, type Step, saysLast, saysMore, type Warning } from './paging-step.ts';

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
