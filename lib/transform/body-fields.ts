import { type Filled, fillTemplate, type Scope } from '../integration/dialect/fill.ts';
import { type FieldParser, readParsers } from '../integration/dialect/parsers.ts';
import { parseTemplate, slotsOf } from '../integration/dialect/template.ts';
import { fieldTypes } from '../integration/dialect/words.ts';
import type { Integration, MetadataField } from '../integration/schema/schema.ts';
import type { JsonObject, JsonValue } from '../json/json.ts';
import { readPath } from '../json/path.ts';
import type { Conversion } from './convert.ts';

/** The record that is mapped, and the elements of its lists that the mapping is inside of, innermost first. */
export type Within = { record: JsonObject; elements: readonly { list: string; element: JsonValue }[] };

type Read = (within: Within) => Filled;

/** A field of a body, ready to be filled. */
export type Field = {
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
export const lookUp = ({ record, elements }: Within, path: string): JsonValue | undefined => {
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
export const fieldsByRole = ({ source, target }: Integration, types: Types): Field[] => {
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

/** Compiles the fields of a `request`; `around` is the path of the field that they are inside of, with its dot. */
export const compileFields = (request: readonly MetadataField[], types: Types, around: string): Field[] =>
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
