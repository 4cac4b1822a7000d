// ECMAScript's "JSON.parse source text access" (in V8 since Node 22); TypeScript's library does not describe it yet.
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

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
