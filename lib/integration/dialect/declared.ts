import type { JsonValue } from '../../json/json.ts';
import { beijingTime, instantMs } from './instant.ts';
import { applyParser, isTypedBefore, readParsers } from './parsers.ts';
import { fieldTypes } from './words.ts';

const INTEGER = /^-?\d+$/;

/** A number as its declared type would be sent in JSON; what is no number stays as written. */
const asNumber = (text: string): JsonValue => {
  if (INTEGER.test(text)) return Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text);
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
};

const asDeclared = (value: JsonValue, type: string | null | undefined): JsonValue => {
  const declared = type && Object.hasOwn(fieldTypes, type) ? fieldTypes[type] : undefined;
  if (declared === 'string' && (typeof value === 'number' || typeof value === 'bigint')) return String(value);
  if (declared === 'datetime') {
    const ms = instantMs(value);
    return (ms === undefined ? undefined : beijingTime(ms)) ?? value;
  }
  if (typeof value !== 'string') return value;
  if (declared === 'integer' || declared === 'number') return asNumber(value);
  if (declared === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
};

/** What the parameter of a request declares of its value. */
type Declared = { type?: string | null; parser?: unknown };

/**
 * A filled value of a parameter as it is sent: its parsers in their order, and the declared type, of each element where
 * it is a list. A reason where a parser cannot read it. Pure.
 */
export const parameterValue = (
  { type, parser }: Declared,
  filled: JsonValue,
): { value: JsonValue } | { reason: string } => {
  let value = filled;
  let isTyped = false;
  const declare = () => {
    value = Array.isArray(value) ? value.map((item) => asDeclared(item, type)) : asDeclared(value, type);
    isTyped = true;
  };
  for (const one of readParsers(parser as JsonValue | undefined) ?? []) {
    if (isTypedBefore(one) && !isTyped) declare();
    const parsed = applyParser(one, value);
    if ('reason' in parsed) return parsed;
    value = parsed.value;
  }
  if (!isTyped) declare();
  return { value };
};
