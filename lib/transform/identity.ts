import { isCompound, isJsonObject, type JsonObject, type JsonValue, stringifyJson } from '../json/json.ts';
import { readPath } from '../json/path.ts';
import { isBlank, kindOf } from './values.ts';

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
