import { isCompound, isJsonObject, type JsonValue, stringifyJson } from '../../json/json.ts';

/** A parser as `parser` of a field names it. */
export type FieldParser = { name: ParserName; params: string };

type Parsed = { value: JsonValue } | { reason: string };

const isScalar = (value: JsonValue): boolean => !isCompound(value);

/**
 * What each parser makes of a value. Null stays null.
 *
 * - `StringToArray`: a text at its separators, without spaces around the parts; an empty text gives an empty list, a
 *   list stays.
 * - `ArrayToString`: a list of scalars joined by the separator; a scalar stays, as text.
 * - `ConvertObjectParser`: the value under one key, `{"FNUMBER": v}`.
 */
const parsers = {
  StringToArray: (value: JsonValue, separator: string): Parsed => {
    if (Array.isArray(value)) return { value };
    if (!isScalar(value)) return { reason: 'is no text to split' };
    const text = typeof value === 'string' ? value : stringifyJson(value);
    return { value: text.trim() === '' ? [] : text.split(separator).map((part) => part.trim()) };
  },
  ArrayToString: (value: JsonValue, separator: string): Parsed => {
    const items = Array.isArray(value) ? value : [value];
    if (!items.every(isScalar)) return { reason: 'is no list of texts and numbers' };
    const texts = items.map((item) => (typeof item === 'string' ? item : item === null ? '' : stringifyJson(item)));
    return { value: texts.join(separator) };
  },
  ConvertObjectParser: (value: JsonValue, key: string): Parsed => ({ value: { [key]: value } }),
} as const;

export type ParserName = keyof typeof parsers;

/** The parsers that are carried out. */
export const parserNames = Object.keys(parsers) as ParserName[];

const isParserName = (name: string): name is ParserName => Object.hasOwn(parsers, name);

/** Reads `parser` of a field: `{name, params}` or a list of them. Undefined where it is not of that form. */
export const readParsers = (value: JsonValue | undefined): FieldParser[] | undefined => {
  if (value === undefined || value === null || value === '') return [];
  const list = Array.isArray(value) ? value : [value];
  const read = list.flatMap((one): FieldParser[] => {
    if (!isJsonObject(one) || typeof one.name !== 'string' || !isParserName(one.name)) return [];
    // A separator may go without saying, the name of a key may not.
    const params = one.params ?? (one.name === 'ConvertObjectParser' ? undefined : ',');
    return typeof params === 'string' && params !== '' ? [{ name: one.name, params }] : [];
  });
  return read.length === list.length ? read : undefined;
};

/** Whether the declared type of a field is that of the value before its parser: the key of an object comes last. */
export const isTypedBefore = ({ name }: FieldParser): boolean => name === 'ConvertObjectParser';

/** Applies a parser. Pure. */
export const applyParser = ({ name, params }: FieldParser, value: JsonValue): Parsed =>
  value === null ? { value } : parsers[name](value, params);
