import { isJsonObject, type JsonValue, parsedOrUndefined, stringifyJson } from '../../json/json.ts';
import { asText, FORM } from '../form.ts';
import type { UnsentRequest } from './scheme.ts';

const isForm = ({ headers }: UnsentRequest): boolean => headers['content-type']?.startsWith(FORM) ?? false;

/** Where a value goes in a request. */
export type Spot = { in: 'header' | 'query' | 'body' | 'cookie'; name: string };

const inUrl = (url: string, name: string, value: string): string => {
  const placed = new URL(url);
  placed.searchParams.set(name, value);
  return placed.href;
};

const inBody = (request: UnsentRequest, name: string, value: JsonValue): string => {
  const { body = '' } = request;
  if (isForm(request)) {
    const form = new URLSearchParams(body);
    form.set(name, asText(value));
    return form.toString();
  }
  const root = parsedOrUndefined(body) ?? {};
  return isJsonObject(root) ? stringifyJson({ ...root, [name]: value }) : body;
};

/** The request with this value at this place; what stood there under the same name is replaced. Pure. */
export const placed = (request: UnsentRequest, { in: carrier, name }: Spot, value: JsonValue): UnsentRequest => {
  const { headers } = request;
  switch (carrier) {
    case 'header':
      return { ...request, headers: { ...headers, [name.toLowerCase()]: asText(value) } };
    case 'cookie':
      return withCookies(request, `${name}=${asText(value)}`);
    case 'query':
      return { ...request, url: inUrl(request.url, name, asText(value)) };
    case 'body':
      return { ...request, body: inBody(request, name, value) };
    default:
      return carrier satisfies never;
  }
};

/** The request with cookies (`a=1; b=2`) in its one header for them (RFC 6265 §5.4). Pure. */
export const withCookies = (request: UnsentRequest, cookies: string): UnsentRequest => {
  const { cookie } = request.headers;
  const all = cookie === undefined ? cookies : `${cookie}; ${cookies}`;
  return { ...request, headers: { ...request.headers, cookie: all } };
};

/** Every name and value of the query and of the body's root, as they are sent. Pure. */
export const partsOf = (request: UnsentRequest): [name: string, value: JsonValue][] => {
  const { url, body = '' } = request;
  const root = isForm(request) ? undefined : parsedOrUndefined(body);
  return [
    ...new URL(url).searchParams,
    ...(isForm(request) ? new URLSearchParams(body) : isJsonObject(root) ? Object.entries(root) : []),
  ];
};
