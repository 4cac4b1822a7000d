import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';

/** An error as the Node.js runtime reports it: `trace` where the document of the Runtime API says `stackTrace`. */
export type ReportedError = { errorType: string; errorMessage: string; trace: string[] };

/** What the runtime said of one invocation. */
export type Reported = { kind: 'result'; payload: unknown } | { kind: 'error'; error: ReportedError };

/** One event, with what goes in the headers beside it. */
export type Delivery = {
  requestId: string;
  event: unknown;
  deadlineMs: number;
  functionArn: string;
  traceHeader: string;
};

/** The server's side of one execution environment. */
export type RuntimeApi = {
  /** For AWS_LAMBDA_RUNTIME_API. */
  address: string;
  /** The first request for an event: the handler is loaded. Rejects with what the runtime says of a failed start. */
  ready: Promise<void>;
  /** Hands over one event; settles when the runtime reports its end. */
  deliver(delivery: Delivery): Promise<Reported>;
  close(): Promise<void>;
};

/** The runtime said why it could not start. */
export class InitError extends Error {
  override readonly name = 'InitError';
  readonly code = 'init-error';
  readonly reported: ReportedError;

  constructor(reported: ReportedError) {
    super(`${reported.errorType}: ${reported.errorMessage}`);
    this.reported = reported;
  }
}

const PREFIX = '/2018-06-01/runtime';

/**
 * Lambda's Runtime API for one execution environment, on a free port of the loopback interface. It is as strict as the
 * document: an unknown path, an end of another invocation than the one under way, or a body that is not JSON fails the
 * request. Rule: Lambda developer guide, "Using the Lambda runtime API for custom runtimes".
 */
export const startRuntimeApi = async (): Promise<RuntimeApi> => {
  const ready = Promise.withResolvers<void>();
  // Whoever waits for it sees the failure; nobody has to.
  ready.promise.catch(() => {});
  let waiting: ServerResponse | undefined;
  let pending: Delivery | undefined;
  let under: { requestId: string; end: PromiseWithResolvers<Reported> } | undefined;

  const handOver = (): void => {
    if (waiting === undefined || pending === undefined) return;
    const { requestId, event, deadlineMs, functionArn, traceHeader } = pending;
    waiting.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': requestId,
      'lambda-runtime-deadline-ms': String(deadlineMs),
      'lambda-runtime-invoked-function-arn': functionArn,
      'lambda-runtime-trace-id': traceHeader,
    });
    waiting.end(JSON.stringify(event));
    waiting = undefined;
    pending = undefined;
  };

  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const route = `${incoming.method} ${incoming.url}`;
    if (route === `GET ${PREFIX}/invocation/next`) {
      ready.resolve();
      waiting = response;
      handOver();
      return;
    }
    const body: unknown = JSON.parse(await textOf(incoming));
    if (route === `POST ${PREFIX}/init/error`) {
      ready.reject(new InitError(body as ReportedError));
      return accepted(response);
    }
    const ended = /^POST \/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/.exec(route);
    if (ended === null) return refused(response, 404, 'NotFound', route);
    if (under === undefined || ended[1] !== under.requestId) return refused(response, 400, 'InvalidRequestID', route);
    under.end.resolve(
      ended[2] === 'response' ? { kind: 'result', payload: body } : { kind: 'error', error: body as ReportedError },
    );
    under = undefined;
    accepted(response);
  };

  const server = createServer((incoming, response) => {
    answer(incoming, response).catch((error: unknown) => refused(response, 400, 'InvalidRequest', String(error)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    ready: ready.promise,
    deliver: (delivery) => {
      if (under !== undefined) throw new Error('an execution environment takes one event at a time');
      const end = Promise.withResolvers<Reported>();
      under = { requestId: delivery.requestId, end };
      pending = delivery;
      handOver();
      return end.promise;
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
};

const accepted = (response: ServerResponse): void => {
  response.writeHead(202, { 'content-type': 'application/json' });
  response.end('{"status":"OK"}');
};

const refused = (response: ServerResponse, status: number, errorType: string, errorMessage: string): void => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ errorType, errorMessage }));
};
