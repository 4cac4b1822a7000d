import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import type { ApiRequest } from '../connection/api/api.ts';
import { asText, FORM, formText } from '../connection/form.ts';
import type { PagingPlan, PositionalPaging } from '../integration/compile/paging-plan.ts';
import type { Parameter, Place, RequestPlan } from '../integration/compile/source-plan.ts';
import type { Filled, Scope } from '../integration/dialect/fill.ts';
import { fillParameter } from '../integration/dialect/parameters.ts';
import { type RequestContext, variableValue } from '../integration/dialect/variables.ts';
import { isNumber, type JsonObject, type JsonValue, stringifyJson } from '../json/json.ts';
import { readPath, setKeys } from '../json/path.ts';
import { defined } from '../runtime/defined.ts';
import type { Page } from './answer.ts';
import type { PageState } from './source.ts';

/** What a paginator looks at: how much a page holds, and which records, by their ids. */
export type PageLook = Omit<Page, 'records'> & {
  /** Raw, before cleaning. */
  count: number;
  /** Equal for pages with the same records in the same order; undefined for an empty page. */
  print?: string;
  ids: readonly string[];
};

const idOf = (record: JsonValue, idPath: string): string | undefined => {
  const id = readPath(record, idPath);
  return typeof id === 'string' || isNumber(id) ? String(id) : undefined;
};

/** Looks at a page; `idPath` is the dotted path of a record's id. A record without one counts by its content. */
export const lookAt = ({ records, ...rest }: Page, idPath: string): PageLook => {
  const ids: string[] = [];
  const hash = createHash('sha256');
  for (const record of records) {
    const id = idOf(record, idPath);
    if (id !== undefined) ids.push(id);
    hash.update(id === undefined ? `record ${stringifyJson(record)}\n` : `id ${JSON.stringify(id)}\n`);
  }
  const print = records.length === 0 ? {} : { print: hash.digest('hex').slice(0, 32) };
  return { ...rest, count: records.length, ids, ...print };
};

const count = z.int().check(z.minimum(0));

/** Where a paginator stands before it asks for a page. Flat, so that it fits a checkpoint. */
const progressSchema = z.strictObject({
  kind: z.enum(['single', 'pageNumber', 'offset', 'cursor', 'nextLink']),
  /** Pages taken so far. */
  pages: count,
  /** Raw records taken so far. */
  seen: count,
  /** How often this page was asked for again. */
  asked: z.exactOptional(count),
  /** The total that the source last gave, the least and the most that it gave since reading began or went back. */
  total: z.exactOptional(count),
  least: z.exactOptional(count),
  most: z.exactOptional(count),
  /** The source's total turned out to be no total. */
  noTotal: z.exactOptional(z.boolean()),
  /** The last total that the source stated, believed or not. */
  announced: z.exactOptional(count),
  /** The source said that the page before was the last one. */
  saidLast: z.exactOptional(z.boolean()),
  /** The page taken before this one: its length, its fingerprint, and the ids of its first and last record. */
  lastCount: z.exactOptional(count),
  print: z.exactOptional(z.string()),
  firstId: z.exactOptional(z.string()),
  lastId: z.exactOptional(z.string()),
  /** Page number or first row of the page to ask for. */
  position: z.exactOptional(count),
  /** Most records that a page has held. */
  largest: z.exactOptional(count),
  /** How often the paginator went back since rows were deleted before it. */
  backs: z.exactOptional(count),
  /** The next answer only tells whether the source pages at all. */
  probing: z.exactOptional(z.boolean()),
  /** Cursor or link of the page to ask for; none: the first. */
  cursor: z.exactOptional(z.union([z.string(), z.number()])),
  /** An earlier cursor that must not come again (Brent's algorithm: moved whenever the page count doubles). */
  anchor: z.exactOptional(z.union([z.string(), z.number()])),
  /** Fingerprint of the first page, where a cursor may lead back to it. */
  firstPrint: z.exactOptional(z.string()),
  /** A cursor came that is a usual word for the end and is not named as one. */
  zero: z.exactOptional(z.boolean()),
  /** A page of an earlier part of the window carried a cursor or a link. */
  linked: z.exactOptional(z.boolean()),
  /** The part of the run's window that is being read, ms; absent: the whole of it. */
  fromMs: z.exactOptional(count),
  toMs: z.exactOptional(count),
});

export type Progress = z.infer<typeof progressSchema>;

/** Where reading starts. */
export const startOf = (paging: PagingPlan): Progress => {
  const start = { kind: paging.kind, pages: 0, seen: 0 };
  switch (paging.kind) {
    case 'pageNumber':
    case 'offset':
      return { ...start, position: paging.first };
    case 'single':
    case 'cursor':
    case 'nextLink':
      return start;
    default:
      return paging satisfies never;
  }
};

/** A checkpoint's page as this paging wrote it; undefined where another paging or another program did. */
export const readProgress = (paging: PagingPlan, state: PageState): Progress | undefined => {
  const { data } = z.safeParse(progressSchema, state);
  return data?.kind === paging.kind ? data : undefined;
};

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

/** The request for a page of a run. Answers a reason where a value cannot be calculated. Pure. */
export const pageRequest = (
  { method, path, isForm, texts, parameters }: RequestPlan,
  at: PageAt,
  run: RequestContext,
): ApiRequest | { reason: string } => {
  const variables = { ...run, ...defined({ page: at.page }) };
  const scope: Scope = ({ of, name }) => (of === 'variable' ? variableValue(name, variables) : undefined);
  const query = new Map<string, string>();
  const headers: Record<string, string> = {};
  let body: JsonObject = {};
  const inTexts = new Map(texts.map((text) => [JSON.stringify(text), { text, held: {} as JsonObject }]));
  const put = (place: Exclude<Place, { in: 'text' }>, value: JsonValue) => {
    if (place.in === 'body') body = setKeys(body, place.keys, value);
    else if (place.in === 'header') headers[place.name] = asText(value);
    else query.set(place.name, asText(value));
  };
  for (const parameter of parameters) {
    const { place } = parameter;
    const filled = carried(parameter, at, scope);
    if ('reason' in filled) return filled;
    const { value } = filled;
    if (value === undefined) continue;
    if (place.in !== 'text') {
      put(place, value);
      continue;
    }
    const one = inTexts.get(JSON.stringify(place.text));
    if (one !== undefined) one.held = setKeys(one.held, place.keys, value);
  }
  for (const { text, held } of inTexts.values()) {
    put(
      text.in === 'body' ? { in: text.in, keys: [text.name] } : { in: text.in, name: text.name },
      stringifyJson(held),
    );
  }
  if (isForm) headers['content-type'] = FORM;
  return {
    method,
    path,
    ...defined({ link: at.link }),
    ...((method === 'GET' || query.size > 0) && { query: [...query] }),
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(method !== 'GET' && { body: isForm ? formText(Object.entries(body)) : stringifyJson(body) }),
  };
};
