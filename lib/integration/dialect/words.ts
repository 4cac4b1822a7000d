import type { JsonValue } from '../../json/json.ts';

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
