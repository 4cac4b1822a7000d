import { exactNumber, isNumber, type JsonObject, type JsonValue } from '../../json/json.ts';
import { beijingTime } from '../../runtime/clock.ts';
import { type Filled, fillTemplate, type Scope } from './fill.ts';
import { instantMs } from './instant.ts';
import { applyParser, isTypedBefore } from './parsers.ts';
import { areElements, inOrder, type RequestField } from './request-fields.ts';
import type { FieldType } from './words.ts';

const INTEGER = /^-?\d+$/;
const DECIMAL = /^-?\d+\.\d+$/;

/** A number as its declared type would be sent in JSON; what is no number stays as written. */
const asNumber = (text: string): JsonValue => {
  if (INTEGER.test(text)) return Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text);
  if (DECIMAL.test(text)) return exactNumber(text, Number(text));
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
};

const asDeclared = (value: JsonValue, type: FieldType | undefined): JsonValue => {
  if (type === 'string' && isNumber(value)) return String(value);
  if (type === 'datetime') {
    const ms = instantMs(value);
    return (ms === undefined ? undefined : beijingTime(ms)) ?? value;
  }
  if (typeof value !== 'string') return value;
  if (type === 'integer' || type === 'number') return asNumber(value);
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
};

/**
 * A filled value of a parameter as it is sent: its parsers in their order, and the declared type, of each element where
 * it is a list. A reason where a parser cannot read it. Pure.
 */
export const parameterValue = (
  { type, parsers }: Pick<RequestField, 'type' | 'parsers'>,
  filled: JsonValue,
): { value: JsonValue } | { reason: string } => {
  let value = filled;
  let isTyped = false;
  const declare = () => {
    value = Array.isArray(value) ? value.map((item) => asDeclared(item, type)) : asDeclared(value, type);
    isTyped = true;
  };
  for (const one of parsers) {
    if (isTypedBefore(one) && !isTyped) declare();
    const parsed = applyParser(one, value);
    if ('reason' in parsed) return parsed;
    value = parsed.value;
  }
  if (!isTyped) declare();
  return { value };
};

const isUnset = (value: JsonValue | undefined): boolean => value === undefined || value === null || value === '';

/**
 * The value of a parameter, its children's as an object, or as a list where they are named as elements. Nothing where it has none: `null`, `""` and an object without
 * members are not sent, 0 and false are. With `keepsEmpty` only an unset value counts as none. A reason, under the
 * name of the field, where a value cannot be calculated or parsed. Pure.
 */
export const fillParameter = (field: RequestField, scope: Scope, keepsEmpty = false): Filled => {
  const { name, type, template, children } = field;
  if (areElements(children)) {
    const elements: JsonValue[] = [];
    for (const child of inOrder(children)) {
      const filled = fillParameter(child, scope, keepsEmpty);
      if ('reason' in filled) return filled;
      if (filled.value !== undefined) elements.push(filled.value);
    }
    return { value: elements.length === 0 && !keepsEmpty ? undefined : elements };
  }
  if (children.length > 0) {
    const inner: JsonObject = {};
    for (const child of children) {
      const filled = fillParameter(child, scope, keepsEmpty);
      if ('reason' in filled) return filled;
      if (filled.value !== undefined) inner[child.name] = filled.value;
    }
    if (!keepsEmpty && Object.keys(inner).length === 0) return { value: undefined };
    return { value: type === 'array' ? [inner] : inner };
  }
  const filled = fillTemplate(template, scope);
  if ('reason' in filled) return { reason: `${name}: ${filled.reason}` };
  if (filled.value === undefined || isUnset(filled.value)) return { value: undefined };
  const sent = parameterValue(field, filled.value);
  if ('reason' in sent) return { reason: `${name}: ${sent.reason}` };
  return { value: isUnset(sent.value) && !keepsEmpty ? undefined : sent.value };
};
