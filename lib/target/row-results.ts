import type { ResultsPlan, RowKey } from '../integration/compile/target-plan.ts';
import { type JsonValue, parsedOrUndefined } from '../json/json.ts';
import { readPath } from '../json/path.ts';
import { defined } from '../runtime/defined.ts';
import { targetIdIn } from '../transform/target-id.ts';
import { excerptOf, type Outcome } from './outcome.ts';
import type { PostRecord } from './target.ts';

/** A record that was sent, and how the target knows it. */
type Sent = Pick<PostRecord, 'id' | 'body'>;

const textAt = (row: JsonValue, path: string): string | undefined => {
  const value = readPath(row, path);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
    ? String(value)
    : undefined;
};

/** The row of each record: by its id, by its place in the request, or in the order sent where all are there. */
const rowsFor = (rows: readonly JsonValue[], records: readonly Sent[], row: RowKey): (JsonValue | undefined)[] => {
  if (row.by === 'order') return records.map((_, place) => (rows.length === records.length ? rows[place] : undefined));
  const byKey = new Map(rows.map((one) => [textAt(one, row.path), one]));
  return records.map(({ id, body }, place) =>
    byKey.get(row.by === 'index' ? String(place) : (targetIdIn(body, row.idKey) ?? id)),
  );
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
  records: readonly Sent[],
  { path, row: key, success, message }: ResultsPlan,
): Outcome[] | undefined => {
  const rows = readPath(parsedOrUndefined(text), path);
  if (!Array.isArray(rows)) return undefined;
  return rowsFor(rows, records, key).map((row): Outcome => {
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
