import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';

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
