import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { type Use, usesOf } from '../../../local/stack/permissions.ts';

/** An AWS endpoint that writes down what each request needs, and passes it on (or answers it itself). */
export type Recorder = { url: string; uses(): Use[]; requests(): number; close(): Promise<void> };

type Body = Record<string, unknown>;
type Answer = (target: string, body: Body) => { status: number; body: unknown };

/** Starts a recorder on a free port of the loopback interface, before another endpoint or a function that answers. */
export const startRecorder = async (behind: { endpoint: string } | { answer: Answer }): Promise<Recorder> => {
  const uses = new Map<string, Use>();
  let requests = 0;
  const faults: unknown[] = [];

  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const text = await textOf(incoming);
    requests += 1;
    const target = String(incoming.headers['x-amz-target']);
    const body = JSON.parse(text) as Body;
    for (const use of usesOf(target, body)) uses.set(`${use.action} ${use.resource}`, use);
    if ('endpoint' in behind) return pass(behind.endpoint, incoming, text, response);
    const answer = behind.answer(target, body);
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(answer.body));
  };

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch((error: unknown) => {
      faults.push(error);
      response.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    uses: () => {
      // A request that was not understood is a permission that would be missing from the table.
      if (faults.length > 0) throw new AggregateError(faults, 'not every request could be recorded');
      return [...uses.values()];
    },
    requests: () => requests,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
};

const pass = (endpoint: string, { method, url, headers }: IncomingMessage, body: string, response: ServerResponse) =>
  new Promise<void>((resolve, reject) => {
    const { host: _host, ...rest } = headers;
    const passed = request(new URL(url ?? '/', endpoint), { method, headers: rest }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response).on('finish', resolve).on('error', reject);
    });
    passed.on('error', reject).end(body);
  });
