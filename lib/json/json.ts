/** Any JSON value. An integer past 2^53 is a bigint, so that no id is rounded on its way. */
export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | JsonObject;
export type JsonObject = { [key: string]: JsonValue };

// ECMAScript's "JSON.parse source text access" (in V8 since Node 22); TypeScript's library does not describe it yet.
type ReviverContext = { source?: string };
const { parse, rawJSON } = JSON as unknown as {
  parse(text: string, reviver?: (key: string, value: unknown, context: ReviverContext) => unknown): JsonValue;
  rawJSON(text: string): unknown;
};

// 2^53 has 16 digits: a text without so long a run of digits needs no reviver, which is some ten times slower.
const MAY_HOLD_BIG_INTEGER = /\d{16}/;
const INTEGER = /^-?\d+$/;

const exactIntegers = (_key: string, value: unknown, { source }: ReviverContext): unknown =>
  typeof value === 'number' && !Number.isSafeInteger(value) && source !== undefined && INTEGER.test(source)
    ? BigInt(source)
    : value;

/** Parses JSON text; integers past 2^53 become bigint. Throws SyntaxError where the text is not JSON. */
export const parseJson = (text: string): JsonValue =>
  MAY_HOLD_BIG_INTEGER.test(text) ? parse(text, exactIntegers) : parse(text);

/** As `parseJson`; undefined where the text is not JSON. */
export const parsedOrUndefined = (text: string): JsonValue | undefined => {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
};

const rawBigint = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? rawJSON(value.toString()) : value;

/** Serializes to JSON text; a bigint is written as the plain integer that it is. */
export const stringifyJson = (value: JsonValue, indent?: number): string => JSON.stringify(value, rawBigint, indent);

/** The same value with every object's keys in one order (integer-like keys first, as objects have it, then by code unit). */
const sortKeys = (value: JsonValue): JsonValue => {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sortKeys(value[key] as JsonValue)]),
  );
};

/** Canonical JSON text, independent of the order of keys. */
export const canonicalJson = (value: JsonValue): string => stringifyJson(sortKeys(value));

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether a value is nested more than `levels` deep: whoever walks it whole would run out of stack. */
export const isNestedDeeperThan = (value: JsonValue, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((inner) => isNestedDeeperThan(inner, levels - 1)));
