import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';

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
export const tracingSending = async <Result>(
  work: (isSurelyUnsent: () => boolean) => Promise<Result>,
): Promise<Result> => {
  const trace: Trace = { isBegun: false, isSent: false };
  return current.run(trace, () => work(() => trace.isBegun && !trace.isSent));
};

type Dispatcher = NonNullable<RequestInit['dispatcher']>;
type Dispatch = Dispatcher['dispatch'];
type Handler = Parameters<Dispatch>[1];

/** `fetch` unpacks by content-encoding; under this name the header passes it unnoticed. */
export const PACKED_AS = 'x-okki-sync-packed-as';

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
export const leavingPacked = (): Dispatcher | undefined => {
  const from: unknown = Reflect.get(globalThis, GLOBAL_DISPATCHER);
  if (!isDispatcher(from)) return undefined;
  if (cached?.from !== from) cached = { from, packed: from.compose(leavePacked) };
  return cached.packed;
};
