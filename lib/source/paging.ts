import type { PagingPlan, PositionalPaging } from '../integration/compile/source-plan.ts';
import { defined } from '../runtime/defined.ts';
import type { Page } from './answer.ts';
import { lookAt, type PageLook } from './page-look.ts';
import { linkedStep } from './paging-linked.ts';
import { positionalStep } from './paging-positional.ts';
import type { Progress } from './paging-state.ts';
import { endOfList, heardTotal, type Step } from './paging-step.ts';
import type { PageAt } from './request.ts';

/** Another page size: a source that pages answers it with another page. */
const probeSize = ({ pageSize }: PositionalPaging): number => (pageSize === 1 ? 2 : 1);

const positionalPage = (paging: PositionalPaging, progress: Progress): NonNullable<PageAt['page']> => {
  const { kind, first } = paging;
  const pageSize = progress.probing ? probeSize(paging) : paging.pageSize;
  const position = progress.probing ? first : (progress.position ?? first);
  return { position, pageSize, startRow: kind === 'pageNumber' ? (position - first) * pageSize : position };
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

/** One answer is the whole list; a total that says otherwise means that the source pages after all. */
const singleStep = (asked: Progress, page: PageLook): Step => {
  const { progress, warnings } = heardTotal(asked, page);
  return endOfList(progress, page, warnings, 'the source pages: set source.paging');
};

/**
 * State and page in, next step out: the one place that decides where a list ends. Pure. It always comes to an end:
 * every page taken or gone back to counts towards `maxPages`, every other question is asked twice at most.
 * `idPath` is the dotted path of a record's id.
 */
export const nextStep = (paging: PagingPlan, idPath: string, asked: Progress, page: Page): Step => {
  const look = lookAt(page, idPath);
  switch (paging.kind) {
    case 'single':
      return singleStep(asked, look);
    case 'pageNumber':
    case 'offset':
      return positionalStep(paging, asked, look);
    case 'cursor':
    case 'nextLink':
      return linkedStep(paging, asked, look);
    default:
      return paging satisfies never;
  }
};
