import type { PagingPlan, PositionalPaging, SinglePaging } from '../integration/compile/paging-plan.ts';
import { defined } from '../runtime/defined.ts';
import type { Page } from './answer.ts';
import { lookAt, type PageLook } from './page-look.ts';
import { linkedStep } from './paging-linked.ts';
import { positionalStep } from './paging-positional.ts';
import type { Progress } from './paging-state.ts';
import { endOfList, failure, heardTotal, type Step, saysLast, saysMore, type Warning } from './paging-step.ts';
import type { PageAt } from './request.ts';

/** Another page size: a source that pages answers it with another page. */
const probeSize = ({ pageSize }: PositionalPaging): number => (pageSize === 1 ? 2 : 1);

const positionalPage = (paging: PositionalPaging, progress: Progress): NonNullable<PageAt['page']> => {
  const { kind, first } = paging;
  const pageSize = progress.probing ? probeSize(paging) : paging.pageSize;
  const position = progress.probing ? first : (progress.position ?? first);
  if (kind === 'offset') return { position, pageSize, startRow: position };
  return { position, pageSize, startRow: (position - first) * pageSize, firstPage: first };
};

/** The page to ask for at `progress`. */
export const pageAt = (paging: PagingPlan, progress: Progress): PageAt => {
  switch (paging.kind) {
    case 'single':
      return {};
    case 'pageNumber':
    case 'offset':
      return { page: positionalPage(paging, progress) };
    case 'cursor':
      return defined({ cursor: progress.cursor });
    case 'nextLink':
      return progress.cursor === undefined ? {} : { link: String(progress.cursor) };
    default:
      return paging satisfies never;
  }
};

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
