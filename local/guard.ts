import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/** The names of this machine to itself. A name that somebody's DNS points here is none of them (DNS rebinding). */
const LOOPBACK_NAMES = ['127.0.0.1', 'localhost'];

/** Why a request is not let in; undefined: it is. */
const refusalOf = (request: IncomingMessage, port: number, accessKeyId: string | undefined): string | undefined => {
  const { host = '', origin, authorization = '' } = request.headers;
  if (!LOOPBACK_NAMES.some((name) => host.toLowerCase() === `${name}:${port}`)) {
    return `only 127.0.0.1:${port} is served here`;
  }
  // Browsers name the page that asks in each request that could change something, and in each preflight.
  if (origin !== undefined) return 'no web page is let in';
  if (accessKeyId === undefined) return undefined;
  const [, given = ''] = /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\//.exec(authorization) ?? [];
  return isSame(given, accessKeyId) ? undefined : 'the access key is not that of this start';
};

const isSame = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
};

const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

/**
 * Lets nobody but this machine's own programs speak to a server on loopback: neither a page in the operator's browser
 * (its requests carry `Origin`, or a `Host` that is not ours) nor, where `accessKeyId` is given, a program that was not
 * told it. To be called before the server listens. Refused requests are answered by 403 and reach nothing.
 */
export const guard = (server: Server, accessKeyId?: string): void => {
  const listeners = server.listeners('request');
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const refusal = refusalOf(request, portOf(server), accessKeyId);
    if (refusal === undefined) {
      for (const listener of listeners) listener.call(server, request, response);
      return;
    }
    response.writeHead(403, { 'content-type': 'application/json', connection: 'close' });
    response.end(JSON.stringify({ __type: 'AccessDeniedException', message: refusal }));
  });
};
