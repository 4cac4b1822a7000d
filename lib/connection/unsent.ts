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
 * Asked is what happened, not which error came of it: a handshake that fails, a proxy that refuses and a time-out before
 * there is a connection end in dozens of codes, and some of them (ECONNRESET, EPROTO) also come after the request.
 * Where Node says nothing of the request, the answer is no.
 */
export const tracingSending = async <Result>(
  work: (isSurelyUnsent: () => boolean) => Promise<Result>,
): Promise<Result> => {
  const trace: Trace = { isBegun: false, isSent: false };
  return current.run(trace, () => work(() => trace.isBegun && !trace.isSent));
};
