import { isCompound, isJsonObject, type JsonValue, stringifyJson } from '../json/json.ts';

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
