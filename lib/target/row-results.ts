import type { ResultsPlan, RowKey } from '../integration/compile/target-plan.ts';
import { isJsonObject, isNumber, type JsonValue, parsedOrUndefined } from '../json/json.ts';
import { readPath } from '../json/path.ts';
import { targetIdIn } from '../transform/values.ts';
import type { Outcome } from './target.ts';
import { failureOf, type PostRecord } from './target.ts';

/** A record that was sent, and how the target knows it. */
type Sent = Pick<PostRecord, 'id' | 'body'>;

const textAt = (row: JsonValue, path: string): string | undefined => {
  const value = readPath(row, path);
  return typeof value === 'string' || isNumber(value) ? String(value) : undefined;
};

/** A row as the answer has it; `key`: where the rows are an object, its own. */
type Row = { value: JsonValue; key?: string };

const rowsAt = (body: JsonValue | undefined, path: string): Row[] | undefined => {
  const rows = readPath(body, path);
  if (Array.isArray(rows)) return rows.map((value) => ({ value }));
  return isJsonObject(rows) ? Object.entries(rows).map(([key, value]) => ({ value, key })) : undefined;
};

/** The row of each record: by its id, by its place in the request, or in the order sent where all are there. */
const rowsFor = (
  rows: readonly Row[],
  records: readonly Sent[],
  row: RowKey,
  success: ResultsPlan['success'],
): (JsonValue | undefined)[] => {
  if (row.by === 'order' && rows.every(({ key }) => key === undefined)) {
    return records.map((_, place) => (rows.length === records.length ? rows[place]?.value : undefined));
  }
  const byKey = new Map<string | undefined, JsonValue>();
  for (const { value, key } of rows) {
    const name = (row.by === 'order' ? undefined : textAt(value, row.path)) ?? key;
    const before = byKey.get(name);
    // Two rows of one record: a refusal is not hidden by the success beside it.
    if (before === undefined || saysSuccess(before, success) === true) byKey.set(name, value);
  }
  // A place that no record has shows that the target counts otherwise: then no row is known to be of its record.
  const isPlace = (name: string | undefined): boolean => records.some((_, place) => String(place) === name);
  if (row.by === 'index' && ![...byKey.keys()].every(isPlace)) return records.map(() => undefined);
  return records.map(({ id, body }, place) =>
    byKey.get(row.by === 'index' ? String(place) : (targetIdIn(body, row.idKey) ?? id)),
  );
};

/** Whether a row says that its record is loaded; undefined: it does not say. */
const saysSuccess = (row: JsonValue | undefined, { path, equals }: ResultsPlan['success']): boolean | undefined => {
  const said = readPath(row, path);
  if (said === undefined || said === null || typeof said === 'object') return undefined;
  return equals.some((wanted) => String(wanted) === String(said));
};

/**
 * How a batch ended for each of its records, where the answer tells it row by row, in a list or in an object by id;
 * undefined where it has no rows.
 *
 * A row that says success is loaded, another one rejected in its own words. A record that the rows do not speak of, or
 * whose row does not say how it ended, is uncertain: the answer as a whole may mean the others only. Pure.
 */
export const rowOutcomes = (
  text: string,
  status: number,
  records: readonly Sent[],
  { path, row: key, success, message }: ResultsPlan,
): Outcome[] | undefined => {
  const rows = rowsAt(parsedOrUndefined(text), path);
  if (rows === undefined) return undefined;
  return rowsFor(rows, records, key, success).map((row): Outcome => {
    const isLoaded = saysSuccess(row, success);
    if (isLoaded === undefined) return { kind: 'uncertain', failure: failureOf('no-row-result', status, text) };
    if (isLoaded) return { kind: 'loaded' };
    const words = message.map((path) => readPath(row, path)).find((value) => typeof value === 'string' && value !== '');
    const told = typeof words === 'string' ? words : `${success.path}: ${String(readPath(row, success.path))}`;
    return { kind: 'rejected', failure: failureOf('row-refused', status, told) };
  });
};

/** Whether an answer has nothing at all where its rows should be. Pure. */
export const hasNoRows = (text: string, { path }: ResultsPlan): boolean =>
  (readPath(parsedOrUndefined(text), path) ?? null) === null;
