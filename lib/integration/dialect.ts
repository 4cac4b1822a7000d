/**
 * How a key of a 轻易云 block is read here.
 *
 * - `honoured`: does what it says.
 * - `noted`: describes, and changes nothing (labels, declared responses).
 * - `ignored`: one of our own blocks decides instead; said as a warning.
 * - `refused`: would change which records go where, and is not carried out: a fault, never a silent omission.
 */
export type Reading =
  | { as: 'honoured' }
  | { as: 'noted' }
  | { as: 'ignored'; why: string }
  | { as: 'refused'; why: string };

const honoured: Reading = { as: 'honoured' };
const noted: Reading = { as: 'noted' };
const ignored = (why: string): Reading => ({ as: 'ignored', why });
const refused = (why: string): Reading => ({ as: 'refused', why });

/** The keys of a source block; all others are kept and warned about. */
export const sourceKeys: Readonly<Record<string, Reading>> = {
  api: honoured,
  method: honoured,
  effect: honoured,
  type: honoured,
  id: honoured,
  number: honoured,
  request: honoured,
  operation: honoured,
  autoFillResponse: noted,
  response: noted,
  name: noted,
  label: noted,
  otherResponse: ignored('source.answer says where records and status are'),
  pagination: ignored('source.paging says how the list is paged'),
  idCheck: ignored('the target block decides it'),
  otherRequest: refused('no otherRequest: adapter-level parameters are not sent yet'),
  condition: refused('no condition: filtering after the fetch is not carried out yet'),
  beatFlat: refused('no beatFlat: flattening of child arrays is not carried out yet'),
};

/** The keys of a target block. */
export const targetKeys: Readonly<Record<string, Reading>> = {
  api: honoured,
  method: honoured,
  effect: honoured,
  type: honoured,
  id: honoured,
  number: honoured,
  name: honoured,
  idCheck: honoured,
  request: honoured,
  operation: honoured,
  autoFillResponse: noted,
  response: noted,
  label: noted,
  otherResponse: ignored('target.success says what a success is'),
  otherRequest: refused('no otherRequest: adapter-level parameters are not sent yet'),
  groupCalculate: refused('no groupCalculate: merging would lose the identity of records'),
};

/** The keys of an entry of `request`. */
export const fieldKeys: Readonly<Record<string, Reading>> = {
  field: honoured,
  type: honoured,
  value: honoured,
  is_required: honoured,
  children: honoured,
  label: noted,
  describe: noted,
  parent: noted,
  parser: refused('no parser: parsers are not carried out yet'),
};

/** Values of `effect` (older: `type`) by side. */
export const effects = {
  source: ['QUERY'],
  target: ['EXECUTE', 'WRITE', 'CREATE', 'UPDATE'],
} as const;

/** Verbs by side: a list is read with GET or POST, a record is written with a body. */
export const methods = { source: ['GET', 'POST'], target: ['POST', 'PUT', 'PATCH'] } as const;

/** Values of `operation.method` by side. */
export const operations = { source: ['none'], target: ['none', 'batchArraySave'] } as const;

/** The declared type of a target field → the type that it is converted to. */
export const fieldTypes: Readonly<Record<string, 'string' | 'integer' | 'number' | 'boolean' | 'object' | 'array'>> = {
  string: 'string',
  int: 'integer',
  integer: 'integer',
  number: 'number',
  float: 'number',
  boolean: 'boolean',
  bool: 'boolean',
  object: 'object',
  array: 'array',
};
