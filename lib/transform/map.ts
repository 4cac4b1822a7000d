import type { BodyField, BodyPlan, Conversion, DeletionPlan, ValueFrom } from '../integration/compile/body-plan.ts';
import { type Filled, fillTemplate } from '../integration/dialect/fill.ts';
import { applyParser, isTypedBefore } from '../integration/dialect/parsers.ts';
import type { JsonObject, JsonValue } from '../json/json.ts';
import { readPath, setPath } from '../json/path.ts';
import { convert } from './convert.ts';
import { isBlank, kindOf } from './values.ts';

/** A mapped body, or the field that refuses the record and why. */
export type Mapped = { body: JsonObject } | { reason: string };

/** The record that is mapped, and the elements of its lists that the mapping is inside of, innermost first. */
type Within = { record: JsonObject; elements: readonly { list: string; element: JsonValue }[] };

/** The value at a path: inside a list's children `list` and `list.x` mean the element at hand. */
const lookUp = ({ record, elements }: Within, path: string): JsonValue | undefined => {
  const around = elements.find(({ list }) => path === list || path.startsWith(`${list}.`));
  if (around === undefined) return readPath(record, path);
  return path === around.list ? around.element : readPath(around.element, path.slice(around.list.length + 1));
};

const read = (value: ValueFrom, within: Within): Filled => {
  switch (value.from) {
    case 'template':
      return fillTemplate(value.template, ({ name }) => lookUp(within, name));
    case 'paths': {
      const found = value.paths.map((path) => lookUp(within, path));
      return { value: found.find((one) => one !== undefined && one !== null) };
    }
    case 'list': {
      const list = lookUp(within, value.path);
      return { value: Array.isArray(list) ? list : undefined };
    }
    default:
      return value satisfies never;
  }
};

type Result = { value: JsonValue | undefined } | { reason: string };

/** The declared type of a list that a parser made is that of its elements, unless it is `array` itself. */
const convertParsed = (value: JsonValue, conversion: Conversion): { value: JsonValue } | { reason: string } => {
  if (!Array.isArray(value) || conversion.to === 'array' || conversion.to === 'object')
    return convert(value, conversion);
  const items: JsonValue[] = [];
  for (const item of value) {
    const converted = convert(item, conversion);
    if ('reason' in converted) return converted;
    items.push(converted.value);
  }
  return { value: items };
};

const fillValue = (field: Extract<BodyField, { kind: 'value' }>, within: Within): Result => {
  const { path, conversion, parsers, isRequired } = field;
  const named = (reason: string): Result => ({ reason: `${path}: ${reason}` });
  const filled = read(field.value, within);
  if ('reason' in filled) return named(filled.reason);
  const { value } = filled;
  if (isRequired && isBlank(value)) return named(`is required and ${value === undefined ? 'missing' : 'blank'}`);
  if (value === undefined) return filled;
  let made: JsonValue = value;
  let typed = conversion === undefined;
  for (const parser of parsers) {
    if (conversion !== undefined && !typed && isTypedBefore(parser) && conversion.to !== 'object') {
      const converted = convertParsed(made, conversion);
      if ('reason' in converted) return named(converted.reason);
      made = converted.value;
      typed = true;
    }
    const parsed = applyParser(parser, made);
    if ('reason' in parsed) return named(parsed.reason);
    made = parsed.value;
  }
  if (typed || conversion === undefined) return { value: made };
  const converted = parsers.length > 0 ? convertParsed(made, conversion) : convert(made, conversion);
  return 'reason' in converted ? named(converted.reason) : converted;
};

const fillList = (field: Extract<BodyField, { kind: 'list' }>, within: Within): Result => {
  const { path, list, children, isRequired } = field;
  const inner = (around: Within, place: string): Result => {
    const filled = fill(children, around);
    return 'reason' in filled
      ? { reason: filled.reason.replace(`${path}.`, `${path}[${place}].`) }
      : { value: filled.body };
  };
  if (list === undefined) {
    const only = inner(within, '0');
    return 'reason' in only ? only : { value: [only.value ?? {}] };
  }
  const found = lookUp(within, list) ?? [];
  if (!Array.isArray(found)) return { reason: `${path}: ${list} is ${kindOf(found)}, not a list` };
  if (isRequired && found.length === 0) return { reason: `${path}: is required and ${list} is empty` };
  const value: JsonValue[] = [];
  for (const [index, element] of found.entries()) {
    const one = inner({ ...within, elements: [{ list, element }, ...within.elements] }, String(index));
    if ('reason' in one) return one;
    value.push(one.value ?? {});
  }
  return { value };
};

/** One field of the body: its value, nothing, or the reason why the record is refused. */
const fillField = (field: BodyField, within: Within): Result => {
  switch (field.kind) {
    case 'value':
      return fillValue(field, within);
    case 'list':
      return fillList(field, within);
    case 'object': {
      const inner = fill(field.children, within);
      if ('reason' in inner) return inner;
      const isEmpty = Object.keys(inner.body).length === 0;
      return field.isRequired && isEmpty ? { reason: `${field.path}: is required and empty` } : { value: inner.body };
    }
    case 'elements': {
      const inner = fill(field.children, within);
      if ('reason' in inner) return inner;
      // An element without a value keeps its place before those that have one.
      const last = field.children.findLastIndex(({ key }) => Object.hasOwn(inner.body, key));
      const value = field.children.slice(0, last + 1).map(({ key }) => inner.body[key] ?? null);
      return field.isRequired && value.length === 0 ? { reason: `${field.path}: is required and empty` } : { value };
    }
    default:
      return field satisfies never;
  }
};

const fill = (fields: readonly BodyField[], within: Within): Mapped => {
  const entries: [string, JsonValue][] = [];
  for (const field of fields) {
    const filled = fillField(field, within);
    if ('reason' in filled) return filled;
    if (filled.value !== undefined) entries.push([field.key, filled.value]);
  }
  // A key such as __proto__ becomes an own key, not the prototype.
  return { body: Object.fromEntries(entries) };
};

/** Maps a record to the body that a plan describes. Pure. */
export const mapRecord = ({ fields }: Pick<BodyPlan, 'fields'>, record: JsonObject): Mapped =>
  fill(fields, { record, elements: [] });

/** Maps an id to the body of its deletion. Pure. */
export const mapDeletion = (plan: DeletionPlan, id: string): Mapped => mapRecord(plan, setPath({}, plan.id, id));
