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
  const url = new URL(`${base.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`);
  for (const [name, value] of query) url.searchParams.append(name, value);
  url.hash = '';
  return url.href;
};

/**
 * A link that the server gave, resolved against the URL it came from (RFC 3986 §5); undefined where it leads to
 * another origin, since the authorization must not follow it there.
 */
export const resolveLink = (requestUrl: string, link: string): string | undefined => {
  const url = URL.parse(link, requestUrl);
  if (url?.origin !== new URL(requestUrl).origin || url.username !== '' || url.password !== '') return undefined;
  url.hash = '';
  return url.href;
};
