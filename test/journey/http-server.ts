import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Request = {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: string;
};

/** `drop`: the connection ends without an answer; `cut`: in the middle of it. */
export type Answer =
  | { status?: number; headers?: Record<string, string | string[]>; text: string; cut?: boolean }
  | 'drop';

export type HttpServer = { url: string; port: number; close(): Promise<void> };

/**
 * A free port below those that the system hands out by itself (Linux from 32768, macOS from 49152): nobody takes it while
 * its server is down.
 */
export const lastingPort = async (): Promise<number> => {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    if (isFree) return port;
  }
};

/** A server on loopback that answers as it is told to. */
export const startHttpServer = async (answer: (request: Request) => Answer, port = 0): Promise<HttpServer> => {
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const url = new URL(incoming.url ?? '/', 'http://localhost');
      const given = answer({
        method: incoming.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      });
      if (given === 'drop') {
        response.destroy();
        return;
      }
      const { status = 200, headers = {}, text, cut = false } = given;
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      if (cut) response.write(text.slice(0, text.length / 2), () => response.destroy());
      else response.end(text);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
