import { type Connection, connectionFor } from '../../connection/api/connection.ts';
import type { RateLimitSetting } from '../../connection/limit/rate-limit.ts';
import { defined } from '../../runtime/defined.ts';
import { everyField, isUnset, leavesOf, type RequestField, readRequest } from '../dialect/request-fields.ts';
import { slotsOf } from '../dialect/template.ts';
import { requestPathOf } from '../dialect/words.ts';
import type { Integration, MetadataField } from '../schema/schema.ts';
import type { Paging } from '../schema/source-schema.ts';
import { type PagingPlan, pagingPlanOf, requestsOf, UNSTATED } from './paging-plan.ts';
import { typedSecretsIn } from './typed-secrets.ts';

type SourceBlock = Integration['source'];

/** Where a value goes in a request. A header's name is in lower case; a body's place are the keys that lead to it. */
export type Place =
  | { in: 'query'; name: string }
  | { in: 'header'; name: string }
  | { in: 'body'; keys: readonly string[] }
  | { in: 'text'; text: TextPlace; keys: readonly string[] };

/** Where a JSON text goes that holds several parameters. */
export type TextPlace = { in: 'query' | 'header' | 'body'; name: string };

/** What a request carries at a place. */
export type Parameter = { place: Place } & (
  | { from: 'field'; field: RequestField }
  | { from: 'constant'; value: string | number }
  /** What the paginator says of the page that is asked for. */
  | { from: 'page'; what: 'position' | 'pageSize' | 'cursor' }
);

/** The request for a page of the list. */
export type RequestPlan = {
  method: 'GET' | 'POST';
  path: string;
  /** Whether the body is a form, and no JSON. */
  isForm: boolean;
  /** The texts that are sent whatever they hold. */
  texts: readonly TextPlace[];
  /** Laid one after the other: at one place the last that has a value wins. */
  parameters: readonly Parameter[];
};

/** Where things stand in an answer. */
export type AnswerPlan = {
  /** Paths of the records; the first that leads to a list counts. */
  records: readonly string[];
  code: string;
  successCodes: ReadonlySet<string>;
  /** Codes, as texts, that say "too many", and where they stand. */
  throttled?: { path: string; codes: ReadonlySet<string> };
  message: string;
  /** Paths of the total, the first hit counts. */
  total: readonly string[];
  /** What the answer says of the next page. */
  next:
    | { kind: 'nothing' }
    /** `end`: values, as texts, that stand there where there is no next page. */
    | { kind: 'cursor'; path: string; hasMorePath?: string; end: ReadonlySet<string> }
    | { kind: 'link'; in: 'body'; path: string; end: ReadonlySet<string> }
    | { kind: 'link'; in: 'header' };
};

/** Everything that reading an integration's list needs to know. */
export type SourcePlan = {
  integration: string;
  connection: Connection;
  /** Secrets that the block itself holds, and sends. */
  typedSecrets: readonly string[];
  rateLimit?: RateLimitSetting;
  /** The list in words: `GET /v1/product/groups`. */
  title: string;
  request: RequestPlan;
  answer: AnswerPlan;
  paging: PagingPlan;
  /** Dotted path of a record's id. */
  id: string;
  /** Whether the list is asked for a window of time with both ends, so that it can be read in smaller ones. */
  hasWindow: boolean;
};

/** Where the parameters of a tree go: into the query of a GET and the body of everything else, unless `send` says it. */
type Carried = { in: TextPlace['in']; under: readonly string[]; text: string | undefined };

const placeOf = (carried: Carried, name: string, steps: readonly string[]): Place => {
  const keys = [...carried.under, ...steps];
  const text = textPlaceOf(carried);
  if (text !== undefined) return { in: 'text', text, keys };
  switch (carried.in) {
    case 'query':
      return { in: 'query', name };
    case 'header':
      return { in: 'header', name: name.toLowerCase() };
    case 'body':
      return { in: 'body', keys };
    default:
      return carried.in satisfies never;
  }
};

const textPlaceOf = ({ in: carrier, text }: Carried): TextPlace | undefined =>
  text === undefined ? undefined : { in: carrier, name: carrier === 'header' ? text.toLowerCase() : text };

const stepsOf = (path: string | undefined): string[] => path?.split('.') ?? [];

/** In a name of a parameter dots lead into the body; the name of a field is one key, dots included. */
const atPath = (carried: Carried, path: string): Place => placeOf(carried, path, stepsOf(path));

const declares = (fields: readonly RequestField[], path: string): boolean =>
  everyField(fields).some((field) => field.path === path);

/** The names that a list is asked for, as one text: the constant of each field, else the field itself. */
const namesOf = (fields: readonly MetadataField[]): string =>
  fields.map(({ field, value }) => (typeof value === 'string' && value !== '' ? value : field)).join(',');

const pageParameters = (paging: Paging, placeOfParam: (path: string) => Place): Parameter[] => {
  const at = (path: string | undefined, parameter: Omit<Extract<Parameter, { from: 'page' }>, 'place'>): Parameter[] =>
    path === undefined ? [] : [{ ...parameter, place: placeOfParam(path) }];
  switch (paging.kind) {
    case 'pageNumber':
    case 'offset': {
      const position = paging.kind === 'pageNumber' ? paging.pageParam : paging.offsetParam;
      return [
        ...at(position, { from: 'page', what: 'position' }),
        ...at(paging.sizeParam, { from: 'page', what: 'pageSize' }),
      ];
    }
    case 'cursor': {
      const { sizeParam, pageSize, cursorParam } = paging;
      const size: Parameter[] =
        sizeParam === undefined || pageSize === undefined
          ? []
          : [{ from: 'constant', value: pageSize, place: placeOfParam(sizeParam) }];
      return [...size, ...at(cursorParam, { from: 'page', what: 'cursor' })];
    }
    case 'single':
    case 'nextLink':
      return [];
    default:
      return paging satisfies never;
  }
};

/** The first page is asked for with the field's own value, every later one with the cursor. */
const isAlwaysSent = (parameter: Parameter): boolean => parameter.from !== 'page' || parameter.what !== 'cursor';

const isNeverSent = (parameter: Parameter): boolean =>
  parameter.from === 'field' && parameter.field.children.length === 0 && isUnset(parameter.field);

/** The paginator's values replace the fields of the same place, so that each value enters the request once. */
const laidOver = (fields: readonly Parameter[], paged: readonly Parameter[]): Parameter[] => {
  const placeKey = ({ place }: Parameter): string => JSON.stringify(place);
  const instead = new Map(paged.filter(isAlwaysSent).map((parameter) => [placeKey(parameter), parameter]));
  const laid = fields.filter((field) => !isNeverSent(field)).map((field) => instead.get(placeKey(field)) ?? field);
  return [...laid, ...paged.filter((parameter) => !laid.includes(parameter))];
};

const requestPlanOf = (source: SourceBlock): RequestPlan => {
  const { metadata, send } = source;
  const { method, request: written = [] } = metadata;
  const request = readRequest(written);
  const otherRequest = readRequest(metadata.otherRequest ?? []);
  const usual = method === 'GET' ? 'query' : 'body';
  const names = send.request?.as === 'names' ? send.request : undefined;
  const own: Carried = {
    in: send.request?.in ?? usual,
    under: names === undefined ? stepsOf(send.request?.under) : [],
    text: send.request?.text,
  };
  const beside: Carried = {
    in: send.otherRequest?.in ?? usual,
    under: stepsOf(send.otherRequest?.under),
    text: send.otherRequest?.text,
  };
  const fieldsAt = (fields: readonly RequestField[], carried: Carried): Parameter[] =>
    fields.map((field) => ({ from: 'field', field, place: placeOf(carried, field.name, [field.name]) }));
  const ownParameters: Parameter[] =
    names === undefined
      ? fieldsAt(request, own)
      : written.length === 0
        ? []
        : [{ from: 'constant', value: namesOf(written), place: atPath(own, names.under) }];
  const isBeside = (path: string) => names !== undefined || (declares(otherRequest, path) && !declares(request, path));
  const paged = pageParameters(source.paging ?? UNSTATED, (path) => atPath(isBeside(path) ? beside : own, path));
  return {
    method,
    path: requestPathOf(source),
    isForm: send.body === 'form',
    texts: [own, beside].map(textPlaceOf).filter((place) => place !== undefined),
    parameters: laidOver([...ownParameters, ...fieldsAt(otherRequest, beside)], paged),
  };
};

const nextOf = (paging: Paging): AnswerPlan['next'] => {
  switch (paging.kind) {
    case 'cursor': {
      const { cursorPath: path, hasMorePath, end } = paging;
      return { kind: 'cursor', path, ...defined({ hasMorePath }), end: new Set(end.map(String)) };
    }
    case 'nextLink': {
      if (paging.in === 'header') return { kind: 'link', in: 'header' };
      return { kind: 'link', in: 'body', path: paging.path, end: new Set(paging.end.map(String)) };
    }
    case 'single':
    case 'pageNumber':
    case 'offset':
      return { kind: 'nothing' };
    default:
      return paging satisfies never;
  }
};

const answerPlanOf = (source: SourceBlock, paging: Paging): AnswerPlan => {
  const { records, code, successCodes, message, total, throttled } = source.answer;
  return {
    records: typeof records === 'string' ? [records] : records,
    code,
    successCodes: new Set(successCodes.map(String)),
    message,
    ...(throttled && { throttled: { path: throttled.path, codes: new Set(throttled.equals.map(String)) } }),
    total,
    next: nextOf(paging),
  };
};

/** Whether the request names both ends of the window, and counts no days of its own. */
const hasWindow = ({ metadata, window }: SourceBlock): boolean => {
  const { request, otherRequest } = requestsOf(metadata);
  const names = new Set(
    leavesOf([...request, ...otherRequest]).flatMap(({ template }) => slotsOf(template).map(({ name }) => name)),
  );
  const countsDays = [...names].some((name) => name.startsWith('DAYS_AGO_'));
  return window !== undefined && names.has('LAST_SYNC_TIME') && names.has('CURRENT_TIME') && !countsDays;
};

/** Compiles what an integration's file says of its source. Pure. */
export const sourcePlanOf = ({ name, source }: Integration): SourcePlan => {
  const { connection, rateLimit, metadata } = source;
  return {
    integration: name,
    connection: connectionFor(connection, metadata.api),
    typedSecrets: typedSecretsIn(metadata.request, metadata.otherRequest),
    ...defined({ rateLimit }),
    title: `${metadata.method} ${metadata.api}`,
    request: requestPlanOf(source),
    answer: answerPlanOf(source, source.paging ?? UNSTATED),
    paging: pagingPlanOf(source),
    id: metadata.id,
    hasWindow: hasWindow(source),
  };
};
