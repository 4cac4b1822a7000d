import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that was passed on, and its answer. */
type Exchange = { target: string; request: string; answer: string };

export type Forwarder = {
  url: string;
  /** Where requests go from now on. */
  to(upstream: string): void;
  close(): void;
};

export type ForwarderOptions = {
  /** No answer is sent sooner than this after its request came. */
  latencyMs: number;
  /** Changes a request's body on its way. */
  prepare?: (body: string) => string;
  onExchange?: (exchange: Exchange) => void;
};

export const listen = async (server: Server): Promise<string> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

export const textOf = async (incoming: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
};

/** Calls `send` `latencyMs` after `beganMs`, or now where that has passed. */
export const afterLatency = (beganMs: number, latencyMs: number, send: () => void): void => {
  const leftMs = beganMs + latencyMs - performance.now();
  if (leftMs <= 0) send();
  else setTimeout(send, leftMs);
};

/** A server on loopback before another one, with the latency that stands for a network. */
export const startForwarder = async ({ latencyMs, prepare, onExchange }: ForwarderOptions): Promise<Forwarder> => {
  let upstream = '';
  const pass = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const beganMs = performance.now();
    const came = await textOf(incoming);
    const body = prepare === undefined ? came : prepare(came);
    const { host: _host, 'content-length': _length, ...headers } = incoming.headers;
    const passed = request(new URL(incoming.url ?? '/', upstream), {
      method: incoming.method,
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    });
    passed.end(body);
    const [answer] = (await once(passed, 'response')) as [IncomingMessage];
    const text = await textOf(answer);
    onExchange?.({ target: String(incoming.headers['x-amz-target']), request: body, answer: text });
    const { 'transfer-encoding': _coding, connection: _connection, ...answerHeaders } = answer.headers;
    afterLatency(beganMs, latencyMs, () => {
      response.writeHead(answer.statusCode ?? 502, { ...answerHeaders, 'content-length': Buffer.byteLength(text) });
      response.end(text);
    });
  };
  const server = createServer((incoming, response) => {
    // Whoever asked sees a broken connection, as it is.
    pass(incoming, response).catch(() => response.destroy());
  });
  const url = await listen(server);
  return {
    url,
    to: (next) => {
      upstream = next;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
};
