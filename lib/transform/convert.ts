import type { Conversion } from '../integration/compile/body-plan.ts';
import { instantMs } from '../integration/dialect/instant.ts';
import { plainDigits } from '../integration/dialect/plain-digits.ts';
import {
  ExactNumber,
  exactNumber,
  isCompound,
  isJsonObject,
  isNumber,
  type JsonValue,
  stringifyJson,
} from '../json/json.ts';
import { beijingTime } from '../runtime/clock.ts';
import { shown } from './values.ts';

/** A converted value, or the rule that it does not match. */
export type Converted = { value: JsonValue } | { reason: string };

const DIGITS = /^-?\d+$/;
const DECIMAL = /^-?\d+(?:\.\d+)?$/;

const ZEROS = /^0*$/;

/** Whether a double comes near the number: 1e400 is larger than any, 1e-400 smaller. */
const isHeld = ({ text }: ExactNumber): boolean => Number.isFinite(Number(text)) && Number(text) !== 0;

const booleans = new Map<JsonValue, boolean>([
  [true, true],
  [false, false],
  ['true', true],
  ['false', false],
  [1, true],
  [0, false],
  ['1', true],
  ['0', false],
]);

const refuse = (value: JsonValue, rule: string): Converted => ({ reason: `${shown(value)} is no ${rule}` });

const overflow = (value: JsonValue): Converted => ({ reason: `${shown(value)} is past 2^53 and would not stay exact` });

/** Full-width digits as plain ones, without the spaces around them and without a dot that nothing follows: `１２．` is 12. */
const plainNumber = (value: string): string => plainDigits(value).replace(/^(-?\d+)\.$/, '$1');

const digitsAfter = (value: string, prefix: string | undefined): string | undefined => {
  if (prefix === undefined || !value.startsWith(prefix)) return undefined;
  const rest = value.slice(prefix.length);
  return /^\d+$/.test(rest) ? rest : undefined;
};

const toInteger = (value: JsonValue, prefix: string | undefined): Converted => {
  if (typeof value === 'bigint') return { value };
  if (value instanceof ExactNumber) return isHeld(value) ? refuse(value, 'integer') : overflow(value);
  if (typeof value === 'number') {
    if (!Number.isInteger(value)) return refuse(value, 'integer');
    // Adding 0 turns -0 into 0.
    return Number.isSafeInteger(value) ? { value: value + 0 } : overflow(value);
  }
  const rule = `integer: plain digits${prefix === undefined ? '' : `, or digits after ${JSON.stringify(prefix)}`}`;
  if (typeof value !== 'string') return refuse(value, rule);
  // Plain digits first: under a prefix that is digits itself, "15" stays 15.
  const plain = plainNumber(value);
  const digits = DIGITS.test(plain) ? plain : digitsAfter(value, prefix);
  if (digits === undefined) return refuse(value, rule);
  const number = Number(digits) + 0;
  return Number.isSafeInteger(number) ? { value: number } : overflow(value);
};

const toNumber = (value: JsonValue): Converted => {
  if (value instanceof ExactNumber) return isHeld(value) ? { value } : refuse(value, 'number of double precision');
  if (isNumber(value)) return { value };
  const plain = typeof value === 'string' ? plainNumber(value) : '';
  if (!DECIMAL.test(plain)) return refuse(value, 'number');
  const [whole = '', fraction = ''] = plain.split('.');
  // Zeros at the end never count.
  return ZEROS.test(fraction) ? toInteger(whole, undefined) : { value: exactNumber(plain, Number(plain)) };
};

const toText = (value: JsonValue): Converted => {
  if (typeof value === 'string') return { value };
  return isCompound(value) ? refuse(value, 'text') : { value: stringifyJson(value) };
};

const toBoolean = (value: JsonValue): Converted => {
  const found = booleans.get(value);
  return found === undefined ? refuse(value, 'true or false') : { value: found };
};

const toDateTime = (value: JsonValue): Converted => {
  const ms = instantMs(value);
  const text = ms === undefined ? undefined : beijingTime(ms);
  return text === undefined ? refuse(value, 'time') : { value: text };
};

/**
 * Converts one value; nothing is guessed and nothing rounded.
 *
 * - `integer`: integers pass, big ones exactly; texts of digits; with `prefix`, plain digits after it. Texts past 2^53
 *   are refused.
 * - `number`: numbers pass, all their digits with them, but for what is larger or smaller than any double; texts of
 *   decimals likewise, where they are no integers past 2^53.
 * - Both read full-width digits as plain ones, and ignore spaces around them and a dot at the end.
 * - `datetime`: `YYYY-MM-DD HH:MM:SS` in Beijing time, from Unix seconds or milliseconds or a date (see `instantMs`).
 * - `string`: scalars as JSON writes them. `boolean`: true, false, 1, 0, and texts of these.
 * - null stays null: whether it may is for `is_required` to say.
 */
export const convert = (value: JsonValue, { to, prefix }: Conversion): Converted => {
  if (value === null) return { value };
  switch (to) {
    case 'integer':
      return toInteger(value, prefix);
    case 'number':
      return toNumber(value);
    case 'string':
      return toText(value);
    case 'boolean':
      return toBoolean(value);
    case 'object':
      return isJsonObject(value) ? { value } : refuse(value, 'object');
    case 'array':
      return Array.isArray(value) ? { value } : refuse(value, 'list');
    case 'datetime':
      return toDateTime(value);
    default:
      return to satisfies never;
  }
};
