import type { ExpandPlan } from '../integration/compile/run-plan.ts';
import { isJsonObject, isNumber, type JsonObject, type JsonValue } from '../json/json.ts';
import { readPath, setPath } from '../json/path.ts';
import { identify, kindOf } from './values.ts';

/** One record that a fetched record stands for, or why it stands for none. */
type Expanded =
  | { record: JsonValue; place: string }
  /** `hasNoId`: nobody can say which records these would be. */
  | { outcome: 'filtered' | 'invalid'; id: string; reason: string; hasNoId?: true };

const idOr = (record: JsonValue, idPath: string, place: string): string => {
  const identity = isJsonObject(record) ? identify(record, idPath) : undefined;
  return identity !== undefined && 'id' in identity ? identity.id : place;
};

const isValue = (value: JsonValue): boolean => typeof value === 'string' || isNumber(value);

/** A row of values under the names of its columns, a lone value under the id. */
const asObject = (
  raw: JsonValue,
  { rows, columns, id: idPath }: ExpandPlan,
): { record: JsonValue } | { reason: string } => {
  if (rows === 'values' && isValue(raw)) return { record: setPath({}, idPath, raw) };
  if (rows !== 'lists' || !Array.isArray(raw)) return { record: raw };
  return raw.length === columns.length
    ? { record: Object.fromEntries(columns.map((name, index) => [name, raw[index] ?? null])) }
    : { reason: `a row of ${raw.length} values for ${columns.length} columns` };
};

type Children =
  | { children: JsonValue[] }
  | { outcome: 'filtered'; reason: string }
  | { outcome: 'invalid'; reason: string; hasNoId: true };

const childrenOf = (record: JsonValue, key: string, operation: string): Children => {
  const found = readPath(record, key);
  if (Array.isArray(found) && found.length > 0) return { children: found };
  if (found === undefined || found === null || Array.isArray(found)) {
    return { outcome: 'filtered', reason: `${operation}: ${key} has no elements` };
  }
  return { outcome: 'invalid', reason: `${operation}: ${key} is ${kindOf(found)}, not a list`, hasNoId: true };
};

const split = (one: Expanded, { arrayKey, id: idPath }: ExpandPlan): Expanded[] => {
  if (arrayKey === undefined || !('record' in one)) return [one];
  const { record, place } = one;
  const found = childrenOf(record, arrayKey, 'splitArray');
  if (!('children' in found)) return [{ ...found, id: idOr(record, idPath, place) }];
  return found.children.map((child, index) => ({
    record: isValue(child) ? setPath({}, idPath, child) : child,
    place: `${place}, ${arrayKey} ${index + 1}`,
  }));
};

/** The parent without its child array, with the fields of one child: `details` → `details_x`. */
const flatten = (parent: JsonObject, key: string, child: JsonValue): JsonObject => {
  const { [key]: _, ...rest } = parent;
  if (!isJsonObject(child)) return { ...rest, [key]: child };
  const own = Object.entries(child).map(([name, value]) => [`${key}_${name}`, value]);
  return { ...rest, ...Object.fromEntries(own) };
};

const beatFlat = (one: Expanded, key: string, { id: idPath, firstSuffix }: ExpandPlan): Expanded[] => {
  if (!('record' in one) || !isJsonObject(one.record)) return [one];
  const { record, place } = one;
  const found = childrenOf(record, key, 'beatFlat');
  if (!('children' in found)) return [{ ...found, id: idOr(record, idPath, place) }];
  const identity = identify(record, idPath);
  return found.children.map((child, index) => {
    const flat = flatten(record, key, child);
    const suffix = `-${firstSuffix + index}`;
    return {
      // A key that is the child's own tells the children apart already.
      record: 'id' in identity ? setPath(flat, idPath, `${identity.id}${suffix}`) : flat,
      place: `${place}, ${key} ${index + 1}`,
    };
  });
};

/**
 * The records that a fetched one stands for: a row of the answer, an element of its array (`splitArray`), or one of its
 * children with the parent's fields (`beatFlat`; several arrays one after the other). At least one for each, so that
 * none is missing in the books. Pure.
 */
export const expand = (raw: JsonValue, place: string, plan: ExpandPlan): Expanded[] => {
  const row = asObject(raw, plan);
  if ('reason' in row) return [{ outcome: 'invalid', id: place, reason: row.reason, hasNoId: true }];
  const parts = split({ record: row.record, place }, plan);
  return plan.beatFlat.reduce<Expanded[]>((flat, key) => flat.flatMap((one) => beatFlat(one, key, plan)), parts);
};
