import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../lib/connection/http.ts';
import { kyHttp } from '../../lib/connection/ky-http.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const listen = async (server: Server): Promise<string> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/list?secret=hidden`;
};

const serve = (listener: RequestListener): Promise<string> => {
  const server = createHttpServer(listener);
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return listen(server);
};

/** A server that does this with each connection once a request has come. */
const serveRaw = (answer: (socket: Socket) => void): Promise<string> => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  closers.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return listen(server);
};

const send = (url: string, changes: Partial<HttpRequest> = {}) =>
  kyHttp.send({ method: 'GET', url, headers: {}, timeoutMs: 5_000, maxAnswerBytes: 1_000_000, ...changes });

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
};

describe('HTTP through ky', () => {
  it('gives each cookie that an answer sets by itself, apart from the headers', async () => {
    const cookies = ['a=1; path=/; expires=Fri, 01 Jan 2027 00:00:00 GMT', 'b=2; HttpOnly'];
    const url = await serve((_, response) => void response.writeHead(200, { 'set-cookie': cookies }).end('{}'));
    const answer = await send(url);
    expect(answer).toMatchObject({ setCookies: cookies });
    expect(JSON.stringify('headers' in answer && answer.headers)).not.toContain('a=1');
  });

  it('sends method, headers and body, and gives status, headers in lower case and text', async () => {
    const url = await serve(async (request, response) => {
      const body = await bodyOf(request);
      response.writeHead(201, { 'X-Seen': `${request.method} ${request.headers['x-mine']} ${request.url}` });
      response.end(body);
    });
    const answer = await send(url, { method: 'POST', headers: { 'x-mine': 'yes' }, body: '{"name":"产品A"}' });
    expect(answer).toMatchObject({ kind: 'answered', status: 201, text: '{"name":"产品A"}' });
    expect(answer).toMatchObject({ headers: { 'x-seen': 'POST yes /list?secret=hidden' } });
  });

  it.each([400, 401, 404, 409, 429, 500, 503])('gives status %d as an answer, after one request', async (status) => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests += 1;
      response.writeHead(status, { 'retry-after': '0' }).end('why');
    });
    expect(await send(url)).toMatchObject({ kind: 'answered', status, text: 'why' });
    expect(requests).toBe(1);
  });

  it('does not follow redirects', async () => {
    const url = await serve((_, response) => response.writeHead(302, { location: '/elsewhere' }).end());
    expect(await send(url)).toMatchObject({ kind: 'answered', status: 302, headers: { location: '/elsewhere' } });
  });

  it('keeps the connection alive between requests', async () => {
    const ports = new Set<number | undefined>();
    const url = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      response.end('ok');
    });
    for (let request = 0; request < 20; request++) await send(url);
    // A second connection may be opened while the first is still being put back.
    expect(ports.size).toBeLessThanOrEqual(2);
  });

  it('joins characters that were cut between two chunks', async () => {
    const bytes = Buffer.from('产品');
    const url = await serve((_, response) => {
      response.write(bytes.subarray(0, 4));
      setTimeout(() => response.end(bytes.subarray(4)), 20);
    });
    expect(await send(url)).toMatchObject({ text: '产品' });
  });

  it('reads an answer of exactly the largest size, and none that is one byte longer', async () => {
    const url = await serve((_, response) => {
      response.write('x'.repeat(600));
      response.end('x'.repeat(400));
    });
    expect(await send(url, { maxAnswerBytes: 1_000 })).toMatchObject({ kind: 'answered' });
    expect(await send(url, { maxAnswerBytes: 999 })).toMatchObject({ kind: 'failed', cause: 'tooLarge' });
  });

  it('stops the download of an endless answer', async () => {
    let closed = false;
    const url = await serve((_, response) => {
      const timer = setInterval(() => response.write('x'.repeat(64_000)), 1);
      response.on('close', () => {
        clearInterval(timer);
        closed = true;
      });
    });
    expect(await send(url, { maxAnswerBytes: 200_000 })).toMatchObject({ kind: 'failed', cause: 'tooLarge' });
    await expect.poll(() => closed).toBe(true);
  });

  it.each([
    ['gzip', gzipSync('{"name":"产品"}')],
    ['deflate', deflateSync('{"name":"产品"}')],
    ['br', brotliCompressSync('{"name":"产品"}')],
    ['gzip', Buffer.from('{"name":"产品"}')],
    ['br', Buffer.from('{"name":"产品"}')],
  ])(
    'unpacks an answer that is declared as %s, and takes plain text that is declared so as it is',
    async (name, bytes) => {
      const url = await serve((_, response) => response.writeHead(200, { 'content-encoding': name }).end(bytes));
      expect(await send(url)).toMatchObject({
        kind: 'answered',
        text: '{"name":"产品"}',
        headers: { 'content-encoding': name },
      });
    },
  );

  it('never takes the first part of a packed answer for the whole: the status stands, the text is unreadable', async () => {
    const packed = gzipSync('x'.repeat(10_000));
    const url = await serve((_, response) =>
      response.writeHead(201, { 'content-encoding': 'gzip' }).end(packed.subarray(0, packed.length - 9)),
    );
    expect(await send(url)).toMatchObject({ kind: 'answered', status: 201, unreadable: { why: 'packing' } });
  });

  it('decodes the charset that is declared, and marks bytes that are in none', async () => {
    const url = await serve((request, response) => {
      const declared = request.method === 'POST' ? { 'content-type': 'application/json; charset=GBK' } : {};
      response.writeHead(200, declared).end(Buffer.from([0x22, 0xd6, 0xd0, 0xb9, 0xfa, 0x22]));
    });
    expect(await send(url, { method: 'POST' })).toMatchObject({ text: '"中国"' });
    expect(await send(url)).toMatchObject({ status: 200, unreadable: { why: 'charset' } });
  });

  it('counts the unpacked size of a packed answer', async () => {
    const packed = gzipSync('x'.repeat(1_000_000));
    const url = await serve((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed));
    expect(await send(url, { maxAnswerBytes: 10_000 })).toMatchObject({ kind: 'failed', cause: 'tooLarge' });
  });

  const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
  it.each<[name: string, cause: string, answer: (socket: Socket) => void]>([
    ['closed without an answer', 'reset', (socket) => socket.destroy()],
    ['reset without an answer', 'reset', (socket) => socket.resetAndDestroy()],
    ['cut off before its declared length', 'reset', (socket) => socket.end(`${head}content-length: 99\r\n\r\n{"a":`)],
    [
      'cut off between its chunks',
      'reset',
      (socket) => socket.end(`${head}transfer-encoding: chunked\r\n\r\n3\r\n{"a\r\n`),
    ],
    ['not HTTP', 'network', (socket) => socket.end('hello\r\n\r\n')],
    ['declared longer than allowed', 'tooLarge', (socket) => socket.write(`${head}content-length: 9000000\r\n\r\n`)],
  ])('reports an answer that is %s as %s', async (_, cause, answer) => {
    expect(await send(await serveRaw(answer))).toMatchObject({ kind: 'failed', cause });
  });

  it.each<[name: string, answer: (socket: Socket) => void]>([
    ['silence', () => {}],
    ['a body that never ends', (socket) => socket.write(`${head}content-length: 99\r\n\r\n{"a":`)],
  ])('gives up %s at the time-out', async (_, answer) => {
    const url = await serveRaw(answer);
    const startMs = performance.now();
    expect(await send(url, { timeoutMs: 150 })).toMatchObject({ kind: 'failed', cause: 'timeout' });
    expect(performance.now() - startMs).toBeLessThan(2_000);
  });

  it('reports a port on which nobody listens as refused: surely not sent', async () => {
    const server = createServer();
    const url = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await send(url)).toMatchObject({ kind: 'failed', cause: 'refused' });
  });

  it('reports a port that fetch never uses as refused: surely not sent', async () => {
    expect(await send('http://127.0.0.1:1/')).toMatchObject({ kind: 'failed', cause: 'refused' });
  });

  it('reports a host without an address as a DNS failure: surely not sent', async () => {
    expect(await send('http://nowhere.invalid/')).toMatchObject({ kind: 'failed', cause: 'dns' });
  });

  it('holds neither URL, query, header nor body in the message of any failure', async () => {
    const headers = { authorization: 'Bearer hidden' };
    const urls = [
      await serveRaw((socket) => socket.destroy()),
      await serveRaw((socket) => socket.end('hidden\r\n\r\n')),
      'http://nowhere.invalid/?secret=hidden',
      'http://%hidden/',
    ];
    const answers = await Promise.all([
      ...urls.map((url) => send(url, { method: 'POST', headers, body: 'hidden' })),
      send(urls[0] ?? '', { headers: { authorization: 'Bearer hidden\nhidden' } }),
    ]);
    for (const answer of answers) {
      expect(answer).toMatchObject({ kind: 'failed' });
      expect(JSON.stringify(answer)).not.toMatch(/hidden|127\.0|nowhere/);
    }
  });
});
