import { isCompound, isJsonObject, type JsonObject, type JsonValue, stringifyJson } from '../../json/json.ts';
import { readPath, setPath } from '../../json/path.ts';
import { type Comparison, compareText, compareValues, isEmpty, isLike, isSame } from './comparison.ts';
import { instantMs } from './instant.ts';
import { parseTemplate } from './template.ts';

/** One item of a `condition`: a field, an operator and what it is held against. */
type ConditionItem = {
  /** Dotted path in the record. */
  field: string;
  logic: ConditionLogic;
  wanted: JsonValue;
  how: Comparison;
  /** A child that fails drops the whole record, not only itself. */
  strict: boolean;
  /** The item as a reason tells it. */
  words: string;
};

/** Alternatives, each of them items that must all hold. None at all: every record passes. */
export type Condition = readonly (readonly ConditionItem[])[];

const TIME_PREFIX = 'timestamp:';

type Operator = {
  /** Whether the operator holds for a value; what is missing is undefined. */
  holds(found: JsonValue | undefined, wanted: JsonValue, how: Comparison): boolean;
  /** What `value` must be, in words; undefined: anything. */
  needs?: (wanted: JsonValue) => string | undefined;
};

const scalarNeeded = (wanted: JsonValue): string | undefined =>
  typeof wanted === 'object' && wanted !== null ? 'a text or a number' : undefined;

const ordered = (test: (order: number) => boolean): Operator => ({
  holds: (found, wanted, how) => {
    const order = compareValues(found, wanted, how);
    return order !== undefined && test(order);
  },
  needs: (wanted) => (isEmpty(wanted) ? 'a text or a number to compare with' : scalarNeeded(wanted)),
});

const bounds = (wanted: JsonValue): JsonValue[] => {
  if (Array.isArray(wanted)) return wanted;
  return typeof wanted === 'string' ? wanted.split(',').map((part) => part.trim()) : [];
};

const isFoundLike = (found: JsonValue | undefined, wanted: JsonValue): boolean =>
  !isEmpty(found) && !isCompound(found) && isLike(compareText(found), compareText(wanted));

/** The operators of `condition`. A missing field is empty: it equals nothing but the empty, and is ordered nowhere. */
const operators = {
  eq: { holds: isSame, needs: scalarNeeded },
  neq: { holds: (found, wanted, how) => !isSame(found, wanted, how), needs: scalarNeeded },
  gt: ordered((order) => order > 0),
  egt: ordered((order) => order >= 0),
  lt: ordered((order) => order < 0),
  elt: ordered((order) => order <= 0),
  like: { holds: isFoundLike, needs: (wanted) => (isEmpty(wanted) ? 'a text to look for' : scalarNeeded(wanted)) },
  notlike: {
    holds: (found, wanted) => !isFoundLike(found, wanted),
    needs: (wanted) => (isEmpty(wanted) ? 'a text to look for' : scalarNeeded(wanted)),
  },
  between: {
    holds: (found, wanted, how) => {
      const [from = null, to = null] = bounds(wanted);
      const low = compareValues(found, from, how);
      const high = compareValues(found, to, how);
      return low !== undefined && high !== undefined && low >= 0 && high <= 0;
    },
    needs: (wanted) => (bounds(wanted).filter((bound) => !isEmpty(bound)).length === 2 ? undefined : '"a,b"'),
  },
  notnull: { holds: (found) => !isEmpty(found) },
  isnull: { holds: (found) => isEmpty(found) },
} as const satisfies Readonly<Record<string, Operator>>;

type ConditionLogic = keyof typeof operators;

/** The operators that are carried out. */
export const conditionLogics = Object.keys(operators) as ConditionLogic[];

const isLogic = (logic: JsonValue | undefined): logic is ConditionLogic =>
  typeof logic === 'string' && Object.hasOwn(operators, logic);

/** A fault in a condition: where, from its root, and what was expected there. */
type ConditionFault = { path: (string | number)[]; expected: string };

const withoutPrefix = (value: JsonValue): { value: JsonValue; isTime: boolean } =>
  typeof value === 'string' && value.startsWith(TIME_PREFIX)
    ? { value: value.slice(TIME_PREFIX.length), isTime: true }
    : { value, isTime: false };

const comparing: ReadonlySet<ConditionLogic> = new Set(['eq', 'neq', 'gt', 'egt', 'lt', 'elt', 'between']);

/** Held against what is no time, a time would hold for no record at all. */
const timeExpected = (logic: ConditionLogic, wanted: JsonValue, isTime: boolean): string | undefined => {
  if (!isTime || isEmpty(wanted) || !comparing.has(logic)) return undefined;
  const times = logic === 'between' ? bounds(wanted) : [wanted];
  return times.every((time) => instantMs(time) !== undefined) ? undefined : 'a time, such as "2026-01-31 08:00:00"';
};

const faultsOfItem = (item: JsonObject): ConditionFault[] => {
  const { field, logic, value = null, strictMode } = item;
  if (typeof field !== 'string' || field === '' || /[{}]/.test(field)) {
    return [{ path: ['field'], expected: 'the path of a field, without braces' }];
  }
  if (!isLogic(logic)) return [{ path: ['logic'], expected: `one of ${conditionLogics.join(', ')}` }];
  if (strictMode !== undefined && strictMode !== null && typeof strictMode !== 'boolean') {
    return [{ path: ['strictMode'], expected: 'true or false' }];
  }
  const { value: wanted, isTime } = withoutPrefix(value);
  if (parseTemplate(wanted).kind !== 'constant' || (typeof wanted === 'string' && wanted.includes('{{'))) {
    return [{ path: ['value'], expected: 'a constant: templates are not carried out in a condition' }];
  }
  const { needs }: Operator = operators[logic];
  const expected = needs?.(wanted) ?? timeExpected(logic, wanted, isTime || field.startsWith(TIME_PREFIX));
  return expected === undefined ? [] : [{ path: ['value'], expected }];
};

/** What is wrong with the form of a condition; empty: `readCondition` reads it. */
export const conditionFaults = (raw: JsonValue | undefined): ConditionFault[] => {
  if (raw === undefined || raw === null || raw === '') return [];
  if (!Array.isArray(raw)) return [{ path: [], expected: 'a list of alternatives, each a list of items' }];
  return raw.flatMap((group, index): ConditionFault[] => {
    if (!Array.isArray(group) || group.length === 0) {
      return [
        { path: [index], expected: 'a list of items {field, logic, value}: the outer list is OR, the inner AND' },
      ];
    }
    return group.flatMap((item, place) => {
      const faults = isJsonObject(item) ? faultsOfItem(item) : [{ path: [], expected: '{field, logic, value}' }];
      return faults.map(({ path, expected }) => ({ path: [index, place, ...path], expected }));
    });
  });
};

const MAX_WORDS_CHARACTERS = 120;

const readItem = (item: JsonValue, beatFlat: readonly string[]): ConditionItem[] => {
  if (!isJsonObject(item) || !isLogic(item.logic)) return [];
  const { logic, value = null, strictMode } = item;
  const written = String(item.field);
  const prefix = written.startsWith(TIME_PREFIX) ? TIME_PREFIX : '';
  const bare = written.slice(prefix.length);
  const list = beatFlat.find((key) => bare.startsWith(`${key}.`));
  const field = list === undefined ? bare : `${list}_${bare.slice(list.length + 1)}`;
  const { value: wanted, isTime } = withoutPrefix(value);
  const words = `${prefix}${field} ${logic}${value === null ? '' : ` ${stringifyJson(value)}`}`;
  return [
    {
      field,
      logic,
      wanted,
      how: isTime || prefix !== '' ? 'time' : 'value',
      strict: strictMode === true,
      words: words.slice(0, MAX_WORDS_CHARACTERS),
    },
  ];
};

/** Reads a condition without faults. `beatFlat`: child arrays whose fields are the record's own by now. */
export const readCondition = (raw: JsonValue | undefined, beatFlat: readonly string[] = []): Condition =>
  Array.isArray(raw)
    ? raw.map((group) => (Array.isArray(group) ? group.flatMap((item) => readItem(item, beatFlat)) : []))
    : [];

/** Whether an item holds for a value of its field. */
const holdsFor = ({ logic, wanted, how }: ConditionItem, found: JsonValue | undefined): boolean => {
  const operator: Operator = operators[logic];
  return operator.holds(found, wanted, how);
};

/** What a condition makes of a record: the record (without children that failed), or the words of what did not hold. */
type Judged = { record: JsonObject } | { reason: string };

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
