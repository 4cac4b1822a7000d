import { isCompound, isJsonObject, type JsonObject, type JsonValue, stringifyJson } from '../json/json.ts';

/** The same value with spaces taken off both ends of every text (ECMAScript's white space: full-width U+3000 too). */
const trimTexts = (value: JsonValue): JsonValue => {
  if (typeof value === 'string') return value.trim();
  if (Array.isArray(value)) return value.map(trimTexts);
  return isJsonObject(value) ? trimRecord(value) : value;
};

/** `trimTexts` for a record; keys stay as they are. */
export const trimRecord = (record: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, trimTexts(value)]));

/** Missing, null, or a text of nothing but spaces. 0, false and empty lists are values. */
export const isBlank = (value: JsonValue | undefined): boolean =>
  value === undefined || value === null || (typeof value === 'string' && value.trim() === '');

const SHOWN_CHARACTERS = 40;

/** The kind of a value, in words. */
export const kindOf = (value: JsonValue | undefined): string => {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (isJsonObject(value)) return 'an object';
  if (typeof value === 'string') return 'a text';
  return typeof value === 'boolean' ? 'true or false' : 'a number';
};

/** A value as reasons show it: scalars shortened, lists and objects only by their kind. */
export const shown = (value: JsonValue): string => {
  if (isCompound(value)) return kindOf(value);
  const text = stringifyJson(value);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS).toWellFormed()}…` : text;
};
