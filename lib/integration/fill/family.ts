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
  block: JsonObject,
): Finding[] => {
  const params = readPath(block, 'connection.auth.params');
  const isParam = (name: string) => Array.isArray(params) && params.some((one) => readPath(one, 'name') === name);
  const isThere = (name: string) =>
    isParam(name) || [...request, ...otherRequest].some((field) => field.name === name && !isUnset(field));
  const lacking = Object.entries(profile?.needs ?? {}).filter(([name]) => !isThere(name));
  const words = lacking.map(([name, what]) => `{"field": "${name}", "value": …}: ${what}`);
  return words.length === 0 ? [] : [fault([side, 'metadata', 'otherRequest'], words.join('; '))];
};

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

/** An API whose requests have a form of their own: what has to be said of it. */
type Form = Pick<NonNullable<Profile['target']>, 'needs'> & {
  api: RegExp;
  isSaid: (send: JsonObject, names: ReadonlySet<string>) => boolean;
  expected: string;
};

const hasList = ({ list }: JsonObject): boolean => typeof list === 'string';

/** Sent as fields of the body, a record would be an empty form at 宜搭, and no record at 聚水潭. */
const forms: readonly Form[] = [
  {
    api: /\/yida\/forms\/instances$/,
    isSaid: ({ as, text }, names) => as === 'text' || text !== undefined || names.has('formDataJson'),
    expected: '{"text": "formDataJson"}: 宜搭 takes a record as one JSON text',
    needs: {
      appType: 'the application of 宜搭',
      systemToken: 'its key, by reference in connection.auth.params',
      formUuid: 'the form that is written',
    },
  },
  {
    api: /^\/open\/jushuitan\//,
    isSaid: hasList,
    expected:
      'the key of the records, such as {"list": "items"}: 聚水潭 takes them as a list. It also wants a signed form: target.send.body "form", target.send.request.text "biz", and connection.auth with params and sign',
  },
];

/** What is to say of the form in which the API of a target takes records. Pure. */
export const formFindings = (target: JsonObject, trees: Trees): Finding[] => {
  const api = readPath(target, 'metadata.api');
  const form = typeof api === 'string' ? forms.find((one) => one.api.test(api)) : undefined;
  if (form === undefined) return [];
  const send: JsonValue | undefined = readPath(target, 'send.request');
  const isSaid = form.isSaid(isJsonObject(send) ? send : {}, new Set(trees.request.map(({ name }) => name)));
  return [
    ...(isSaid ? [] : [fault(['target', 'send', 'request'], form.expected)]),
    ...needFindings('target', form, trees, target),
  ];
};

/** APIs that give one record, by its id: the platform's adapter asks another one for the ids before. */
const SINGLE = /(?:^|\/)(?:topapi\/processinstance\/get|oa\/getapprovaldetail)$/;

/** A list is read, not one record after the other. Pure. */
export const singleFindings = (source: JsonObject): Finding[] => {
  const api = readPath(source, 'metadata.api');
  return typeof api === 'string' && SINGLE.test(api)
    ? [
        fault(
          ['source', 'metadata', 'api'],
          'an API that gives a list of whole records: this one gives a single record by its id, and asking for each by itself is not carried out',
        ),
      ]
    : [];
};
