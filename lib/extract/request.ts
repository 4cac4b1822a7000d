import type { ApiRequest } from '../connection/authorized.ts';
import { fieldTypes } from '../integration/dialect.ts';
import type { MetadataField, SourceMetadata } from '../integration/metadata-schema.ts';
import { isJsonObject, type JsonObject, type JsonValue, stringifyJson } from '../json/json.ts';

/** What a paginator adds to a request: parameters, or a link instead of path and query. */
export type PageParams = { params: Readonly<Record<string, string | number>>; link?: string };

const INTEGER = /^-?\d+$/;

/** A number as its declared type would be sent in JSON; what is no number stays as written. */
const asNumber = (text: string): JsonValue => {
  if (INTEGER.test(text)) return Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text);
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
};

const asDeclared = (value: JsonValue, type: string | null | undefined): JsonValue => {
  const declared = type && Object.hasOwn(fieldTypes, type) ? fieldTypes[type] : undefined;
  if (typeof value !== 'string') return value;
  if (declared === 'integer' || declared === 'number') return asNumber(value);
  if (declared === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
};

/** The declared parameters that have a value. Without one a parameter is not sent; 0 and false are values. */
const declaredParams = (fields: readonly MetadataField[]): JsonObject => {
  const params: JsonObject = {};
  for (const { field, type, value, children } of fields) {
    if (children && children.length > 0) {
      const nested = declaredParams(children);
      if (Object.keys(nested).length > 0) params[field] = type === 'array' ? [nested] : nested;
    } else if (value !== undefined && value !== null && value !== '') {
      params[field] = asDeclared(value as JsonValue, type);
    }
  }
  return params;
};

const asQueryText = (value: JsonValue): string =>
  typeof value === 'object' && value !== null ? stringifyJson(value) : String(value);

/** `body` with `value` at a dotted path, objects made on the way. */
const withPath = (body: JsonObject, [key = '', ...rest]: readonly string[], value: JsonValue): JsonObject => {
  if (rest.length === 0) return { ...body, [key]: value };
  const inner = body[key];
  return { ...body, [key]: withPath(isJsonObject(inner) ? inner : {}, rest, value) };
};

/**
 * The request for one page: the metadata's constants, then the paginator's parameters, which win. They go into the
 * query of a GET and into the JSON body of everything else.
 */
export const pageRequest = (metadata: SourceMetadata, { params, link }: PageParams): ApiRequest => {
  const { method, api: path, request = [] } = metadata;
  const declared = declaredParams(request);
  const base = { method, path, ...(link === undefined ? {} : { link }) };
  if (method === 'GET') {
    const all = Object.entries({ ...declared, ...params });
    return { ...base, query: all.map(([name, value]) => [name, asQueryText(value)]) };
  }
  const body = Object.entries(params).reduce((into, [name, value]) => withPath(into, name.split('.'), value), declared);
  return { ...base, body: stringifyJson(body) };
};
