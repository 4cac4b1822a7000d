import type { JsonValue } from '../../json/json.ts';
import { defined } from '../../runtime/defined.ts';

/**
 * How a key of a 轻易云 block is read here.
 *
 * - `honoured`: does what it says; `unless` this setting of our own is there, which then decides.
 * - `noted`: describes, and changes nothing (labels, declared responses).
 * - `ignored`: one of our own blocks decides instead, or it is an adapter's own key and the records go out as if it were
 *   not there; said as a warning, with what it would have done.
 * - `refused`: would change which records go where, and is not carried out: a fault, never a silent omission.
 */
export type Reading =
  | { as: 'honoured'; does: string; unless?: string }
  | { as: 'noted' }
  | { as: 'ignored'; would: string; why: string }
  | { as: 'refused'; why: string };

const honoured = (does: string, unless?: string): Reading => ({
  as: 'honoured',
  does,
  ...defined({ unless }),
});
const noted: Reading = { as: 'noted' };
const ignored = (would: string, why: string): Reading => ({ as: 'ignored', would, why });
const refused = (why: string) => ({ as: 'refused', why }) as const satisfies Reading;

const groupCalculate = refused('no groupCalculate: merging records would lose their identity in the books');
const database = refused('no database query: only REST is read and written; offer its rows by an HTTP interface');
const anotherDialect = refused(
  "no such key: it is of the documentation's dialect; paste the block that the platform exports, with request",
);
/** What decides which records go where, in either block, and is not carried out. */
const notCarriedOut = {
  groupCalculate,
  diffActions: refused('no diffActions: comparing with other records decides what is sent; idCheck compares here'),
  diffMode: refused('no diffMode: comparing with other records decides what is sent; idCheck compares here'),
  main_sql: database,
  queryParams: anotherDialect,
  body: anotherDialect,
  responseParser: anotherDialect,
} as const;

const detail = (what: string): string =>
  `no ${what}: it has each record asked for by itself, which is not carried out; read a list that has the whole records`;

/**
 * Fields at the root of `request` and `otherRequest` that are instructions to the platform's adapter, not parameters, and why they
 * are refused. Small letters, without `_` and `-`.
 */
export const instructionFields: ReadonlyMap<string, string> = new Map([
  ...['otherapi', 'otherkey', 'detailkey', 'detailapi'].map((name): [string, string] => [name, detail(name)]),
  ['mainsql', database.why],
]);
const primaryWriteback = ignored(
  "write the target's key back into the source",
  'nothing is written back into a source; read the keys from the target',
);
/** How the platform works through its queue and keeps its own tables. */
const platformKeys = {
  buildModel: ignored('build tables', 'those are tables of the platform itself'),
  asyncTimes: ignored('say how many jobs go at a time', 'rateLimit and concurrency decide'),
  delay: ignored('pause between requests', 'rateLimit and retry decide'),
} as const;

/** An export writes `null`, `""`, `[]` and `{}` for "not used". */
export const isUnused = (value: JsonValue | undefined): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0);

/** The keys of a source block; all others are kept and warned about. */
export const sourceKeys: Readonly<Record<string, Reading>> = {
  api: honoured('path of the request, or a name that source.path or the profile turns into one'),
  method: honoured('GET or POST'),
  effect: honoured('QUERY'),
  type: honoured('QUERY; the older spelling of effect'),
  id: honoured("path of the record's primary key, dotted; compared as text, a record without it is rejected"),
  number: honoured('path of the business code, dotted; may be missing'),
  idCheck: honoured('as in the target block, where that says nothing'),
  request: honoured('parameters: query of a GET, JSON body of a POST'),
  otherRequest: honoured('parameters of the adapter, sent as source.send or the profile says'),
  otherResponse: honoured('statusKey, statusValue, dataKey, pageKey; keys of source.answer go before it'),
  pagination: honoured('page size of {{PAGINATION_PAGE_SIZE}} and {{PAGINATION_START_ROW}}', 'source.paging'),
  condition: honoured('records that do not pass are counted as filtered, with the words of the condition'),
  beatFlat: honoured('one record per element of a child array'),
  operation: honoured('none, or splitArray: one record per element of arrayKey'),
  autoFillResponse: honoured("the answer's fields are learnt; what changes from run to run is a warning"),
  omissionRemedy: ignored('ask again for what came late', 'source.window.overlapMinutes looks back for what came late'),
  condition_bk: ignored('filter nothing on the platform either', 'it is a filter that was laid aside'),
  ...platformKeys,
  response: noted,
  name: noted,
  label: noted,
  describe: noted,
  primaryWriteback,
  ...notCarriedOut,
  formatResponse: ignored(
    'rename fields of the answer and reshape them',
    'fields keep their old names and forms; map them in the target block',
  ),
};

/** The keys of a target block. */
export const targetKeys: Readonly<Record<string, Reading>> = {
  api: honoured('path of the request, or a name that target.path or the profile turns into one'),
  method: honoured('POST, PUT or PATCH'),
  effect: honoured('EXECUTE, WRITE, CREATE or UPDATE'),
  type: honoured('the older spelling of effect'),
  id: honoured('without request: key under which the id is written'),
  number: honoured('without request: key under which the business code is written'),
  name: honoured("without request: key under which the record's name is written"),
  idCheck: honoured('true (the default): an id already loaded is skipped; false: it is overwritten'),
  request: honoured('mapping from the record to the body'),
  otherRequest: honoured('constants beside the records, sent as target.send or the profile says'),
  otherResponse: honoured('statusKey and statusValue: what a success is; keys of target.success go before it'),
  operation: honoured('none, or batchArraySave: rows records in one request, under otherRequest.key or else rowsKey'),
  ...platformKeys,
  autoFillResponse: noted,
  response: noted,
  label: noted,
  describe: noted,
  primaryWriteback,
  ...notCarriedOut,
  condition: refused('no condition: a filter stands in the source block, where what it drops is counted'),
  distributionOrg: ignored(
    'hand the record on to other organisations',
    'handing a record on to organisations takes requests of its own',
  ),
};

/** The keys of an entry of `request`. */
export const fieldKeys: Readonly<Record<string, Reading>> = {
  field: honoured('name of the parameter, or of the field of the body'),
  type: honoured('string, int, number, float, boolean, object, array, datetime'),
  value: honoured('a constant, a template or _function arithmetic'),
  is_required: honoured('target: a record without a value is rejected; source: a warning'),
  children: honoured('fields of an object; of each element, under an array'),
  parser: honoured('StringToArray, ArrayToString, ConvertObjectParser'),
  label: noted,
  describe: noted,
  parent: noted,
  id: noted,
  display: noted,
  enableDisplay: noted,
  formModel: noted,
  tableModel: noted,
  physicalModel: noted,
  mapping: ignored('translate the value', 'the value goes out untranslated'),
  default: ignored('stand in for a missing value', 'a missing value stays missing'),
  valueFormat: ignored('reshape the value', 'the value goes out in its old form'),
};
