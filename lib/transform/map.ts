import { type Filled, fillTemplate, type Scope } from '../dialect/fill.ts';
import { applyParser, type FieldParser, isTypedBefore, readParsers } from '../dialect/parsers.ts';
import { fieldTypes } from '../integration/dialect.ts';
import { readPath } from '../integration/path.ts';
import type { Integration, MetadataField } from '../integration/schema.ts';
import { parseTemplate, slotsOf } from '../integration/template.ts';
import { isJsonObject, type JsonObject, type JsonValue, stringifyJson } from '../json/json.ts';
import { isBlank } from './clean.ts';
import { type Conversion, convert } from './convert.ts';
import { kindOf } from './words.ts';

/** A mapped body, or the field that refuses the record and why. */
export type Mapped = { body: JsonObject } | { reason: string };

export type Mapping = {
  map(record: JsonObject): Mapped;
  /** The id as the target gets it, as text; undefined where the body carries none. */
  targetId(body: JsonObject): string | undefined;
};

/** The record that is mapped, and the elements of its lists that the mapping is inside of, innermost first. */
type Within = { record: JsonObject; elements: readonly { list: string; element: JsonValue }[] };

type Read = (within: Within) => Filled;

type Field = {
  key: string;
  /** Path in the body, for reasons and rules. */
  path: string;
  required: boolean;
} & (
  | { kind: 'value'; read: Read; conversion: Conversion | undefined; parsers: readonly FieldParser[] }
  | { kind: 'object'; children: readonly Field[] }
  /** One element for each element of the list at `list` in the record; without it one for the record itself. */
  | { kind: 'list'; list: string | undefined; children: readonly Field[] }
);

type Types = Readonly<Record<string, Conversion>>;

/** The value at a path: inside a list's children `list` and `list.x` mean the element at hand. */
const lookUp = ({ record, elements }: Within, path: string): JsonValue | undefined => {
  const around = elements.find(({ list }) => path === list || path.startsWith(`${list}.`));
  if (around === undefined) return readPath(record, path);
  return path === around.list ? around.element : readPath(around.element, path.slice(around.list.length + 1));
};

const firstOf =
  (...paths: (string | undefined)[]): Read =>
  (within) => ({
    value: paths
      .map((path) => (path === undefined ? undefined : lookUp(within, path)))
      .find((value) => value !== undefined && value !== null),
  });

const ownRule = (types: Types, path: string): Conversion | undefined =>
  Object.hasOwn(types, path) ? types[path] : undefined;

/** The block without `request`: its `number`, `id` and `name` name the keys that these three are written under. */
const fieldsByRole = ({ source, target }: Integration, types: Types): Field[] => {
  const readings: [string | undefined, Read][] = [
    [target.metadata.number, firstOf('number', source.metadata.number)],
    [target.metadata.id, firstOf(source.metadata.id)],
    [target.metadata.name, firstOf('name')],
  ];
  return readings.flatMap(([key, read]) =>
    key === undefined
      ? []
      : [{ kind: 'value', key, path: key, required: false, read, conversion: ownRule(types, key), parsers: [] }],
  );
};

const addresses = (fields: readonly MetadataField[], list: string): boolean =>
  fields.some(
    ({ value, children }) =>
      slotsOf(parseTemplate((value ?? null) as JsonValue)).some(({ name }) => name.startsWith(`${list}.`)) ||
      addresses(children ?? [], list),
  );

/** The source array of an array field: what its value names (`entries`, `{{entries}}`), else what its children address. */
const listPath = ({ field, value, children }: MetadataField): string | undefined => {
  if (typeof value !== 'string' || value === '') return addresses(children ?? [], field) ? field : undefined;
  const template = parseTemplate(value);
  if (template.kind === 'constant') return value;
  return template.kind === 'slot' && template.slot.of === 'field' && template.slot.pipes.length === 0
    ? template.slot.name
    : undefined;
};

/** An array field without a value is the record's own list of its name, where there is one. */
const ownList =
  (name: string): Read =>
  (within) => {
    const value = lookUp(within, name);
    return { value: Array.isArray(value) ? value : undefined };
  };

const readField = ({ field, type, value }: MetadataField, parsers: readonly FieldParser[]): Read => {
  if (value === undefined || value === null || value === '') {
    return type === 'array' ? ownList(field) : () => ({ value: undefined });
  }
  const template = parseTemplate(value as JsonValue);
  const namesList = type === 'array' && template.kind === 'constant' && typeof template.value === 'string';
  // A constant that is to be split is a text, not the name of an array.
  if (namesList && parsers.length === 0) return firstOf(template.value as string);
  return (within) => {
    const scope: Scope = ({ name }) => lookUp(within, name);
    return fillTemplate(template, scope);
  };
};

const conversionOf = (type: string | null | undefined): Conversion | undefined => {
  const to = typeof type === 'string' && Object.hasOwn(fieldTypes, type) ? fieldTypes[type] : undefined;
  return to === undefined ? undefined : { to };
};

const compileFields = (request: readonly MetadataField[], types: Types, around: string): Field[] =>
  request.map((field): Field => {
    const path = `${around}${field.field}`;
    const shared = { key: field.field, path, required: field.is_required === true };
    const children = field.children ?? [];
    if (children.length > 0) {
      const compiled = compileFields(children, types, `${path}.`);
      return field.type === 'array'
        ? { ...shared, kind: 'list', list: listPath(field), children: compiled }
        : { ...shared, kind: 'object', children: compiled };
    }
    const parsers = readParsers(field.parser as JsonValue | undefined) ?? [];
    const conversion = ownRule(types, path) ?? conversionOf(field.type);
    return { ...shared, kind: 'value', read: readField(field, parsers), conversion, parsers };
  });

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

const fillValue = (field: Extract<Field, { kind: 'value' }>, within: Within): Result => {
  const { path, read, conversion, parsers, required } = field;
  const named = (reason: string): Result => ({ reason: `${path}: ${reason}` });
  const filled = read(within);
  if ('reason' in filled) return named(filled.reason);
  const { value } = filled;
  if (required && isBlank(value)) return named(`is required and ${value === undefined ? 'missing' : 'blank'}`);
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

const fillList = (field: Extract<Field, { kind: 'list' }>, within: Within): Result => {
  const { path, list, children, required } = field;
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
  if (required && found.length === 0) return { reason: `${path}: is required and ${list} is empty` };
  const value: JsonValue[] = [];
  for (const [index, element] of found.entries()) {
    const one = inner({ ...within, elements: [{ list, element }, ...within.elements] }, String(index));
    if ('reason' in one) return one;
    value.push(one.value ?? {});
  }
  return { value };
};

/** One field of the body: its value, nothing, or the reason why the record is refused. */
const fillField = (field: Field, within: Within): Result => {
  switch (field.kind) {
    case 'value':
      return fillValue(field, within);
    case 'list':
      return fillList(field, within);
    case 'object': {
      const inner = fill(field.children, within);
      return 'reason' in inner ? inner : { value: inner.body };
    }
    default:
      return field satisfies never;
  }
};

const fill = (fields: readonly Field[], within: Within): Mapped => {
  const entries: [string, JsonValue][] = [];
  for (const field of fields) {
    const filled = fillField(field, within);
    if ('reason' in filled) return filled;
    if (filled.value !== undefined) entries.push([field.key, filled.value]);
  }
  // A key such as __proto__ becomes an own key, not the prototype.
  return { body: Object.fromEntries(entries) };
};

/** Which key of the body carries the record's id, whatever the mapping makes of it. */
const targetIdKey = ({ source, target }: Integration): string | undefined => {
  const { id, request = [] } = target.metadata;
  if (request.length === 0) return id;
  const carriers = request.filter(({ value }) =>
    slotsOf(parseTemplate((value ?? null) as JsonValue)).some(({ name }) => name === source.metadata.id),
  );
  return (carriers.find(({ field }) => field === id) ?? carriers[0])?.field;
};

/** Compiles the mapping from source records to target bodies that an integration describes. */
export const compileMapping = (integration: Integration): Mapping => {
  const { request = [] } = integration.target.metadata;
  const { types } = integration.transform;
  const fields = request.length === 0 ? fieldsByRole(integration, types) : compileFields(request, types, '');
  const idKey = targetIdKey(integration);
  return {
    map: (record) => fill(fields, { record, elements: [] }),
    targetId: (body) => {
      const value = idKey === undefined ? undefined : body[idKey];
      if (value === undefined || value === null || Array.isArray(value)) return undefined;
      // {"FNUMBER": 1}: two records that become one reference become one.
      return isJsonObject(value) ? stringifyJson(value) : String(value);
    },
  };
};
