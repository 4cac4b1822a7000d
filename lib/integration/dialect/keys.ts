import type { JsonValue } from '../../json/json.ts';
import { defined } from '../../runtime/defined.ts';

/**
 * How a key of a 轻易云 block is read here.
 *
 * - `honoured`: does what it says; `unless` this setting of our own is there, which then decides.
 * - `noted`: describes, and changes nothing (labels, declared responses).
 * - `ignored`: one of our own blocks decides instead, or it is an adapter's own key and the records go out as if it were
 *   not there; said as a warning.
 * - `refused`: would change which records go where, and is not carried out: a fault, never a silent omission.
 */
export type Reading =
  | { as: 'honoured'; does: string; unless?: string }
  | { as: 'noted' }
  | { as: 'ignored'; why: string }
  | { as: 'refused'; why: string };

const honoured = (does: string, unless?: string): Reading => ({
  as: 'honoured',
  does,
  ...defined({ unless }),
});
const noted: Reading = { as: 'noted' };
const ignored = (why: string): Reading => ({ as: 'ignored', why });
const refused = (why: string): Reading => ({ as: 'refused', why });

const groupCalculate = refused('no groupCalculate: merging records would lose their identity in the books');
/** How the platform works through its queue and keeps its own tables. */
const platformKeys = {
  buildModel: ignored('tables of the platform itself'),
  asyncTimes: ignored('rateLimit and concurrency decide'),
  delay: ignored('rateLimit and retry decide'),
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
  omissionRemedy: ignored('source.window.overlapMinutes looks back for what came late'),
  condition_bk: ignored('a filter that was laid aside'),
  ...platformKeys,
  response: noted,
  name: noted,
  label: noted,
  describe: noted,
  groupCalculate,
  formatResponse: ignored('fields keep their old names and forms; map them in the target block'),
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
  operation: honoured('none, or batchArraySave: rows records in one request, under rowsKey'),
  ...platformKeys,
  autoFillResponse: noted,
  response: noted,
  label: noted,
  describe: noted,
  groupCalculate,
  condition: refused('no condition: a filter stands in the source block, where what it drops is counted'),
  distributionOrg: ignored('handing a record on to organisations takes requests of its own'),
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
  mapping: ignored('the value goes out untranslated'),
  default: ignored('a missing value stays missing'),
  valueFormat: ignored('the value goes out in its old form'),
};
