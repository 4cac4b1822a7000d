import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Reply, SandboxRequest } from './reply.ts';

/** Longest request body that is read, in bytes. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** Reads a whole request; `tooLarge` where its body is longer than MAX_BODY_BYTES (the rest is thrown away unread). */
export const readRequest = async (incoming: IncomingMessage): Promise<SandboxRequest | 'tooLarge'> => {
  const body = await readBody(incoming);
  if (body === 'tooLarge') return body;
  // Not `new URL`: a request target such as `//x` would be read as a host.
  const target = incoming.url ?? '/';
  const mark = target.indexOf('?');
  return {
    method: incoming.method ?? 'GET',
    path: mark < 0 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1)),
    headers: Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)])),
    body,
  };
};

const readBody = (incoming: IncomingMessage): Promise<string | 'tooLarge'> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    incoming.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes > MAX_BODY_BYTES) {
        chunks.length = 0;
        resolve('tooLarge');
      } else {
        chunks.push(chunk);
      }
    });
    incoming.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    incoming.on('error', reject);
    // Without `end` or `error`: the client left in the middle of its request.
    incoming.on('close', () => reject(new Error('the client left')));
  });

/** Sends the answer; late, or cut off, where the reply says so. Ends early and silently when `closing` is aborted. */
export const deliver = async (reply: Reply, response: ServerResponse, closing: AbortSignal): Promise<void> => {
  if (reply.lateMs !== undefined) {
    try {
      await sleep(reply.lateMs, undefined, { signal: closing, ref: false });
    } catch {
      return;
    }
  }
  if (reply.dropped === 'before') {
    response.socket?.resetAndDestroy();
    return;
  }
  const bytes = Buffer.from(reply.text, 'utf8');
  const paddingBytes = reply.paddingBytes ?? 0;
  response.writeHead(reply.status, { ...reply.headers, 'content-length': bytes.length + paddingBytes });
  if (reply.dropped === 'midBody') {
    response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.socket?.destroy());
    return;
  }
  if (paddingBytes === 0) {
    response.end(bytes);
    return;
  }
  // The client may hang up first: it has a limit on the length of answers.
  await pipeline(Readable.from(padded(bytes, paddingBytes)), response).catch(() => {});
};

function* padded(bytes: Buffer, paddingBytes: number): Generator<Buffer> {
  yield bytes;
  const spaces = Buffer.alloc(64 * 1024, ' ');
  for (let left = paddingBytes; left > 0; left -= spaces.length) yield spaces.subarray(0, left);
}
