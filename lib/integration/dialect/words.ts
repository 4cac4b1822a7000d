import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';

/** Values of `effect` (older: `type`) by side. */
export const effects = {
  source: ['QUERY'],
  target: ['EXECUTE', 'WRITE', 'CREATE', 'UPDATE'],
} as const;

/** Verbs by side: a list is read with GET or POST, a record is written with a body. */
export const methods = { source: ['GET', 'POST'], target: ['POST', 'PUT', 'PATCH'] } as const;

/** Values of `operation.method` by side. */
export const operations = { source: ['none', 'splitArray'], target: ['none', 'batchArraySave'] } as const;

/** What a declared type comes to. */
export type FieldType = 'string' | 'integer' | 'number' | 'boolean' | 'object' | 'array' | 'datetime';

/** The declared type of a field → the type that it is sent as. */
export const fieldTypes: Readonly<Record<string, FieldType>> = {
  string: 'string',
  text: 'string',
  int: 'integer',
  integer: 'integer',
  long: 'integer',
  number: 'number',
  float: 'number',
  double: 'number',
  decimal: 'number',
  boolean: 'boolean',
  bool: 'boolean',
  object: 'object',
  array: 'array',
  datetime: 'datetime',
};

/** The type that a field's `type` declares; undefined: none that is carried out. */
export const fieldTypeOf = (word: JsonValue | undefined): FieldType | undefined =>
  typeof word === 'string' && Object.hasOwn(fieldTypes, word) ? fieldTypes[word] : undefined;

/** The path of a request: the file's own, else the metadata's `api`, which may be a name. */
export const requestPathOf = ({ path, metadata: { api } }: { path?: string; metadata: { api: string } }): string =>
  path ?? (api.startsWith('/') ? api : `/${api}`);

/** The field in which 金蝶's query names its columns, in one text with commas. */
export const COLUMNS_FIELD = 'FieldKeys';

/** The field of `otherRequest` that names the key under which a batch is sent; the platform sends no such parameter. */
export const WRAPPER_FIELD = 'key';

/**
 * The key that a target block wraps its records in, by its `otherRequest`; undefined: it names none. Without a batch only
 * a family that sends each record in a list has one: elsewhere the field is a parameter. Pure.
 */
export const wrapperIn = ({ operation, otherRequest }: JsonObject, list: JsonValue | undefined): string | undefined => {
  const isBatch = isJsonObject(operation) && operation.method === 'batchArraySave';
  if (!(isBatch || typeof list === 'string') || !Array.isArray(otherRequest)) return undefined;
  const value = otherRequest.filter(isJsonObject).find(({ field }) => field === WRAPPER_FIELD)?.value;
  return typeof value === 'string' && value !== '' ? value : undefined;
};
