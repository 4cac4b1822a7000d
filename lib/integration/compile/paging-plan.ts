import { defined } from '../../runtime/defined.ts';
import { readRequest } from '../dialect/request-fields.ts';
import { statedPageSize } from '../fill/paging-families.ts';
import type { Integration } from '../schema/schema.ts';
import type { Paging } from '../schema/source-schema.ts';

type SourceBlock = Integration['source'];

/** Whether a list that stops after exactly 1,000 or 10,000 rows may have been cut off there by the source. */
type Ceiling = { hasCeiling: boolean };

/** Pages that are asked for by their number or by their first row. */
export type PositionalPaging = Ceiling & {
  kind: 'pageNumber' | 'offset';
  pageSize: number;
  /** Number of the first page; 0 for rows. */
  first: number;
  /** Whether the source is told the page size, so that it could answer another one otherwise. */
  tellsSize: boolean;
  maxPages: number;
};

/** Pages that are asked for by what the page before them gave. */
export type LinkedPaging = Ceiling & {
  kind: 'cursor' | 'nextLink';
  maxPages: number;
  /** Where the next cursor or link stands, in words. */
  place: string;
  /** Rows per page, where the file states it. */
  pageSize?: number;
  /** Whether a page without cursor or link is always the last one. */
  absentEnds: boolean;
};

/** One answer is the whole list. `isStated`: the file says so; else nobody has said how the list is paged. */
export type SinglePaging = Ceiling & { kind: 'single'; isStated: boolean };

export type PagingPlan = SinglePaging | PositionalPaging | LinkedPaging;

/** The two trees of a source block. */
export const requestsOf = ({ request, otherRequest }: SourceBlock['metadata']) => ({
  request: readRequest(request ?? []),
  otherRequest: readRequest(otherRequest ?? []),
});

/** A list that nobody has said anything of is taken for one answer. */
export const UNSTATED: Paging = { kind: 'single' };

/** Compiles what a source block says of its pages. Pure. */
export const pagingPlanOf = ({ paging: stated, metadata }: SourceBlock): PagingPlan => {
  const paging = stated ?? UNSTATED;
  const hasCeiling = paging.ceiling ?? true;
  switch (paging.kind) {
    case 'single':
      return { kind: 'single', isStated: stated !== undefined, hasCeiling };
    case 'pageNumber': {
      const { kind, pageSize, firstPage: first, sizeParam, maxPages } = paging;
      return { kind, pageSize, first, tellsSize: sizeParam !== undefined, maxPages, hasCeiling };
    }
    case 'offset': {
      const { kind, pageSize, offsetParam, sizeParam, maxPages } = paging;
      // Without a parameter for the first row {{PAGINATION_…}} in the request carries row and size.
      const tellsSize = sizeParam !== undefined || offsetParam === undefined;
      return { kind, pageSize, first: 0, tellsSize, maxPages, hasCeiling };
    }
    case 'cursor':
    case 'nextLink': {
      const { kind, maxPages, absent } = paging;
      const own = paging.kind === 'cursor' ? paging.pageSize : undefined;
      const pageSize = own ?? statedPageSize({ pagination: metadata.pagination ?? null }, requestsOf(metadata));
      return {
        kind,
        maxPages,
        place: placeOfNext(paging),
        ...defined({ pageSize }),
        absentEnds: absent === 'end',
        hasCeiling,
      };
    }
    default:
      return paging satisfies never;
  }
};

const placeOfNext = (paging: Extract<Paging, { kind: 'cursor' | 'nextLink' }>): string => {
  if (paging.kind === 'cursor') return `"${paging.cursorPath}"`;
  return paging.in === 'body' ? `"${paging.path}"` : 'rel="next" of the Link header';
};
