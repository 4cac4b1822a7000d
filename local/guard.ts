import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/** This machine's own names. A name whose DNS entry merely points here is not one of them (DNS rebinding). */
const LOOPBACK_NAMES = ['127.0.0.1', 'localhost'];

/** An answer in place of the server's. */
export type Refusal = { status: number; headers: Record<string, string>; body: { __type: string; message: string } };

/** Whom a server knows, and what is looked at in a request before it serves it. */
export type Doors = {
  /** The access keys that are let in. */
  accessKeys(): readonly string[];
  /** The answer to a request that is not to be served; undefined: it is. `target`: X-Amz-Target, or empty. */
  refuse(accessKeyId: string, target: string, body: string): Refusal | undefined;
};

const accessKeyOf = ({ headers: { authorization = '' } }: IncomingMessage): string => {
  const [, given = ''] = /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\//.exec(authorization) ?? [];
  return given;
};

/** Why a request is not let in; undefined: it is. */
const strangerOf = (request: IncomingMessage, port: number, doors: Doors | undefined): string | undefined => {
  const { host = '', origin } = request.headers;
  if (!LOOPBACK_NAMES.some((name) => host.toLowerCase() === `${name}:${port}`)) {
    return `only 127.0.0.1:${port} is served here`;
  }
  // Browsers name the page that asks in each request that could change something, and in each preflight.
  if (origin !== undefined) return 'no web page is let in';
  if (doors === undefined) return undefined;
  const given = accessKeyOf(request);
  return doors.accessKeys().some((known) => isSame(given, known)) ? undefined : 'the access key is not of this start';
};

const isSame = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
};

const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

/** Reads a request's body and puts it back, so that the server finds it as it came. */
const withBody = (request: IncomingMessage, then: (body: string) => void): void => {
  const lengthBytes = Number(request.headers['content-length'] ?? 0);
  if (lengthBytes === 0) {
    then('');
    return;
  }
  const chunks: Buffer[] = [];
  let readBytes = 0;
  const read = (): void => {
    for (let chunk: Buffer | null = request.read(); chunk !== null; chunk = request.read()) {
      chunks.push(chunk);
      readBytes += chunk.length;
    }
    if (readBytes < lengthBytes) return;
    request.off('readable', read);
    const body = Buffer.concat(chunks);
    request.unshift(body);
    then(body.toString());
  };
  request.on('readable', read);
};

const answer = (response: ServerResponse, { status, headers, body }: Refusal): void => {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0', connection: 'close', ...headers });
  response.end(JSON.stringify(body));
};

/**
 * Lets only this machine's own programs speak to a server on loopback. It answers 403 to a page in the operator's
 * browser (its requests carry `Origin`, or a `Host` that is not ours) and, where there are `doors`, to a program
 * without a known access key. The doors may also refuse a request for what it asks. A refused request does not reach
 * the server.
 * Must be called before the server listens.
 */
export const guard = (server: Server, doors?: Doors): void => {
  const listeners = server.listeners('request');
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const serve = (): void => {
      for (const listener of listeners) listener.call(server, request, response);
    };
    const message = strangerOf(request, portOf(server), doors);
    if (message !== undefined) {
      return answer(response, { status: 403, headers: {}, body: { __type: 'AccessDeniedException', message } });
    }
    if (doors === undefined) return serve();
    withBody(request, (body) => {
      const refusal = doors.refuse(accessKeyOf(request), String(request.headers['x-amz-target'] ?? ''), body);
      if (refusal === undefined) serve();
      else answer(response, refusal);
    });
  });
};
