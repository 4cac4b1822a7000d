import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { JsonValue } from '../../lib/json/json.ts';
import { guard } from '../guard.ts';
import type { Fault } from './fault.ts';
import { type FaultCount, faultBoard } from './fault-board.ts';
import { type Endpoint, endpoints } from './fault-table.ts';
import { builtInGroups } from './groups.ts';
import { inspectEndpoint } from './inspect.ts';
import { beforeOkki, distorted, onTheWay } from './okki-faults.ts';
import { okkiLists } from './okki-lists.ts';
import { tokenService } from './okki-token.ts';
import { builtInReceipts } from './receipts.ts';
import { jsonReply, type Reply, type SandboxRequest } from './reply.ts';
import { crmDialect, qingyiyunDialect } from './target-dialect.ts';
import { targetEndpoint } from './target-endpoint.ts';
import { openTargetStore, type StoredRecord, type Target } from './target-store.ts';
import { deliver, MAX_BODY_BYTES, readRequest } from './wire.ts';

export { type Fault, FaultSyntaxError, faultHelp, isOnTarget, parseFault } from './fault.ts';
export { builtInFacts } from './groups.ts';
export { GroupsFileError, readGroupsFile } from './groups-file.ts';
export { forgetTarget, isTarget, type StoredRecord, StoreFileError, type Target } from './target-store.ts';

export type SandboxOptions = {
  /** 0 (the default): any free port. */
  port?: number;
  /** What OKKI lists; by default the built-in groups (`builtInFacts`). */
  groups?: readonly JsonValue[];
  receipts?: readonly JsonValue[];
  faults?: readonly Fault[];
  /** Where the targets' content is kept across restarts, in JSON lines; absent: in memory only. */
  storeFile?: string;
  /** Where given, OKKI knows this client only; else any id and any secret but "wrong". */
  clientId?: string;
  clientSecret?: string;
  /**
   * Leaves out the sandbox's own endpoints (`/sandbox/…`): nobody can read what it was sent, or change what it lists.
   */
  sealed?: boolean;
  nowMs?: () => number;
  /** One line for each request: method, path and query, status. No headers, no bodies. */
  onRequest?: (line: string) => void;
};

export type Sandbox = {
  /** Base URL of OKKI and of both targets: `http://127.0.0.1:PORT`. */
  url: string;
  faults: { replace(faults: readonly Fault[]): void; clear(): void; counts(): FaultCount[] };
  /** Requests received so far, by endpoint. */
  requests: Readonly<Record<Endpoint, number>>;
  records(target: Target): StoredRecord[];
  /** What OKKI lists from now on. */
  setGroups(groups: readonly JsonValue[]): void;
  setReceipts(receipts: readonly JsonValue[]): void;
  /** Ends at once, open connections included. */
  close(): Promise<void>;
};

/** The sandbox cannot listen on the port that was asked for. */
export class SandboxPortError extends Error {
  override readonly name = 'SandboxPortError';
  readonly code = 'sandbox-port';
}

type Route = { method: 'GET' | 'POST'; path: string; endpoint: Endpoint; answer: (request: SandboxRequest) => Reply };

/**
 * Serves OKKI and both targets on 127.0.0.1, with the faults that `faults` names. Throws SandboxPortError and
 * StoreFileError.
 */
export const startSandbox = async (options: SandboxOptions = {}): Promise<Sandbox> => {
  const { nowMs = Date.now, onRequest = () => {} } = options;
  const faults = faultBoard(options.faults ?? []);
  const store = openTargetStore(options.storeFile);
  const tokens = tokenService(options, faults, nowMs);
  const lists = okkiLists(
    { groups: options.groups ?? builtInGroups, receipts: options.receipts ?? builtInReceipts },
    tokens,
    faults,
    nowMs,
  );
  const requests = Object.fromEntries(endpoints.map((endpoint) => [endpoint, 0])) as Record<Endpoint, number>;

  const okki = (endpoint: 'token' | 'refresh' | 'groups' | 'receipts', answer: Route['answer']): Route['answer'] => {
    return (request) => {
      const reply = beforeOkki(faults, endpoint, nowMs()) ?? distorted(faults, endpoint, answer(request));
      return onTheWay(faults, endpoint, reply);
    };
  };
  const routes: Route[] = [
    { method: 'POST', path: '/v1/oauth2/access_token', endpoint: 'token', answer: okki('token', tokens.issue) },
    { method: 'POST', path: '/v1/oauth2/refresh_token', endpoint: 'refresh', answer: okki('refresh', tokens.refresh) },
    { method: 'GET', path: '/v1/product/groups', endpoint: 'groups', answer: okki('groups', lists.groups) },
    {
      method: 'GET',
      path: '/v1/invoices/receipt/list',
      endpoint: 'receipts',
      answer: okki('receipts', lists.receipts),
    },
    {
      method: 'POST',
      path: '/execute',
      endpoint: 'qingyiyun',
      answer: targetEndpoint(qingyiyunDialect, store, faults, nowMs),
    },
    {
      method: 'POST',
      path: '/groups/batch',
      endpoint: 'crm',
      answer: targetEndpoint(crmDialect, store, faults, nowMs),
    },
  ];
  const inspect = inspectEndpoint({ faults, lists, requests, store });

  const respond = (request: SandboxRequest): Reply => {
    if (request.path.startsWith('/sandbox/') && !options.sealed) return inspect(request);
    const atPath = routes.filter(({ path }) => path === request.path);
    const route = atPath.find(({ method }) => method === request.method);
    if (route === undefined) return notRouted(request, atPath);
    requests[route.endpoint] += 1;
    return route.answer(request);
  };

  const closing = new AbortController();
  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await readRequest(incoming);
    const reply = request === 'tooLarge' ? tooLarge : respond(request);
    onRequest(`${incoming.method} ${incoming.url} ${reply.dropped === 'before' ? 'dropped' : reply.status}`);
    await deliver(reply, response, closing.signal);
  };
  const server = createServer((incoming, response) => {
    serve(incoming, response).catch((error: unknown) => {
      // The client has hung up, or the sandbox has failed: only this request ends.
      if (!incoming.destroyed) onRequest(`${incoming.method} ${incoming.url} failed: ${error}`);
      response.destroy();
    });
  });
  guard(server);
  const port = await listen(server, options.port ?? 0).catch((error: unknown) => {
    store.close();
    throw error;
  });

  return {
    url: `http://127.0.0.1:${port}`,
    faults: { replace: faults.replace, clear: () => faults.replace([]), counts: faults.counts },
    requests,
    records: store.records,
    setGroups: lists.setGroups,
    setReceipts: lists.setReceipts,
    close: async () => {
      closing.abort();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      store.close();
    },
  };
};

const tooLarge = jsonReply(
  413,
  { code: 413, message: `a request body may have ${MAX_BODY_BYTES} bytes` },
  { connection: 'close' },
);

const notRouted = ({ method, path }: SandboxRequest, atPath: readonly Route[]): Reply =>
  atPath.length === 0
    ? jsonReply(404, { code: 404, message: `the sandbox has no ${path}` })
    : jsonReply(
        405,
        { code: 405, message: `${path} does not take ${method}` },
        { allow: atPath.map((r) => r.method).join(', ') },
      );

const listen = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const words = 'code' in cause && cause.code === 'EADDRINUSE' ? 'something else listens there' : cause.message;
      reject(new SandboxPortError(`the sandbox cannot listen on 127.0.0.1:${port}: ${words}`, { cause }));
    });
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
