import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { readPath, setPath } from '../../json/path.ts';
import { type Condition, type ConditionItem, holdsFor } from './condition.ts';

/** What a condition makes of a record: the record (without children that failed), or the words of what did not hold. */
export type Judged = { record: JsonObject } | { reason: string };

/** The child array that a path leads into: its own path, and what comes after. */
const childArray = (record: JsonObject, path: string): { list: string; rest: string } | undefined => {
  const steps = path.split('.');
  for (let length = 1; length < steps.length; length += 1) {
    const list = steps.slice(0, length).join('.');
    if (Array.isArray(readPath(record, list)) && !/^\d+$/.test(steps[length] ?? '')) {
      return { list, rest: steps.slice(length).join('.') };
    }
  }
  return undefined;
};

const testChild = (item: ConditionItem, child: JsonValue, rest: string): boolean => {
  if (isJsonObject(child)) {
    const nested = childArray(child, rest);
    if (nested !== undefined) {
      const list = readPath(child, nested.list);
      return Array.isArray(list) && list.every((inner) => testChild(item, inner, nested.rest));
    }
  }
  return holdsFor(item, readPath(child, rest));
};

/** The item that a record as a whole fails; children that only fail for themselves do not count. */
const failing = (group: readonly ConditionItem[], record: JsonObject): ConditionItem | undefined =>
  group.find((item) => {
    const inside = childArray(record, item.field);
    if (inside === undefined) return !holdsFor(item, readPath(record, item.field));
    const children = readPath(record, inside.list);
    return item.strict && Array.isArray(children) && !children.every((child) => testChild(item, child, inside.rest));
  });

/** The record without the children that hold under none of these alternatives. */
const withoutChildren = (groups: readonly (readonly ConditionItem[])[], record: JsonObject): JsonObject => {
  const lists = new Set(groups.flatMap((group) => group.flatMap(({ field }) => childArray(record, field)?.list ?? [])));
  let kept = record;
  for (const list of lists) {
    const children = readPath(record, list);
    if (!Array.isArray(children)) continue;
    const left = children.filter((child) =>
      groups.some((group) =>
        group.every((item) => {
          const inside = childArray(record, item.field);
          return inside?.list !== list || testChild(item, child, inside.rest);
        }),
      ),
    );
    if (left.length < children.length) kept = setPath(kept, list, left);
  }
  return kept;
};

/**
 * Holds a record against a condition: it passes when all items of one alternative hold. A field of a child array
 * (`details.qty`) holds for each child: with `strictMode` one that fails drops the record, without only itself. Pure.
 */
export const judge = (condition: Condition, record: JsonObject): Judged => {
  if (condition.length === 0) return { record };
  const failed = condition.map((group) => failing(group, record));
  const passing = condition.filter((_, index) => failed[index] === undefined);
  if (passing.length > 0) return { record: withoutChildren(passing, record) };
  const words = failed.flatMap((item) => (item === undefined ? [] : [item.words]));
  return { reason: `condition: does not hold: ${words.join(' or ')}`.slice(0, 300) };
};
