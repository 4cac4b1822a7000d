import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { readPath } from '../../json/path.ts';
import { type Finding, fault } from '../check/shape.ts';
import { constantOf, isUnset, type RequestField, type Trees } from '../dialect/request-fields.ts';
import { COLUMNS_FIELD } from '../dialect/words.ts';
import type { Profile } from './profile.ts';

/** What the block of a family lacks: the fields without which its API answers nothing. Pure. */
export const needFindings = (
  side: 'source' | 'target',
  profile: Profile['source'] | Profile['target'],
  { request, otherRequest }: Trees,
): Finding[] =>
  Object.entries(profile?.needs ?? {}).flatMap(([name, what]): Finding[] =>
    [...request, ...otherRequest].some((field) => field.name === name && !isUnset(field))
      ? []
      : [fault([side, 'metadata', 'otherRequest'], `{"field": "${name}", "value": …}: ${what}`)],
  );

const plain = (name: string): string => name.toLowerCase().replace(/[-_.]/g, '');

/** A field whose value is its own name is a column that is asked for, not a parameter. */
const isColumn = (field: RequestField): boolean => {
  const value = constantOf(field);
  return typeof value === 'string' && value !== '' && plain(value).startsWith(plain(field.name));
};

const columnsField = (fields: readonly RequestField[]): RequestField | undefined =>
  fields.find(({ name }) => name === COLUMNS_FIELD);

/** Whether the fields of the request are parameters, since FieldKeys, there or in otherRequest, names the columns. */
const areParameters = ({ request, otherRequest }: Trees): boolean => {
  const beside = columnsField(otherRequest);
  return columnsField(request) !== undefined || (beside !== undefined && !isUnset(beside) && !request.some(isColumn));
};

/**
 * How a profile sends a request that names its columns itself: field by field, beside them, instead of as the names of
 * its fields. Pure.
 */
export const besideColumns = (send: JsonObject | undefined, trees: Trees): JsonObject | undefined => {
  const own = send?.request;
  if (!isJsonObject(own) || own.as !== 'names' || typeof own.under !== 'string') return send;
  const steps = own.under.split('.');
  const isNamed = steps.at(-1) === COLUMNS_FIELD && areParameters(trees);
  const under = steps.slice(0, -1).join('.');
  return isNamed ? { ...send, request: under === '' ? {} : { under } } : send;
};

const WANTED = 'the columns that are wanted: "FID,FNumber"';

/**
 * 金蝶's query takes the names of its columns in one text: a request that lists them must not go out field by field, and
 * one that names them in FieldKeys is no list of columns. Pure.
 */
export const billQueryFindings = (source: JsonObject, trees: Trees): Finding[] => {
  const api = readPath(source, 'metadata.api');
  if (typeof api !== 'string' || !/(?:^|[./])executebillquery(?:$|\.)/i.test(api)) return [];
  const { request } = trees;
  const send: JsonValue | undefined = readPath(source, 'send.request');
  const areNames = isJsonObject(send) && send.as === 'names';
  const keys = columnsField(request);
  if (areNames && keys !== undefined) {
    return [
      fault(
        ['source', 'metadata', 'request', ...keys.at],
        'the columns as fields of request, one each, since source.send sends their names as FieldKeys; the other parameters belong into otherRequest',
      ),
    ];
  }
  if (keys !== undefined && isUnset(keys)) {
    return [fault(['source', 'metadata', 'request', ...keys.at, 'value'], WANTED)];
  }
  if (areParameters(trees)) return [];
  // What the paginator fills is a parameter: sent as the name of a column, nothing of it would be meant.
  const parameter = request.find(({ template }) => template.kind !== 'constant');
  if (areNames && (request.length === 0 || parameter !== undefined)) {
    return [
      fault(['source', 'metadata', 'request'], `a field FieldKeys with ${WANTED}, or one field for each of them`),
    ];
  }
  return !areNames && request.some(isColumn)
    ? [
        fault(
          ['source', 'profile'],
          '"kingdee", since request lists the columns that are wanted; or source.send.request {"as": "names", "under": …} of your own',
        ),
      ]
    : [];
};

/** 宜搭 takes a record as one JSON text under formDataJson: sent as fields of the body it would be an empty form. Pure. */
export const formTextFindings = (target: JsonObject, request: readonly RequestField[]): Finding[] => {
  const api = readPath(target, 'metadata.api');
  const isForm = typeof api === 'string' && /\/yida\/forms\/instances$/.test(api);
  return isForm && !request.some(({ name }) => name === 'formDataJson')
    ? [
        fault(
          ['target', 'metadata', 'api'],
          'another API: 宜搭 takes the record as one JSON text under formDataJson, which is not carried out; write that field yourself, or send by an interface of your own',
        ),
      ]
    : [];
};
