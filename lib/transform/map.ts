import { applyParser, isTypedBefore } from '../integration/dialect/parsers.ts';
import { parseTemplate, slotsOf } from '../integration/dialect/template.ts';
import type { Integration } from '../integration/schema/schema.ts';
import { isJsonObject, type JsonObject, type JsonValue, stringifyJson } from '../json/json.ts';
import { compileFields, type Field, fieldsByRole, lookUp, type Within } from './body-fields.ts';
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
      if ('reason' in inner) return inner;
      const isEmpty = Object.keys(inner.body).length === 0;
      return field.required && isEmpty ? { reason: `${field.path}: is required and empty` } : { value: inner.body };
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
