import type { ApiRequest } from '../connection/api/api.ts';
import { parameterValue } from '../integration/dialect/declared.ts';
import type { Integration, MetadataField } from '../integration/schema/schema.ts';
import { isJsonObject, type JsonObject, type JsonValue, stringifyJson } from '../json/json.ts';
import { setPath } from '../json/path.ts';

/** How many records go into one request and under which key; undefined: each record has its own request. */
export const batchOf = ({ target }: Integration): { rows: number; rowsKey: string } | undefined => {
  const { operation } = target.metadata;
  if (operation?.method !== 'batchArraySave') return undefined;
  const { rows, rowsKey } = operation;
  return rows === undefined || rowsKey === undefined ? undefined : { rows: Number(rows), rowsKey };
};

/** The path that records are posted to: the file's own, else the metadata's `api`. */
export const targetPath = ({ target: { path, metadata } }: Integration): string =>
  path ?? (metadata.api.startsWith('/') ? metadata.api : `/${metadata.api}`);

/** What goes beside the records into every request to a target, by its `otherRequest`. */
export type Beside = { body: JsonObject; query: [string, string][]; headers: Record<string, string> };

const constantOf = (field: MetadataField): JsonValue | undefined => {
  const { value, type, children } = field;
  if (children && children.length > 0) {
    const inner = constants(children);
    return type === 'array' ? [inner] : inner;
  }
  if (value === undefined || value === null || value === '') return undefined;
  const sent = parameterValue(field, value as JsonValue);
  if ('reason' in sent) throw new TypeError(`${field.field} ${sent.reason}`);
  return sent.value;
};

/** The constants by their declared types and parsers. Throws TypeError for one that the check of the file refuses. */
const constants = (fields: readonly MetadataField[]): JsonObject =>
  Object.fromEntries(
    fields.flatMap((field): [string, JsonValue][] => {
      const value = constantOf(field);
      return value === undefined ? [] : [[field.field, value]];
    }),
  );

const under = (path: string | undefined, value: JsonObject): JsonObject =>
  path === undefined ? value : setPath({}, path, value);

/** Lays `over` on `base`, objects into objects. */
const merged = (base: JsonObject, over: JsonObject): JsonObject => {
  const both = Object.entries(over).map(([key, value]): [string, JsonValue] => {
    const own = Object.hasOwn(base, key) ? base[key] : undefined;
    return [key, isJsonObject(own) && isJsonObject(value) ? merged(own, value) : value];
  });
  return Object.fromEntries([...Object.entries(base), ...both]);
};

const asText = (value: JsonValue): string => (typeof value === 'string' ? value : stringifyJson(value));

/** Reads what a target's block says beside its records. Pure. */
export const besideRecords = ({ target }: Integration): Beside => {
  const params = constants(target.metadata.otherRequest ?? []);
  const { in: carrier = 'body', under: path } = target.send.otherRequest ?? {};
  const entries = Object.entries(params).map(([name, value]): [string, string] => [name, asText(value)]);
  return {
    body: carrier === 'body' ? under(path, params) : {},
    query: carrier === 'query' ? entries : [],
    headers: carrier === 'header' ? Object.fromEntries(entries.map(([name, text]) => [name.toLowerCase(), text])) : {},
  };
};

/** The request for mapped content: what stands beside it never replaces a field of its own. Pure. */
export const requestFor = (
  base: Pick<ApiRequest, 'method' | 'path'>,
  content: JsonObject,
  { target }: Integration,
  beside: Beside,
  headers: Record<string, string>,
): ApiRequest => ({
  ...base,
  ...(beside.query.length > 0 ? { query: beside.query } : {}),
  headers: { ...beside.headers, ...headers },
  body: stringifyJson(merged(beside.body, under(target.send.request?.under, content))),
});
