import type { ApiRequest } from '../connection/api/api.ts';
import { parameterValue } from '../integration/dialect/declared.ts';
import { fillTemplate, type Scope } from '../integration/dialect/fill.ts';
import { parseTemplate } from '../integration/dialect/template.ts';
import { type RequestContext, variableValue } from '../integration/dialect/variables.ts';
import type { MetadataField, SourceMetadata } from '../integration/schema/metadata-schema.ts';
import type { Send } from '../integration/schema/send-schema.ts';
import { isJsonObject, type JsonObject, type JsonValue, stringifyJson } from '../json/json.ts';
import { defined } from '../runtime/defined.ts';

/** What a paginator adds to a request: parameters, or a link instead of path and query. */
export type PageParams = {
  params: Readonly<Record<string, string | number>>;
  link?: string;
  /** What {{PAGINATION_PAGE_SIZE}} and {{PAGINATION_START_ROW}} are, where pages have a size. */
  page?: { pageSize: number; startRow: number };
};

/** What a source block says about its requests. */
export type RequestSetting = { metadata: SourceMetadata; send?: Send; path?: string };

type Params = { params: JsonObject } | { reason: string };

const isUnset = (value: JsonValue | undefined): boolean => value === undefined || value === null || value === '';

const filledValue = (field: MetadataField, scope: Scope): { value: JsonValue | undefined } | { reason: string } => {
  const filled = fillTemplate(parseTemplate((field.value ?? null) as JsonValue), scope);
  if ('reason' in filled || filled.value === undefined || isUnset(filled.value)) return filled;
  return parameterValue(field, filled.value);
};

/** The declared parameters that have a value. Without one a parameter is not sent; 0 and false are values. */
const declaredParams = (fields: readonly MetadataField[], scope: Scope): Params => {
  const params: JsonObject = {};
  for (const field of fields) {
    const { field: name, type, children } = field;
    if (children && children.length > 0) {
      const nested = declaredParams(children, scope);
      if ('reason' in nested) return nested;
      const isEmpty = Object.keys(nested.params).length === 0;
      if (!isEmpty) params[name] = type === 'array' ? [nested.params] : nested.params;
      continue;
    }
    const filled = filledValue(field, scope);
    if ('reason' in filled) return { reason: `${name}: ${filled.reason}` };
    if (filled.value !== undefined && !isUnset(filled.value)) params[name] = filled.value;
  }
  return { params };
};

/** The names that a list is asked for, as one text: the constant of each field, else the field itself. */
const namesOf = (fields: readonly MetadataField[]): string =>
  fields.map(({ field, value }) => (typeof value === 'string' && value !== '' ? value : field)).join(',');

const asQueryText = (value: JsonValue): string =>
  typeof value === 'object' && value !== null ? stringifyJson(value) : String(value);

/** `body` with `value` at a dotted path, objects made on the way. */
const withPath = (body: JsonObject, [key = '', ...rest]: readonly string[], value: JsonValue): JsonObject => {
  if (rest.length === 0) return { ...body, [key]: value };
  const inner = body[key];
  return { ...body, [key]: withPath(isJsonObject(inner) ? inner : {}, rest, value) };
};

type Carrier = 'query' | 'body' | 'header';

const declares = (fields: readonly MetadataField[], path: string): boolean => {
  const [first = '', ...rest] = path.split('.');
  return fields.some(
    ({ field, children }) =>
      field === path || (field === first && (rest.length === 0 || declares(children ?? [], rest.join('.')))),
  );
};

/**
 * The request for one page: what the metadata declares, filled from the run and the page, then the paginator's
 * parameters, which win. By default parameters go into the query of a GET and into the JSON body of everything else;
 * `send` says otherwise. Answers a reason where a value cannot be calculated. Pure.
 */
export const pageRequest = (
  { metadata, send = {}, path }: RequestSetting,
  { params, link, page }: PageParams,
  context: RequestContext,
): ApiRequest | { reason: string } => {
  const { method, api, request = [] } = metadata;
  const otherRequest = metadata.otherRequest ?? [];
  const variables = { ...context, ...defined({ page }) };
  const scope: Scope = ({ of, name }) => (of === 'variable' ? variableValue(name, variables) : undefined);
  const usual: Carrier = method === 'GET' ? 'query' : 'body';
  const asNames = send.request?.as === 'names';

  const own: Params = asNames
    ? { params: request.length === 0 ? {} : { [send.request?.under ?? 'fields']: namesOf(request) } }
    : declaredParams(request, scope);
  if ('reason' in own) return own;
  const other = declaredParams(otherRequest, scope);
  if ('reason' in other) return other;
  const isOther = (name: string) => asNames || (declares(otherRequest, name) && !declares(request, name));
  const paged = Object.entries(params);

  let body: JsonObject = {};
  let query: JsonObject = {};
  const headers: Record<string, string> = {};
  const put = (name: string, value: JsonValue, carrier: Carrier, under: string | undefined, isPath: boolean) => {
    if (carrier === 'query') query = { ...query, [name]: value };
    else if (carrier === 'header') headers[name.toLowerCase()] = asQueryText(value);
    else body = withPath(body, [...(under?.split('.') ?? []), ...(isPath ? name.split('.') : [name])], value);
  };
  const requestCarrier = send.request?.in ?? usual;
  const otherCarrier = send.otherRequest?.in ?? usual;
  const requestUnder = asNames ? undefined : send.request?.under;
  for (const [name, value] of Object.entries(own.params)) put(name, value, requestCarrier, requestUnder, asNames);
  for (const [name, value] of Object.entries(other.params)) {
    put(name, value, otherCarrier, send.otherRequest?.under, false);
  }
  for (const [name, value] of paged) {
    if (isOther(name)) put(name, value, otherCarrier, send.otherRequest?.under, true);
    else put(name, value, requestCarrier, requestUnder, true);
  }

  const entries = Object.entries(query).map(([name, value]): [string, string] => [name, asQueryText(value)]);
  return {
    method,
    path: path ?? (api.startsWith('/') ? api : `/${api}`),
    ...defined({ link }),
    ...(method === 'GET' || entries.length > 0 ? { query: entries } : {}),
    ...(Object.keys(headers).length > 0 ? { headers } : {}),
    ...(method === 'GET' ? {} : { body: stringifyJson(body) }),
  };
};
