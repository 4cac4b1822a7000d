import type { JsonObject, JsonValue } from '../../json/json.ts';
import { readPath } from '../../json/path.ts';
import type { FaultPath } from '../../runtime/fault.ts';
import { fillTemplate } from '../dialect/fill.ts';
import { constantOf, isUnset, leavesOf, type RequestField, type Requests, takes } from '../dialect/request-fields.ts';
import { variableValue } from '../dialect/variables.ts';

type Family = { kind: 'pageNumber' | 'offset' | 'cursor'; position: readonly string[] };

/** Request field → how it pages, without a `pagination` key. Letters' case, `_`, `-` and `$` do not count. */
export const pagingFamilies: readonly Family[] = [
  // OKKI: a page number in spite of its name, counted from 1.
  { kind: 'pageNumber', position: ['start_index'] },
  {
    kind: 'pageNumber',
    position: ['page_index', 'page_no', 'page_num', 'page_number', 'current_page', 'curr_page', 'page', 'current'],
  },
  { kind: 'offset', position: ['offset', 'StartRow', 'start_row', 'skip'] },
  { kind: 'cursor', position: ['cursor', 'next_cursor', 'page_token', 'next_token', 'scroll_id'] },
];

/** Request field → it carries the page size, beside one of the above. */
export const sizeFields: readonly string[] = [
  'count',
  'page_size',
  'Limit',
  'size',
  'per_page',
  'rows',
  'rows_per_page',
  'max_rows',
  'page_count',
  'max_results',
  'length',
  'top',
];

/** Of these the ones that a list may well have without paging: `limit` may be all that is wanted. */
const vagueSizes: readonly string[] = ['count', 'Limit', 'size', 'rows', 'length', 'top'];
/** Of the fields that page the ones that may as well be the page of a book, or a state. */
const vaguePositions: readonly string[] = ['page', 'current'];

/** Records per page where neither `pagination` nor the size's own value says a number. */
export const DEFAULT_PAGE_SIZE = 100;

/** What the metadata says of paging. */
export type Recognised =
  | { paging: JsonObject }
  /** It speaks of paging, and does not say enough. */
  | { path: FaultPath; expected: string }
  /** It asks for so many records and for no page of them. */
  | { unsure: { path: FaultPath; expected: string; isVague: boolean } };

const plain = (name: string): string => name.toLowerCase().replace(/[-_$]/g, '');
const lastName = (path: string): string => path.slice(path.lastIndexOf('.') + 1);
const isNamed = (path: string, names: readonly string[]): boolean =>
  names.some((name) => plain(name) === plain(lastName(path)));

const asCount = (value: JsonValue | undefined): number | undefined => {
  const number = typeof value === 'string' && /^\d+$/.test(value.trim()) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
};

/** The field that is exactly this variable, and nothing around it. */
const isVariableItself = ({ template }: RequestField, variable: string): boolean =>
  template.kind === 'slot' && template.slot.name === variable && template.slot.pipes.length === 0;

const sizeOf = (metadata: JsonObject, size: RequestField | undefined): number | undefined => {
  // What the field itself says goes before what the variable would be.
  const counts = [asCount(size && constantOf(size)), asCount(readPath(metadata.pagination, 'pageSize'))];
  return counts.find((count) => count !== undefined && count > 0);
};

const metadataPath: FaultPath = ['source', 'metadata'];

/** By the variable of the page's number, counted from 1. */
const byPageVariable = (metadata: JsonObject, leaves: readonly RequestField[]): Recognised => {
  const position = leaves.find((leaf) => isVariableItself(leaf, 'PAGINATION_START_PAGE'));
  const size = leaves.find((leaf) => isVariableItself(leaf, 'PAGINATION_PAGE_SIZE'));
  if (position === undefined) {
    const expected = '{{PAGINATION_START_PAGE}} as a value of its own, with nothing around it; else set source.paging';
    return { path: [...metadataPath, 'request'], expected };
  }
  const pageSize = sizeOf(metadata, undefined) ?? DEFAULT_PAGE_SIZE;
  const sized = size === undefined ? {} : { sizeParam: size.path };
  return { paging: { kind: 'pageNumber', pageParam: position.path, ...sized, pageSize, firstPage: 1 } };
};

/** The page numbers 0, 1, 2 or 1, 2, 3 that a template makes of the first rows of the first three pages. */
const firstPageOf = ({ template }: RequestField, pageSize: number): number | undefined => {
  const [first, ...later] = [0, pageSize, 2 * pageSize].map((startRow) => {
    const context = { nowMs: 0, lastSyncMs: 0, page: { pageSize, startRow } };
    const filled = fillTemplate(template, ({ name }) => variableValue(name, context));
    return 'value' in filled ? filled.value : undefined;
  });
  const isCounted = (first === 0 || first === 1) && later.every((page, index) => page === first + index + 1);
  return isCounted ? first : undefined;
};

/** By the variables of `pagination`: rows counted from 0. */
const byVariables = (metadata: JsonObject, leaves: readonly RequestField[]): Recognised => {
  const position = leaves.find((leaf) => isVariableItself(leaf, 'PAGINATION_START_ROW'));
  const size = leaves.find((leaf) => isVariableItself(leaf, 'PAGINATION_PAGE_SIZE'));
  const pageSize = sizeOf(metadata, undefined) ?? DEFAULT_PAGE_SIZE;
  const counted = leaves.filter((leaf) => takes(leaf, 'PAGINATION_START_ROW'));
  for (const leaf of position === undefined ? counted : []) {
    // Rows after a short page are no whole number of pages: such a field is paged by the page, not by the row.
    const firstPage = firstPageOf(leaf, pageSize);
    const sized = size === undefined ? {} : { sizeParam: size.path };
    if (firstPage !== undefined && counted.length === 1) {
      return { paging: { kind: 'pageNumber', pageParam: leaf.path, ...sized, pageSize, firstPage } };
    }
  }
  return {
    paging: {
      kind: 'offset',
      ...(position === undefined ? {} : { offsetParam: position.path }),
      ...(size === undefined ? {} : { sizeParam: size.path }),
      pageSize,
    },
  };
};

const byFamily = (
  { kind }: Family,
  position: RequestField,
  size: RequestField | undefined,
  metadata: JsonObject,
  cursorPath: string | undefined,
): Recognised => {
  const place = [...metadataPath, 'request'];
  const pageSize = sizeOf(metadata, size) ?? DEFAULT_PAGE_SIZE;
  const sized = size === undefined ? {} : { sizeParam: size.path };
  switch (kind) {
    case 'pageNumber':
      return {
        paging: {
          kind,
          pageParam: position.path,
          ...sized,
          pageSize,
          firstPage: asCount(constantOf(position)) ?? 1,
        },
      };
    case 'offset':
      return (asCount(constantOf(position)) ?? 0) === 0
        ? { paging: { kind, offsetParam: position.path, ...sized, pageSize } }
        : { path: place, expected: `${position.path} of 0, since rows count from 0; else set source.paging` };
    case 'cursor':
      return cursorPath === undefined
        ? {
            path: ['source', 'paging'],
            expected: `a cursor paging by ${position.path}: with otherResponse.pageKey, or with cursorPath here`,
          }
        : {
            paging: {
              kind,
              cursorParam: position.path,
              cursorPath,
              ...(size === undefined ? {} : { ...sized, pageSize }),
            },
          };
    default:
      return kind satisfies never;
  }
};

/** Whether a field that is named like one that pages holds what the first page has, or nothing yet. */
const startsList = (field: RequestField, { kind }: Family, isSized: boolean): boolean => {
  if (kind === 'cursor') return true;
  if (isUnset(field)) return isSized || !isNamed(field.path, vaguePositions);
  const count = asCount(constantOf(field));
  // Without a size page 7 is what somebody asked for, page 1 is where the list begins.
  return count !== undefined && (isSized || count <= 1);
};

const unsureOf = ({ path }: RequestField): Recognised => ({
  unsure: {
    path: ['source', 'paging'],
    expected: `how the list is paged, since ${path} asks for so many records: {"kind": "single"} if one answer has all`,
    isVague: isNamed(path, vagueSizes),
  },
});

const leavesIn = ({ request, otherRequest }: Requests['source']): RequestField[] => [
  ...leavesOf(request),
  ...leavesOf(otherRequest),
];

/** The page size that the metadata states, by `pagination` or by a request field that carries one. */
export const statedPageSize = (metadata: JsonObject, requests: Requests['source']): number | undefined =>
  sizeOf(
    metadata,
    leavesIn(requests).find(({ path }) => isNamed(path, sizeFields)),
  );

/**
 * How a source block pages, where `source.paging` does not say it: by the variables of `pagination`, else by the names
 * of its request fields. Undefined: the block says nothing of paging. `cursorPath`: where the answer's next cursor is.
 */
export const recognisePaging = (
  metadata: JsonObject,
  requests: Requests['source'],
  cursorPath: string | undefined,
): Recognised | undefined => {
  const leaves = leavesIn(requests);
  if (leaves.some((leaf) => takes(leaf, 'PAGINATION_START_ROW'))) return byVariables(metadata, leaves);
  if (leaves.some((leaf) => takes(leaf, 'PAGINATION_START_PAGE'))) return byPageVariable(metadata, leaves);
  const size = leaves.find((leaf) => isNamed(leaf.path, sizeFields) || isVariableItself(leaf, 'PAGINATION_PAGE_SIZE'));
  const isSized = size !== undefined || sizeOf(metadata, undefined) !== undefined;
  for (const family of pagingFamilies) {
    const position = leaves.find((leaf) => isNamed(leaf.path, family.position) && startsList(leaf, family, isSized));
    if (position !== undefined) return byFamily(family, position, size, metadata, cursorPath);
  }
  return size === undefined ? undefined : unsureOf(size);
};
