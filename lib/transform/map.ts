import { fieldTypes } from '../integration/dialect.ts';
import { readPath } from '../integration/path.ts';
import type { Integration, MetadataField } from '../integration/schema.ts';
import { parseTemplate, type Template } from '../integration/template.ts';
import { isJsonObject, type JsonObject, type JsonValue, stringifyJson } from '../json/json.ts';
import { isBlank } from './clean.ts';
import { type Conversion, convert } from './convert.ts';

/** A mapped body, or the field that refuses the record and why. */
export type Mapped = { body: JsonObject } | { reason: string };

export type Mapping = {
  map(record: JsonObject): Mapped;
  /** The id as the target gets it, as text; undefined where the body carries none. */
  targetId(body: JsonObject): string | undefined;
};

type Read = (record: JsonObject) => JsonValue | undefined;

type Field = {
  key: string;
  /** Path in the body, for reasons. */
  path: string;
  required: boolean;
} & ({ read: Read; conversion: Conversion | undefined } | { children: Field[] });

const firstOf =
  (...paths: (string | undefined)[]): Read =>
  (record) =>
    paths
      .map((path) => (path === undefined ? undefined : readPath(record, path)))
      .find((value) => value !== undefined && value !== null);

type Types = Readonly<Record<string, Conversion>>;

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
    key === undefined ? [] : [{ key, path: key, required: false, read, conversion: ownRule(types, key) }],
  );
};

const asText = (value: JsonValue | undefined): string => {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : stringifyJson(value);
};

const readTemplate = (template: Template): Read => {
  switch (template.kind) {
    case 'constant':
      return () => template.value;
    case 'field':
      return (record) => readPath(record, template.path);
    case 'text':
      return (record) =>
        template.parts.map((part) => ('text' in part ? part.text : asText(readPath(record, part.path)))).join('');
    case 'unsupported':
      // The check of the file refuses such templates (lib/integration/metadata-findings.ts).
      throw new TypeError(`template with ${template.why}`);
    default:
      return template satisfies never;
  }
};

/** The value of an array field names its source array without braces. */
const readField = ({ type, value }: MetadataField): Read => {
  if (value === undefined || value === null || value === '') return () => undefined;
  const template = parseTemplate(value as JsonValue);
  return type === 'array' && template.kind === 'constant' && typeof template.value === 'string'
    ? firstOf(template.value)
    : readTemplate(template);
};

const conversionOf = (type: string | null | undefined): Conversion | undefined => {
  const to = typeof type === 'string' ? fieldTypes[type] : undefined;
  return to === undefined ? undefined : { to };
};

const compileFields = (request: readonly MetadataField[], types: Types, around: string): Field[] =>
  request.map((field) => {
    const path = `${around}${field.field}`;
    const shared = { key: field.field, path, required: field.is_required === true };
    const children = field.children ?? [];
    return children.length > 0
      ? { ...shared, children: compileFields(children, types, `${path}.`) }
      : { ...shared, read: readField(field), conversion: ownRule(types, path) ?? conversionOf(field.type) };
  });

/** One field of the body: its value, nothing, or the reason why the record is refused. */
const fillField = (field: Field, record: JsonObject): { value: JsonValue } | { reason: string } | undefined => {
  if ('children' in field) {
    const inner = fill(field.children, record);
    return 'reason' in inner ? inner : { value: inner.body };
  }
  const { path, read, conversion, required } = field;
  const value = read(record);
  if (required && isBlank(value))
    return { reason: `${path}: is required and ${value === undefined ? 'missing' : 'blank'}` };
  if (value === undefined || conversion === undefined) return value === undefined ? undefined : { value };
  const converted = convert(value, conversion);
  return 'reason' in converted ? { reason: `${path}: ${converted.reason}` } : converted;
};

const fill = (fields: readonly Field[], record: JsonObject): Mapped => {
  const entries: [string, JsonValue][] = [];
  for (const field of fields) {
    const filled = fillField(field, record);
    if (filled === undefined) continue;
    if ('reason' in filled) return filled;
    entries.push([field.key, filled.value]);
  }
  // A key such as __proto__ becomes an own key, not the prototype.
  return { body: Object.fromEntries(entries) };
};

/** Which key of the body carries the record's id. */
const targetIdKey = ({ source, target }: Integration): string | undefined => {
  const { id, request = [] } = target.metadata;
  if (request.length === 0) return id;
  const carriers = request.filter(({ value }) => {
    const template = parseTemplate((value ?? null) as JsonValue);
    return template.kind === 'field' && template.path === source.metadata.id;
  });
  return (carriers.find(({ field }) => field === id) ?? carriers[0])?.field;
};

/** Compiles the mapping from source records to target bodies that an integration describes. */
export const compileMapping = (integration: Integration): Mapping => {
  const { request = [] } = integration.target.metadata;
  const { types } = integration.transform;
  const fields = request.length === 0 ? fieldsByRole(integration, types) : compileFields(request, types, '');
  const idKey = targetIdKey(integration);
  return {
    map: (record) => fill(fields, record),
    targetId: (body) => {
      const value = idKey === undefined ? undefined : body[idKey];
      return value === undefined || value === null || isJsonObject(value) || Array.isArray(value)
        ? undefined
        : String(value);
    },
  };
};
