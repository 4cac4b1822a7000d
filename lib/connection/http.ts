/** One HTTP request as the flows see it. */
export type HttpRequest = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: string;
  headers: Record<string, string>;
  /** JSON text (or form text, as the content-type header says). */
  body?: string;
  /** From the call to the last byte of the answer. */
  timeoutMs: number;
  /** An answer longer than this is cut off and reported as `tooLarge`. */
  maxAnswerBytes: number;
};

/**
 * Why no whole answer came, and whether the request was sent. `never`: it ended before its first byte was written, so
 * that it was surely not applied. `maybe`: nobody knows how far it came (RFC 9110 §9.2.2).
 */
export const sentBeforeFailing = {
  dns: 'never',
  refused: 'never',
  unreachable: 'never',
  tls: 'never',
  timeout: 'maybe',
  reset: 'maybe',
  tooLarge: 'maybe',
  network: 'maybe',
} as const;

export type FailureCause = keyof typeof sentBeforeFailing;

/** Why the bytes of an answer are no text: in no charset that is known of them, or packed and not to be unpacked. */
export type Unreadable = { why: 'charset' | 'packing'; message: string };

/** An answer with its status, whatever that is. */
export type Answered = {
  kind: 'answered';
  status: number;
  headers: Readonly<Record<string, string>>;
  /** Each `Set-Cookie` header by itself (RFC 6265 §3): they are no list with commas. */
  setCookies?: readonly string[];
  text: string;
  /** Where it is there, the text is not what the server wrote: it may be shown, nothing may be concluded from it. */
  unreadable?: Unreadable;
  /** The text without what its connection sent as a secret, where it quotes any: what is kept or shown is taken from here. */
  shown?: string;
};

/** How a request ended. Every status is an answer; `failed` means that no whole answer came. */
export type HttpAnswer = Answered | { kind: 'failed'; cause: FailureCause; message: string };

/** HTTP as a port. Never throws for what the network does; never retries; never follows redirects. */
export interface Http {
  send(request: HttpRequest): Promise<HttpAnswer>;
}

/**
 * HTTP that is loaded at the first request. ky looks at Node's `fetch` as it loads, which has Node compile its HTTP
 * client: half as much time again as the AWS clients take, and an invocation that finds nothing to send needs none of it.
 */
export const lazyHttp: Http = { send: async (request) => (await import('./ky-http.ts')).kyHttp.send(request) };

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
