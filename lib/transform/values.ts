import { isCompound, isJsonObject, type JsonObject, type JsonValue, stringifyJson } from '../json/json.ts';
import { readPath } from '../json/path.ts';

/** The same value with spaces taken off both ends of every text (ECMAScript's white space: full-width U+3000 too). */
const trimTexts = (value: JsonValue): JsonValue => {
  if (typeof value === 'string') return value.trim();
  if (Array.isArray(value)) return value.map(trimTexts);
  return isJsonObject(value) ? trimRecord(value) : value;
};

const isTrimmed = (value: JsonValue): boolean =>
  typeof value === 'string' ? value === value.trim() : !isCompound(value) || Object.values(value).every(isTrimmed);

/** `trimTexts` for a record; keys stay as they are. Most records have nothing to trim, and are not copied. */
export const trimRecord = (record: JsonObject): JsonObject =>
  isTrimmed(record)
    ? record
    : Object.fromEntries(Object.entries(record).map(([key, value]) => [key, trimTexts(value)]));

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

/** DynamoDB allows 1024 bytes of UTF-8 in a sort key; a store may put a prefix before the id. */
const MAX_ID_BYTES = 900;

const wrongKind = (value: JsonValue | undefined): string | undefined => {
  if (value === undefined) return 'is missing';
  if (isBlank(value)) return value === null ? 'is null' : 'is blank';
  if (isCompound(value) || typeof value === 'boolean') return `is ${kindOf(value)}, not a text or a number`;
  // A bigint is exact; a number past 2^53 was written with a point or an exponent and stands for several integers.
  if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) return 'is a number that is not exact';
  return undefined;
};

/**
 * The id of a record as a string: 7 and "7" are one id, 0 is one as well. A record without an id gets a reason. Read as
 * "", it would make every other record without an id its duplicate.
 */
export const identify = (record: JsonObject, path: string): { id: string } | { reason: string } => {
  const value = readPath(record, path);
  const wrong = wrongKind(value);
  if (wrong !== undefined) return { reason: `id: ${path} ${wrong}` };
  const id = String(value);
  if (!id.isWellFormed()) return { reason: `id: ${path} is not well-formed Unicode` };
  return Buffer.byteLength(id) > MAX_ID_BYTES ? { reason: `id: ${path} is longer than ${MAX_ID_BYTES} bytes` } : { id };
};

/** The id in a body as the target gets it, as text; undefined where the body carries none. */
export const targetIdIn = (body: JsonObject, key: string | undefined): string | undefined => {
  const value = key === undefined ? undefined : body[key];
  if (value === undefined || value === null || Array.isArray(value)) return undefined;
  // {"FNUMBER": 1}: two records that become one reference become one.
  return isJsonObject(value) ? stringifyJson(value) : String(value);
};
