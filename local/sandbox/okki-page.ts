import type { JsonValue } from '../../lib/json/json.ts';

/** Rows by OKKI's paging: `startIndex` is a page number from 1, not an offset; `count` is the page size. */
export type Paging = { startIndex: number; count: number };

const DEFAULT_COUNT = 20;
const POSITIVE = /^[1-9]\d{0,8}$/;

/**
 * Reads `start_index` and `count`; undefined where neither is sent (then the groups come whole), `invalid` where one
 * is not a whole number from 1. An empty parameter counts as not sent.
 */
export const readPaging = (query: URLSearchParams): Paging | undefined | 'invalid' => {
  const startIndex = query.get('start_index') || undefined;
  const count = query.get('count') || undefined;
  if (startIndex === undefined && count === undefined) return undefined;
  for (const value of [startIndex, count]) if (value !== undefined && !POSITIVE.test(value)) return 'invalid';
  return { startIndex: Number(startIndex ?? 1), count: Number(count ?? DEFAULT_COUNT) };
};

/**
 * The rows of a page. `overlap`: as if so many rows had been added at the top since the page before was read, so that
 * this page repeats them.
 */
export const pageOf = (rows: readonly JsonValue[], { startIndex, count }: Paging, overlap: number): JsonValue[] => {
  const start = Math.max(0, (startIndex - 1) * count - (startIndex > 1 ? overlap : 0));
  return rows.slice(start, start + count);
};
