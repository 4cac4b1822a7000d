/** Whether requests can be built on this text: http or https, without user name, password, query or fragment. */
export const isBaseUrl = (text: string): boolean => {
  const url = URL.parse(text);
  if (!url) return false;
  const { protocol, username, password, search, hash } = url;
  return (protocol === 'https:' || protocol === 'http:') && `${username}${password}${search}${hash}` === '';
};

/** Parameters of a query, in their order; a name may come twice. */
export type Query = readonly (readonly [name: string, value: string])[];

/**
 * The URL of `path` below `base`, with `query` added to what query the path has. The path is always below the base:
 * `//other.example` and `https://other.example` are odd paths here, never other hosts.
 */
export const joinUrl = (base: string, path: string, query: Query = []): string => {
  const url = new URL(`${base.replace(/(?<!\/)\/+$/, '')}/${path.replace(/^\/+/, '')}`);
  for (const [name, value] of query) url.searchParams.append(name, value);
  url.hash = '';
  return url.href;
};

const defaultPorts: ReadonlyMap<string, string> = new Map([
  ['http:', '80'],
  ['https:', '443'],
]);

/** Whether a link names the port of `base`, or none: behind a proxy a server does not know at which port it is reached. */
const isSamePort = ({ port }: URL, base: URL): boolean =>
  port === '' || port === (base.port || defaultPorts.get(base.protocol));

/**
 * A link that the server gave, resolved against the URL it came from (RFC 3986 §5); undefined where it leads to another
 * host, since the authorization must not follow it there. A server behind a proxy that ends TLS writes http links: they
 * are followed under the scheme of the URL they came from.
 */
export const resolveLink = (requestUrl: string, link: string): string | undefined => {
  const base = new URL(requestUrl);
  const url = URL.parse(link, requestUrl);
  if (url === null || !defaultPorts.has(url.protocol) || url.username !== '' || url.password !== '') return undefined;
  if (url.hostname !== base.hostname || !isSamePort(url, base)) return undefined;
  return new URL(`${base.origin}${url.pathname}${url.search}`).href;
};
