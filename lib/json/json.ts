/**
 * Any JSON value. Numbers are exact on their way: an integer past 2^53 is a bigint, what no double holds an
 * `ExactNumber`.
 */
export type JsonValue = null | boolean | number | bigint | ExactNumber | string | JsonValue[] | JsonObject;
export type JsonObject = { [key: string]: JsonValue };

// ECMAScript's "JSON.parse source text access" (in V8 since Node 22); TypeScript's library does not describe it yet.
type ReviverContext = { source?: string };
const { parse, rawJSON } = JSON as unknown as {
  parse(text: string, reviver?: (key: string, value: unknown, context: ReviverContext) => unknown): JsonValue;
  rawJSON(text: string): unknown;
};

// A double holds every number of 15 digits within a hundred powers of ten (IEEE 754): a text without longer ones, outside
// its strings, needs no reviver, which is some ten times slower.
const MAY_HOLD_LONG_NUMBER = /(?:^|[:[,\s])-?\d(?:[\d.]{15}|[\d.]*[eE][+-]?\d{3})/;

const exactNumbers = (_key: string, value: unknown, { source }: ReviverContext): unknown =>
  typeof value === 'number' && source !== undefined ? exactNumber(source, value) : value;

/**
 * `work`, or `onceCut` where it runs out of stack: a value that deep is cut far below every depth that is accepted
 * anywhere, so that whoever meets it can still refuse it by name.
 */
const unlessTooDeep = <T>(work: () => T, onceCut: () => T): T => {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) return onceCut();
    throw error;
  }
};

/** Parses JSON text; numbers are exact. Throws SyntaxError where the text is not JSON. */
export const parseJson = (text: string): JsonValue =>
  MAY_HOLD_LONG_NUMBER.test(text)
    ? unlessTooDeep(
        () => parse(text, exactNumbers),
        () => parse(cutText(text), exactNumbers),
      )
    : parse(text);

/** As `parseJson`; undefined where the text is not JSON. */
export const parsedOrUndefined = (text: string): JsonValue | undefined => {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
};

const holdsBigint = (value: JsonValue): boolean =>
  typeof value === 'bigint' || (isCompound(value) && Object.values(value).some(holdsBigint));

const rawBigint = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? rawJSON(value.toString()) : value;

// A replacer makes `JSON.stringify` half as slow again: only a value that needs it gets one.
const stringify = (value: JsonValue, indent: number | undefined): string =>
  JSON.stringify(value, holdsBigint(value) ? rawBigint : undefined, indent);

/** Serializes to JSON text; a bigint is written as the plain integer that it is, an `ExactNumber` as its digits. */
export const stringifyJson = (value: JsonValue, indent?: number): string =>
  unlessTooDeep(
    () => stringify(value, indent),
    () => stringify(cutValue(value), indent),
  );

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
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);

/** A list or an object. */
export const isCompound = (value: JsonValue | undefined): value is JsonValue[] | JsonObject =>
  Array.isArray(value) || isJsonObject(value);

/** A number of any size, as the file or the answer says it. */
export const isNumber = (value: JsonValue | undefined): value is number | bigint | ExactNumber =>
  typeof value === 'number' || typeof value === 'bigint' || value instanceof ExactNumber;

/** Whether a value is nested more than `levels` deep: whoever walks it whole would run out of stack. */
export const isNestedDeeperThan = (value: JsonValue, levels: number): boolean =>
  isCompound(value) && (levels === 0 || Object.values(value).some((inner) => isNestedDeeperThan(inner, levels - 1)));

/** Deeper than anything that is accepted, and shallow enough for every function that walks a value whole. */
const MAX_LEVELS = 1_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** Where the string that begins at `at` ends. */
const endOfString = (text: string, at: number): number => {
  for (let index = at + 1; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === BACKSLASH) index += 1;
    else if (code === QUOTE) return index;
  }
  return text.length;
};

/** JSON text with null in place of every list and object below a thousand levels. One walk, without recursion. */
const cutText = (text: string): string => {
  const kept: string[] = [];
  let level = 0;
  let from = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) {
      index = endOfString(text, index);
    } else if (OPENING.has(code)) {
      level += 1;
      if (level === MAX_LEVELS + 1) kept.push(text.slice(from, index), 'null');
    } else if (CLOSING.has(code)) {
      if (level === MAX_LEVELS + 1) from = index + 1;
      level -= 1;
    }
  }
  // What is cut and never closed is no JSON, and stays none.
  return level > MAX_LEVELS ? kept.join('') : kept.join('') + text.slice(from);
};

/** A copy with null in place of every list and object below a thousand levels. */
const cutValue = (value: JsonValue, levels = MAX_LEVELS): JsonValue => {
  if (Array.isArray(value)) return levels === 0 ? null : value.map((inner) => cutValue(inner, levels - 1));
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value;
  if (levels === 0) return null;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, cutValue(inner, levels - 1)]));
};

/**
 * A number that no double holds: with more digits, or larger or smaller than any. It travels as its text, in one form
 * for each value, and means nothing to arithmetic.
 */
export class ExactNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }

  /** In JSON the number itself. */
  toJSON(): unknown {
    return rawJSON(this.text);
  }
}

/** ± digits × 10^exponent; digits begin and end with none of 0, and are empty for 0. */
type Decimal = { sign: string; digits: string; exponent: number };

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

const decimalOf = (text: string): Decimal | undefined => {
  const [, sign = '', whole = '', fraction = '', power = '0'] = NUMBER.exec(text) ?? [];
  const all = `${whole}${fraction}`;
  let [from, to] = [0, all.length];
  while (from < to && all[from] === '0') from += 1;
  while (to > from && all[to - 1] === '0') to -= 1;
  if (from === to) return { sign: '', digits: '', exponent: 0 };
  const exponent = Number(power) - fraction.length + all.length - to;
  return Number.isSafeInteger(exponent) ? { sign, digits: all.slice(from, to), exponent } : undefined;
};

const isSame = (a: Decimal, b: Decimal | undefined): boolean =>
  a.sign === b?.sign && a.digits === b.digits && a.exponent === b.exponent;

/** Every decimal of so many digits comes back from a double as it was. */
const DIGITS_HELD = 15;

/**
 * Servers write doubles with 17 digits: PHP's 19.899999999999999 is the double 19.9, and nothing else was meant. Not so
 * 12345678.123456789: its double has no short text, and might as well be a decimal of that many digits.
 */
const isIn17Digits = (said: Decimal, value: number): boolean =>
  (decimalOf(String(value))?.digits.length ?? Infinity) <= DIGITS_HELD &&
  isSame(said, decimalOf(value.toPrecision(17)));

/** Zeros behind the point, before the first digit, that are written out. */
const MAX_LEADING_ZEROS = 30;

const textOf = ({ sign, digits, exponent }: Decimal): string => {
  const point = digits.length + exponent;
  if (exponent < 0 && point > 0) return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
  if (exponent < 0 && point > -MAX_LEADING_ZEROS) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
  return `${sign}${digits[0]}${fraction}e${point - 1}`;
};

/** Longer integers are kept as text: the time to read and write a bigint grows faster than its digits. */
const MAX_BIGINT_CHARACTERS = 10_000;

const INTEGER = /^-?\d+$/;
const WITHOUT_POWER = /^[^eE]*$/;

/**
 * The number that a JSON number says, exactly: a double where the shortest text of it is the same number, an integer
 * past 2^53 as a bigint (up to 10,000 digits), all else as `ExactNumber`. Zeros at the end never count. `value`: what JSON.parse makes of it.
 */
export const exactNumber = (source: string, value: number): number | bigint | ExactNumber => {
  if (INTEGER.test(source) && source.length <= MAX_BIGINT_CHARACTERS) {
    return Number.isSafeInteger(value) ? value : BigInt(source);
  }
  const said = decimalOf(source);
  if (said === undefined) return new ExactNumber(source.toLowerCase());
  const isHeld =
    Number.isFinite(value) &&
    (isSame(said, decimalOf(String(value))) || (said.exponent < 0 && isIn17Digits(said, value)));
  const isInteger = said.exponent >= 0 && Number.isFinite(value);
  if (isInteger && !Number.isSafeInteger(value) && (!isHeld || WITHOUT_POWER.test(source))) {
    return BigInt(`${said.sign}${said.digits}${'0'.repeat(said.exponent)}`);
  }
  return isHeld ? value : new ExactNumber(textOf(said));
};
