import { type Expression, Parser } from 'expr-eval-fork';
import { exactNumber, isNumber, type JsonValue } from '../../json/json.ts';
import { plainDigits } from './plain-digits.ts';

/** Arithmetic over numbered operands, checked but not yet calculated. */
export type Formula = { expression: Expression };

/** A calculated value, or why there is none. */
export type Calculated = { value: number } | { reason: string };

/** `round(2.345, 2)`: half away from zero, as people round money. */
const round = (value: number, places = 0): number => {
  // Through the shortest decimal text: 1.005 is 1.005 and not 1.00499…
  const shifted = Math.round(Number(`${Math.abs(value)}e${places}`));
  return Math.sign(value) * Number(`${shifted}e${-places}`);
};

const functions = { round, floor: Math.floor, ceil: Math.ceil, abs: Math.abs, min: Math.min, max: Math.max };

/** The functions that a formula may call. */
export const formulaFunctions: readonly string[] = Object.keys(functions);

const parser = new Parser({
  allowMemberAccess: false,
  operators: { assignment: false, fndef: false, power: false, in: false, concatenate: false, factorial: false },
});
parser.unaryOps = { '-': (value: number) => -value, '+': Number, not: (value: unknown) => !value };
parser.functions = { ...functions };
parser.consts = {};

// No quotes, brackets, dots after names or semicolons: numbers and operators only.
const ARITHMETIC = /^[\w\s.+\-*/%()<>=!?:,]+$/;
const NAME = /[A-Za-z_]\w*/g;
const words: ReadonlySet<string> = new Set(['and', 'or', 'not', ...formulaFunctions]);

/** Exports write these in capitals as well, as SQL has them. */
const SPELT = new RegExp(`\\b(?:${[...formulaFunctions, 'and', 'or', 'not'].join('|')})\\b`, 'gi');

/** The name under which a formula's text refers to its operand `index`. */
export const operandName = (index: number): string => `operand${index}`;

/**
 * Checks arithmetic whose operands are named by `operandName`: `+ - * / %`, comparisons, `?:`, and a few functions. It
 * has no access to anything else. Gives a reason where the text is something else.
 */
export const parseFormula = (written: string, operands: number): Formula | { why: string } => {
  const text = written.replace(SPELT, (name) => name.toLowerCase());
  // The platform calculates as MySQL does, where 2 ^ 3 is 1 (XOR); elsewhere it is 8.
  if (text.includes('^')) return { why: 'the sign ^, which is XOR in SQL and a power elsewhere' };
  const known = new Set(Array.from({ length: operands }, (_, index) => operandName(index)));
  // The mantissa's e in 1e3 is no name.
  const names = text.replace(/\d[\d.]*(?:e[+-]?\d+)?/gi, (number, at: number) =>
    /\w/.test(text[at - 1] ?? '') ? number : ' ',
  );
  const stranger = names.match(NAME)?.find((name) => !known.has(name) && !words.has(name));
  if (stranger !== undefined) {
    return { why: `the name ${stranger} (fields stand in {{}}; functions are ${formulaFunctions.join(', ')})` };
  }
  if (!ARITHMETIC.test(text)) return { why: 'signs that are no arithmetic' };
  const uncalled = formulaFunctions.find((name) => new RegExp(`\\b${name}\\b(?!\\s*\\()`).test(text));
  if (uncalled !== undefined) return { why: `${uncalled} without its brackets` };
  try {
    return { expression: parser.parse(text) };
  } catch {
    return { why: 'what is no arithmetic' };
  }
};

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/;

/** A text with more digits than a double holds is no operand: it would be rounded. */
const asExact = (text: string): JsonValue => {
  const [, sign = '', whole = '', fraction = ''] = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text) ?? [];
  const plain = `${sign === '-' ? '-' : ''}${whole === '' ? '0' : whole}.${fraction}0`;
  return exactNumber(plain, Number(plain));
};

const operandOf = (value: JsonValue | undefined, name: string): { number: number } | { reason: string } => {
  if (value === undefined || value === null || value === '') return { reason: `${name} is missing` };
  if (typeof value === 'boolean') return { number: Number(value) };
  const text = typeof value === 'string' ? plainDigits(value) : undefined;
  if (text !== undefined && !DECIMAL.test(text)) return { reason: `${name} is no number` };
  const number = text === undefined ? value : asExact(text);
  if (typeof number !== 'number') {
    return {
      reason: isNumber(number)
        ? `${name} ${typeof number === 'bigint' ? 'is past 2^53' : 'has too many digits'} and would not stay exact`
        : `${name} is no number`,
    };
  }
  return Number.isInteger(number) && !Number.isSafeInteger(number)
    ? { reason: `${name} is past 2^53 and would not stay exact` }
    : { number };
};

// 15 significant digits are what a double holds for sure: 0.1 + 0.2 is 0.3 again.
const EXACT_DIGITS = 15;

/** Calculates a formula; `operands` in the order of their numbers, each with the name that a reason tells. Pure. */
export const calculate = (
  { expression }: Formula,
  operands: readonly { name: string; value: JsonValue | undefined }[],
): Calculated => {
  const scope: Record<string, number> = {};
  for (const [index, { name, value }] of operands.entries()) {
    const operand = operandOf(value, name);
    if ('reason' in operand) return operand;
    scope[operandName(index)] = operand.number;
  }
  let result: unknown;
  try {
    result = expression.evaluate(scope);
  } catch {
    return { reason: 'cannot be calculated' };
  }
  // As in SQL: the platform knows no other answer of a comparison.
  if (typeof result === 'boolean') return { value: Number(result) };
  if (typeof result !== 'number' || !Number.isFinite(result)) return { reason: 'comes to no number' };
  if (!Number.isInteger(result)) return { value: Number(result.toPrecision(EXACT_DIGITS)) };
  return Number.isSafeInteger(result)
    ? { value: result + 0 }
    : { reason: 'comes to a number past 2^53, which would not be exact' };
};
