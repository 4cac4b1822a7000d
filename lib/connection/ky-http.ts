import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import ky from 'ky';
import { defined } from '../runtime/defined.ts';
import { answerOf } from './answer-bytes.ts';
import { type FailureCause, type Http, type HttpAnswer, type HttpRequest, sentBeforeFailing } from './http.ts';

/** How far one request came: whether Node's HTTP client took it on, and whether it began to write it to a socket. */
type Trace = { isBegun: boolean; isSent: boolean };

const current = new AsyncLocalStorage<Trace>();
const traces = new WeakMap<object, Trace>();

const requestIn = (message: unknown): object | undefined =>
  typeof message === 'object' &&
  message !== null &&
  'request' in message &&
  typeof message.request === 'object' &&
  message.request !== null
    ? message.request
    : undefined;

// undici publishes these in the call itself, before the first byte of a request is written (its DiagnosticsChannel.md).
subscribe('undici:request:create', (message) => {
  const trace = current.getStore();
  const request = requestIn(message);
  if (trace === undefined || request === undefined) return;
  // A proxy is asked for a tunnel first: that is no request of ours.
  if ('method' in request && request.method === 'CONNECT') return;
  trace.isBegun = true;
  traces.set(request, trace);
});
subscribe('undici:client:sendHeaders', (message) => {
  const request = requestIn(message);
  const trace = request && traces.get(request);
  if (trace) trace.isSent = true;
});

/**
 * Makes one request with `fetch` and can say afterwards whether it was surely never sent.
 *
 * It looks at what happened and not at the error. A failed handshake, a refusing proxy and a time-out before there is a
 * connection end in dozens of codes, and some of them (ECONNRESET, EPROTO) also come after a request was sent. Where
 * Node reports nothing about the request, the answer is no.
 */
const tracingSending = async <Result>(work: (isSurelyUnsent: () => boolean) => Promise<Result>): Promise<Result> => {
  const trace: Trace = { isBegun: false, isSent: false };
  return current.run(trace, () => work(() => trace.isBegun && !trace.isSent));
};

type Dispatcher = NonNullable<RequestInit['dispatcher']>;
type Dispatch = Dispatcher['dispatch'];
type Handler = Parameters<Dispatch>[1];

/** `fetch` unpacks by content-encoding; under this name the header passes it unnoticed. */
const PACKED_AS = 'x-okki-sync-packed-as';

const leavePacked =
  (dispatch: Dispatch): Dispatch =>
  (options, handler) => {
    const leaving: Handler = {
      onRequestStart: (...given) => handler.onRequestStart?.(...given),
      onRequestUpgrade: (...given) => handler.onRequestUpgrade?.(...given),
      onResponseStart: (controller, status, { 'content-encoding': packedAs, ...headers }, ...rest) =>
        handler.onResponseStart?.(
          controller,
          status,
          packedAs === undefined ? headers : { ...headers, [PACKED_AS]: packedAs },
          ...rest,
        ),
      onResponseData: (...given) => handler.onResponseData?.(...given),
      onResponseEnd: (...given) => handler.onResponseEnd?.(...given),
      onResponseError: (...given) => handler.onResponseError?.(...given),
    };
    return dispatch(options, leaving);
  };

const isDispatcher = (value: unknown): value is Dispatcher =>
  typeof value === 'object' && value !== null && 'compose' in value && typeof value.compose === 'function';

// Where undici, of which Node's fetch is made, keeps the dispatcher that fetch uses.
const GLOBAL_DISPATCHER = Symbol.for('undici.globalDispatcher.1');

let cached: { from: Dispatcher; packed: Dispatcher } | undefined;

/**
 * Node's own dispatcher of requests, but for answers that stay packed: `fetch` fails on plain text that is declared as
 * gzip, and hands out the first part of packed text that breaks off as if it were the whole. Undefined where Node has
 * none: then fetch unpacks.
 */
const leavingPacked = (): Dispatcher | undefined => {
  const from: unknown = Reflect.get(globalThis, GLOBAL_DISPATCHER);
  if (!isDispatcher(from)) return undefined;
  if (cached?.from !== from) cached = { from, packed: from.compose(leavePacked) };
  return cached.packed;
};

/**
 * What a failed request's error code says, by Node and undici. A server whose certificate is refused has seen no request,
 * and one that misses the client's certificate ends the handshake (RFC 8446 §6.2).
 */
const causeByCode: Readonly<Record<string, FailureCause>> = {
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  EACCES: 'unreachable',
  UND_ERR_CONNECT_TIMEOUT: 'unreachable',
  UND_ERR_INVALID_ARG: 'unreachable',
  CERT_HAS_EXPIRED: 'tls',
  CERT_NOT_YET_VALID: 'tls',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls',
  UNABLE_TO_GET_ISSUER_CERT: 'tls',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls',
  ERR_TLS_CERT_ALTNAME_INVALID: 'tls',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'tls',
  UND_ERR_SOCKET: 'reset',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'reset',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  ETIMEDOUT: 'timeout',
};

const words: Readonly<Record<FailureCause, string>> = {
  dns: 'the host name was not found',
  refused: 'the connection was refused',
  unreachable: 'no connection could be made',
  tls: 'no secure connection could be made',
  timeout: 'no whole answer came in time',
  reset: 'the connection broke before the whole answer was there',
  tooLarge: 'the answer is larger than allowed',
  network: 'the exchange failed',
};

const failed = (cause: FailureCause, detail?: string): HttpAnswer => ({
  kind: 'failed',
  cause,
  message: detail === undefined ? words[cause] : `${words[cause]} (${detail})`,
});

/** The error and its causes, outermost first: ky wraps fetch's TypeError, which wraps the socket's error. */
const chain = function* (error: unknown): Generator<Error> {
  for (let link = error; link instanceof Error; link = link.cause) yield link;
};

const codeOf = (error: Error): string | undefined =>
  'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** Whether Node's or OpenSSL's name for an error speaks of TLS. */
const isOfTls = (code: string): boolean => /^(ERR_SSL|ERR_TLS|EPROTO)|CERT|UNABLE_TO_/.test(code);

/** What the commonest of these codes mean to whoever wrote the base URL. */
const hintByCode: Readonly<Record<string, string>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: 'does the port speak plain http?',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'does the port speak plain http?',
};

/** By the code alone, but for a request that Node knows to be unsent: that one cannot have been applied. */
const causeOf = (code: string | undefined, isTimeout: boolean, isSurelyUnsent: boolean): FailureCause => {
  const cause = isTimeout ? 'timeout' : ((code === undefined ? undefined : causeByCode[code]) ?? 'network');
  if (!isSurelyUnsent || sentBeforeFailing[cause] === 'never') return cause;
  return code !== undefined && isOfTls(code) ? 'tls' : 'unreachable';
};

/**
 * Names how a request failed. Only codes go into the message: the errors' own messages hold URLs and header values.
 * Without a code nobody knows how far the request came, except where Node saw it end unsent, or fetch refused the port
 * at once (Fetch §2.9). Pure.
 */
export const failureOf = (error: unknown, isSurelyUnsent: boolean): HttpAnswer => {
  const links = [...chain(error)];
  if (links.some(({ message }) => message === 'bad port')) return failed('refused', 'fetch never uses this port');
  const isTimeout = links.some(({ name }) => name === 'TimeoutError');
  const code = isTimeout ? undefined : links.map(codeOf).find((found) => found !== undefined);
  const cause = causeOf(code, isTimeout, isSurelyUnsent);
  if (isTimeout && cause !== 'timeout') return failed(cause, 'not in time');
  const hint = code === undefined ? undefined : hintByCode[code];
  return failed(cause, hint === undefined ? code : `${code}: ${hint}`);
};

/** Whether fetch takes this URL and these headers; its refusal would quote them, tokens included. */
const canBeSent = ({ method, url, headers }: HttpRequest): boolean => {
  try {
    new Request(url, { method, headers });
    return true;
  } catch {
    return false;
  }
};

/**
 * The bytes of the body, cut off once they are more than `maxBytes` or not there within `timeoutMs`. The time-out cancels
 * the reader itself: an abort signal given to ky no longer reaches the body once ky's request has been garbage collected
 * (Node 24.21, ky 2.1).
 */
const readBody = async (
  response: Response,
  maxBytes: number,
  timeoutMs: number,
): Promise<Uint8Array | 'tooLarge' | 'timeout'> => {
  const reader = response.body?.getReader();
  if (!reader) return new Uint8Array();
  if (Number(response.headers.get('content-length') ?? 0) > maxBytes) {
    await reader.cancel();
    return 'tooLarge';
  }
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    reader.cancel().catch(() => {});
  }, timeoutMs);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (timedOut) return 'timeout';
      if (done) return Buffer.concat(chunks);
      sizeBytes += value.byteLength;
      if (sizeBytes > maxBytes) {
        await reader.cancel();
        return 'tooLarge';
      }
      chunks.push(value);
    }
  } finally {
    clearTimeout(timer);
  }
};

const headersOf = (response: Response): Record<string, string> => {
  const { [PACKED_AS]: packedAs, 'set-cookie': _, ...headers } = Object.fromEntries(response.headers);
  return { ...headers, ...(packedAs !== undefined && { 'content-encoding': packedAs }) };
};

const send = async (request: HttpRequest): Promise<HttpAnswer> =>
  canBeSent(request)
    ? tracingSending((isSurelyUnsent) => exchange(request, isSurelyUnsent))
    : failed('unreachable', 'the URL or a header is not one that can be sent');

const exchange = async (request: HttpRequest, isSurelyUnsent: () => boolean): Promise<HttpAnswer> => {
  const { method, url, headers, body, timeoutMs, maxAnswerBytes } = request;
  const startMs = performance.now();
  try {
    // ky's time-out ends with the headers; the body gets what is left of it.
    const response = await ky(url, {
      method,
      headers,
      ...defined({ body }),
      retry: 0,
      timeout: timeoutMs,
      throwHttpErrors: false,
      redirect: 'manual',
      ...defined({ dispatcher: leavingPacked() }),
    });
    const leftMs = Math.max(0, timeoutMs - (performance.now() - startMs));
    const bytes = await readBody(response, maxAnswerBytes, leftMs);
    if (bytes === 'timeout') return failed('timeout');
    const setCookies = response.headers.getSetCookie();
    const head = {
      status: response.status,
      headers: headersOf(response),
      ...(setCookies.length > 0 && { setCookies }),
    };
    const answer = bytes === 'tooLarge' ? bytes : await answerOf(head, bytes, maxAnswerBytes);
    return answer === 'tooLarge' ? failed('tooLarge', `more than ${maxAnswerBytes} bytes`) : answer;
  } catch (error) {
    return failureOf(error, isSurelyUnsent());
  }
};

/**
 * HTTP through ky and Node's own fetch, which keeps connections alive between requests. One request each: what to
 * repeat is decided by those who know what a repeat would do.
 */
export const kyHttp: Http = { send };
