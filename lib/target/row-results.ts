import type { Results } from '../integration/schema/target-schema.ts';
import { type JsonValue, parsedOrUndefined } from '../json/json.ts';
import { readPath } from '../json/path.ts';
import { defined } from '../runtime/defined.ts';
import { excerptOf, type Outcome } from './outcome.ts';

const textAt = (row: JsonValue, path: string): string | undefined => {
  const value = readPath(row, path);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
    ? String(value)
    : undefined;
};

/** The row of each record: by its id, by its place in the request, or in the order sent where all are there. */
const rowsFor = (
  rows: readonly JsonValue[],
  targetIds: readonly string[],
  { id, index }: Results,
): (JsonValue | undefined)[] => {
  const path = id ?? index;
  if (path === undefined)
    return targetIds.map((_, place) => (rows.length === targetIds.length ? rows[place] : undefined));
  const byKey = new Map(rows.map((row) => [textAt(row, path), row]));
  return targetIds.map((targetId, place) => byKey.get(id === undefined ? String(place) : targetId));
};

/**
 * How a batch ended for each of its records, where the answer tells it row by row; undefined where it has no rows.
 *
 * A row that says success is loaded, another one rejected in its own words. A record that the rows do not speak of is
 * uncertain: the answer as a whole may mean the others only. Pure.
 */
export const rowOutcomes = (
  text: string,
  status: number,
  targetIds: readonly string[],
  results: Results,
): Outcome[] | undefined => {
  const rows = readPath(parsedOrUndefined(text), results.path);
  if (!Array.isArray(rows)) return undefined;
  const { success, message } = results;
  return rowsFor(rows, targetIds, results).map((row): Outcome => {
    const said = row === undefined ? undefined : (textAt(row, success.path) ?? String(readPath(row, success.path)));
    if (row === undefined) return { kind: 'uncertain', failure: { cause: 'no-row-result', status } };
    if (success.equals.some((wanted) => String(wanted) === said)) return { kind: 'loaded' };
    const words = message.map((path) => readPath(row, path)).find((value) => typeof value === 'string' && value !== '');
    const excerpt = excerptOf(typeof words === 'string' ? words : `${success.path}: ${said}`);
    return {
      kind: 'rejected',
      failure: { cause: 'row-refused', status, ...defined({ excerpt }) },
    };
  });
};
