import { hash } from 'node:crypto';
import type { DuplicateRule } from '../integration/schema/schema.ts';
import { canonicalJson, type JsonObject } from '../json/json.ts';
import { readPath } from '../json/path.ts';
import { isBlank } from './values.ts';

const KEY_BYTES = 12;

/**
 * The key under which records are duplicates by this rule; undefined: the record is nobody's duplicate.
 *
 * With a blank text in any of the fields, or no value in the first, there is no key: two groups without a name are not
 * one group. A field that both records lack counts as equal, as for a group without `parent_id`.
 */
export const duplicateKey = (record: JsonObject, { by }: DuplicateRule): string | undefined => {
  const values = by.map((path) => readPath(record, path));
  if (isBlank(values[0]) || values.some((value) => typeof value === 'string' && isBlank(value))) return undefined;
  const text = canonicalJson(values.map((value) => value ?? null));
  // 96 bits instead of texts of any length: a run remembers one for each record. Cut before it becomes text, since a
  // slice of a text keeps the whole in memory.
  return hash('sha256', text, 'buffer').subarray(0, KEY_BYTES).toString('base64url');
};

/** What happens to a record that repeats `firstId` under a rule. */
export const duplicateOutcome = (
  { by, action }: DuplicateRule,
  firstId: string,
): { outcome: 'merged' | 'filtered' | 'invalid'; reason: string } => {
  const reason = `same ${by.join(', ')} as record ${firstId}`;
  switch (action) {
    case 'merge':
      return { outcome: 'merged', reason };
    case 'delete':
      return { outcome: 'filtered', reason };
    case 'reject':
      return { outcome: 'invalid', reason };
    default:
      return action satisfies never;
  }
};
