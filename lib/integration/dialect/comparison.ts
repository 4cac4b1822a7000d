import { isCompound, isNumber, type JsonValue, stringifyJson } from '../../json/json.ts';
import { instantMs } from './instant.ts';
import { plainDigits } from './plain-digits.ts';

/** As what two values are compared: as they are, or as instants (the prefix `timestamp:`). */
export type Comparison = 'value' | 'time';

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d+))?$/;
const WITH_POWER = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/;
/** Numbers of more digits, zeros written as a power among them, are compared as texts: the work grows with the square. */
const MAX_DIGITS = 10_000;

/** Missing, null or the empty text. 0, false and an empty list are values. */
export const isEmpty = (value: JsonValue | undefined): boolean => value === undefined || value === null || value === '';

/** A value as text: texts as they are, everything else as JSON writes it. */
export const compareText = (value: JsonValue | undefined): string => {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : stringifyJson(value);
};

type Decimal = { units: bigint; places: number };

/** A number, or a text of one, without rounding: 812252963824298001 stays apart from 812252963824298000. */
const asDecimal = (value: JsonValue | undefined): Decimal | undefined => {
  const match =
    typeof value === 'string'
      ? DECIMAL.exec(plainDigits(value))
      : isNumber(value)
        ? WITH_POWER.exec(String(value))
        : null;
  const [, sign = '', whole = '0', fraction = '', power = '0'] = match ?? [];
  if (match === null || whole.length + fraction.length + Math.abs(Number(power)) > MAX_DIGITS) return undefined;
  const units = BigInt(`${whole}${fraction}`) * 10n ** BigInt(Math.max(0, Number(power)));
  return { units: sign === '-' ? -units : units, places: fraction.length - Math.min(0, Number(power)) };
};

const order = <T extends bigint | number | string>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);

const compareDecimals = (a: Decimal, b: Decimal): number => {
  const places = Math.max(a.places, b.places);
  const scaled = ({ units, places: own }: Decimal): bigint => units * 10n ** BigInt(places - own);
  return order(scaled(a), scaled(b));
};

/**
 * Negative, 0 or positive, as `sort` has it; undefined where the two cannot be compared (nothing, lists, objects).
 *
 * As `time` by the instants that they name; as `value` as numbers, exactly, where both are numbers or texts of them,
 * else as texts.
 */
export const compareValues = (
  found: JsonValue | undefined,
  wanted: JsonValue | undefined,
  how: Comparison,
): number | undefined => {
  if (isEmpty(found) || isEmpty(wanted)) return undefined;
  if (how === 'time') {
    const [a, b] = [instantMs(found), instantMs(wanted)];
    return a === undefined || b === undefined ? undefined : order(a, b);
  }
  if (isCompound(found) || isCompound(wanted)) return undefined;
  const [a, b] = [compareText(found), compareText(wanted)];
  if (a === b) return 0;
  const [x, y] = [asDecimal(found), asDecimal(wanted)];
  return x === undefined || y === undefined ? order(a, b) : compareDecimals(x, y);
};

/** Whether two values are equal: two texts as texts, since the codes "01" and "1" differ, all else as compared. */
export const isSame = (found: JsonValue | undefined, wanted: JsonValue, how: Comparison): boolean => {
  if (isEmpty(found) || isEmpty(wanted)) return isEmpty(found) && isEmpty(wanted);
  if (how === 'value' && typeof found === 'string' && typeof wanted === 'string') return found === wanted;
  return compareValues(found, wanted, how) === 0;
};

/**
 * `abc` stands anywhere; with `%` in it the whole text is meant, as in SQL. Case counts. Each piece is taken where it
 * stands first, so the text is walked once: a regular expression would try all the ways in which the pieces may stand.
 */
export const isLike = (text: string, wanted: string): boolean => {
  const [start = '', ...rest] = wanted.split('%');
  const end = rest.pop();
  if (end === undefined) return text.includes(wanted);
  if (!text.startsWith(start)) return false;
  let at = start.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return text.length - end.length >= at && text.endsWith(end);
};
