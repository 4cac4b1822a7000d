import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import { kyHttp } from '../../lib/connection/ky-http.ts';

// Self-signed, for no host: made for these tests alone.
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgT+Y/+SEhtDEQM9mI
nDdWeCIOIlsTlBAtFX9P158uU/yhRANCAARyr8lr2EJv/tV3cMu/i/m60BpYGoc3
X4gRbdTy1O/MJmli1pSOJ81EUOFTLjRZsWgpAhfmnCc2ifV5i9gkm5u7
-----END PRIVATE KEY-----`;
const CERT = `-----BEGIN CERTIFICATE-----
MIIBfzCCASWgAwIBAgIUIlkgKyZvlXDWzwa2DSglsREyc+QwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyODE1MDcwOFoYDzIxMjYxMTA0
MTUwNzA4WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARyr8lr2EJv/tV3cMu/i/m60BpYGoc3X4gRbdTy1O/MJmli1pSOJ81E
UOFTLjRZsWgpAhfmnCc2ifV5i9gkm5u7o1MwUTAdBgNVHQ4EFgQUmWZzKHl53VzF
DCNI/kNGgofqaa0wHwYDVR0jBBgwFoAUmWZzKHl53VzFDCNI/kNGgofqaa0wDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiAKvBzobweY3ZOJhw9qeDhn
2YvdFuAED0ONJhvR2QePVwIhALwXQOexHIG1nMzqSv9Z9yXovjKrimIRKRwdG/0X
sPqO
-----END CERTIFICATE-----`;

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const listen = async (server: Server): Promise<number> => {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  closers.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};

const post = (url: string, timeoutMs = 5_000) =>
  kyHttp.send({ method: 'POST', url, headers: {}, body: '{}', timeoutMs, maxAnswerBytes: 1_000 });

/** A TLS alert, fatal: handshake_failure (RFC 8446 §6). */
const alert = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28]);

it.each<[what: string, cause: string, words: RegExp, server: () => Server]>([
  [
    'https to a port of plain http',
    'tls',
    /WRONG_VERSION.*plain http/,
    () => createHttpServer((_, answer) => answer.end()),
  ],
  ['a port that is no TLS at all', 'tls', /ERR_SSL/, () => createServer((socket) => socket.end('220 mail ready\r\n'))],
  ['a handshake that is refused', 'tls', /HANDSHAKE_FAILURE/, () => createServer((socket) => socket.write(alert))],
  ['a certificate that nobody signed', 'tls', /SELF_SIGNED/, () => createHttpsServer({ key: KEY, cert: CERT })],
  ['a connection that is closed at once', 'unreachable', /ECONNRESET/, () => createServer((socket) => socket.end())],
  [
    'a connection that is reset in the handshake',
    'unreachable',
    /ECONNRESET/,
    () => createServer((socket) => socket.once('data', () => socket.resetAndDestroy())),
  ],
])('%s is surely not sent: %s', async (_, cause, words, server) => {
  const answer = await post(`https://127.0.0.1:${await listen(server())}/`);
  expect(answer).toMatchObject({ kind: 'failed', cause, message: expect.stringMatching(words) });
});

it('a time-out before there is a connection is surely not sent', async () => {
  const port = await listen(createServer(() => {}));
  expect(await post(`https://127.0.0.1:${port}/`, 150)).toMatchObject({ cause: 'unreachable' });
});

it('a time-out after the request went out says nothing of it', async () => {
  const port = await listen(createServer(() => {}));
  expect(await post(`http://127.0.0.1:${port}/`, 150)).toMatchObject({ cause: 'timeout' });
});

it('requests side by side are told apart', async () => {
  const port = await listen(createServer((socket) => socket.once('data', () => socket.destroy())));
  const answers = await Promise.all(
    ['http', 'https', 'http', 'https'].map((scheme) => post(`${scheme}://127.0.0.1:${port}/`)),
  );
  const causes = answers.map((answer) => (answer.kind === 'failed' ? answer.cause : ''));
  expect(causes).toEqual(['reset', 'unreachable', 'reset', 'unreachable']);
});

it('a proxy that refuses the tunnel got no request of ours', async () => {
  const proxy = createHttpServer((_, answer) => answer.end());
  proxy.on('connect', (_, socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'));
  const port = await listen(proxy);
  const script = `
    import { kyHttp } from ${JSON.stringify(new URL('../../lib/connection/ky-http.ts', import.meta.url).href)};
    const request = { method: 'POST', url: 'https://target.invalid/', headers: {}, body: '{}' };
    console.log(JSON.stringify(await kyHttp.send({ ...request, timeoutMs: 5000, maxAnswerBytes: 1000 })));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    // Node reads the proxy as it starts.
    env: { ...process.env, NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: `http://127.0.0.1:${port}`, NO_PROXY: '' },
  });
  expect(JSON.parse(stdout)).toMatchObject({ kind: 'failed', cause: 'unreachable' });
});
