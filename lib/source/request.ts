import type { ApiRequest } from '../connection/api/api.ts';
import type { PagingPlan, PositionalPaging } from '../integration/compile/paging-plan.ts';
import type { Parameter, RequestPlan } from '../integration/compile/source-plan.ts';
import type { Filled, Scope } from '../integration/dialect/fill.ts';
import { fillParameter } from '../integration/dialect/parameters.ts';
import { type RequestContext, variableValue } from '../integration/dialect/variables.ts';
import { isCompound, type JsonObject, type JsonValue, stringifyJson } from '../json/json.ts';
import { setKeys } from '../json/path.ts';
import { defined } from '../runtime/defined.ts';
import type { Progress } from './paging-state.ts';

/** The page that is asked for, as its paginator knows it; the plan of the request says where that goes. */
export type PageAt = {
  /** Where pages have a number or a first row. */
  page?: { position: number; pageSize: number; startRow: number; firstPage?: number };
  /** What the page before gave. */
  cursor?: string | number;
  /** A link instead of path and query. */
  link?: string;
};

/**
 * The page after the next, since a source that counts from 1 may take page 0 for page 1; after a full page in another
 * size, too. A source that pages answers with another page.
 */
const probeOf = ({ kind, pageSize }: PositionalPaging, position: number, lastCount: number) => ({
  position: position + (kind === 'pageNumber' ? 1 : lastCount),
  pageSize: lastCount !== pageSize ? pageSize : pageSize === 1 ? 2 : 1,
});

const positionalPage = (paging: PositionalPaging, progress: Progress): NonNullable<PageAt['page']> => {
  const { kind, first } = paging;
  const next = { position: progress.position ?? first, pageSize: paging.pageSize };
  const { position, pageSize } = progress.probing ? probeOf(paging, next.position, progress.lastCount ?? 0) : next;
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

const pageValue = (what: Extract<Parameter, { from: 'page' }>['what'], at: PageAt): JsonValue | undefined => {
  switch (what) {
    case 'position':
      return at.page?.position;
    case 'pageSize':
      return at.page?.pageSize;
    case 'cursor':
      return at.cursor;
    default:
      return what satisfies never;
  }
};

const carried = (parameter: Parameter, at: PageAt, scope: Scope): Filled => {
  switch (parameter.from) {
    case 'field':
      return fillParameter(parameter.field, scope);
    case 'constant':
      return { value: parameter.value };
    case 'page':
      return { value: pageValue(parameter.what, at) };
    default:
      return parameter satisfies never;
  }
};

const asText = (value: JsonValue): string => (isCompound(value) ? stringifyJson(value) : String(value));

/** The request for a page of a run. Answers a reason where a value cannot be calculated. Pure. */
export const pageRequest = (
  { method, path, parameters }: RequestPlan,
  at: PageAt,
  run: RequestContext,
): ApiRequest | { reason: string } => {
  const variables = { ...run, ...defined({ page: at.page }) };
  const scope: Scope = ({ of, name }) => (of === 'variable' ? variableValue(name, variables) : undefined);
  const query = new Map<string, string>();
  const headers: Record<string, string> = {};
  let body: JsonObject = {};
  for (const parameter of parameters) {
    const { place } = parameter;
    const filled = carried(parameter, at, scope);
    if ('reason' in filled) return filled;
    const { value } = filled;
    if (value === undefined) continue;
    if (place.in === 'body') body = setKeys(body, place.keys, value);
    else if (place.in === 'header') headers[place.name] = asText(value);
    else query.set(place.name, asText(value));
  }
  return {
    method,
    path,
    ...defined({ link: at.link }),
    ...((method === 'GET' || query.size > 0) && { query: [...query] }),
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(method !== 'GET' && { body: stringifyJson(body) }),
  };
};
