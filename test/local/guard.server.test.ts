import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSandbox } from '../../local/sandbox/sandbox.ts';
import { takeDataDir } from '../../local/stack/data-dir.ts';
import { startDynamoDbServer } from '../../local/stack/dynamodb-server.ts';
import { createGate } from '../../local/stack/gate.ts';
import { newCredentials } from '../../local/stack/local-account.ts';
import { startSqsServer } from '../../local/stack/sqs-server.ts';

const credentials = newCredentials();
const { doors } = createGate(credentials);
const signedBy = (accessKeyId: string) =>
  `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260105/us-east-1/x/aws4_request, SignedHeaders=host, Signature=0`;

type Asked = { method?: string; path?: string; headers?: Record<string, string>; body?: string };

/** Sends exactly these headers, `Host` among them, as no `fetch` does. */
const send = (url: string, { method = 'POST', path = '/', headers = {}, body = '{}' }: Asked) =>
  new Promise<{ status: number; headers: NodeJS.Dict<string | string[]> }>((resolve, reject) => {
    const sent = request(new URL(path, url), { method, headers }, (response) => {
      response.resume().on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers }));
    });
    sent.on('error', reject).end(method === 'GET' || method === 'OPTIONS' ? undefined : body);
  });

const dir = mkdtempSync(join(tmpdir(), 'okki-guard-'));
const closers: (() => unknown)[] = [() => rmSync(dir, { recursive: true, force: true })];
const urls = new Map<string, string>();

beforeAll(async () => {
  const parts = takeDataDir(join(dir, 'data'), { fresh: false });
  const sqs = await startSqsServer(parts.queues, doors);
  const dynamoDb = await startDynamoDbServer(parts.tables, doors);
  const sandbox = await startSandbox();
  closers.unshift(sqs.close, dynamoDb.close, sandbox.close, parts.release);
  for (const [name, url] of Object.entries({ sqs: sqs.endpoint, dynamodb: dynamoDb.endpoint, sandbox: sandbox.url })) {
    urls.set(name, url);
  }
});
afterAll(async () => {
  for (const close of closers) await close();
});

const own: Record<string, Asked> = {
  sqs: {
    headers: {
      'x-amz-target': 'AmazonSQS.ListQueues',
      'content-type': 'application/x-amz-json-1.0',
      authorization: signedBy(credentials.accessKeyId),
    },
  },
  dynamodb: {
    headers: {
      'x-amz-target': 'DynamoDB_20120810.ListTables',
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-date': '20260105T000000Z',
      authorization: signedBy(credentials.accessKeyId),
    },
  },
  sandbox: { path: '/sandbox/faults', headers: { 'content-type': 'application/json' }, body: '{"faults":[]}' },
};
const foreign: [string, Record<string, string>][] = [
  ['a page that asks with its origin', { origin: 'https://evil.example' }],
  ['a page in a sandboxed frame', { origin: 'null' }],
  ['a name that somebody points here', { host: 'rebind.evil.example' }],
  ['that name with our port', { host: 'rebind.evil.example:PORT' }],
  ['another port of this machine', { host: '127.0.0.1:1' }],
];

describe.each(Object.keys(own))('%s', (name) => {
  const url = () => urls.get(name) ?? '';
  const asked = own[name] ?? {};

  test('serves its own', async () => {
    expect((await send(url(), asked)).status).toBe(200);
  });

  test.each(foreign)('turns away %s', async (_, headers) => {
    const filled = Object.entries(headers).map(([key, value]) => [key, value.replace('PORT', new URL(url()).port)]);
    const answer = await send(url(), { ...asked, headers: { ...asked.headers, ...Object.fromEntries(filled) } });
    expect(answer.status).toBe(403);
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });

  test('answers no preflight', async () => {
    const headers = {
      origin: 'https://evil.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization, x-amz-target',
    };
    const answer = await send(url(), { method: 'OPTIONS', headers });
    expect(answer.status).toBe(403);
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });
});

describe.each(['sqs', 'dynamodb'])('%s', (name) => {
  test.each<[string, Record<string, string>]>([
    ['without a key', {}],
    ['with the key of another start', { authorization: signedBy(newCredentials().accessKeyId) }],
    ['with a part of the key', { authorization: signedBy(credentials.accessKeyId.slice(0, 8)) }],
  ])('turns away who comes %s', async (_, given) => {
    const { authorization: __, ...headers } = own[name]?.headers ?? {};
    expect((await send(urls.get(name) ?? '', { ...own[name], headers: { ...headers, ...given } })).status).toBe(403);
  });
});

test('the sandbox takes no fault from a form of a web page', async () => {
  const simple = { path: '/sandbox/faults', headers: { 'content-type': 'text/plain' }, body: '{"faults":[]}' };
  expect((await send(urls.get('sandbox') ?? '', simple)).status).toBe(415);
});

test('the sandbox of a run shows nobody what it was sent, and lists nothing else for anybody', async () => {
  const sandbox = await startSandbox({ sealed: true });
  closers.unshift(sandbox.close);
  expect((await send(sandbox.url, own.sandbox ?? {})).status).toBe(404);
  expect((await send(sandbox.url, { method: 'GET', path: '/sandbox/records?target=crm' })).status).toBe(404);
});

test.skipIf(process.platform === 'win32')(
  'only its owner reads a data directory, also what others could read before',
  () => {
    const root = join(dir, 'earlier');
    mkdirSync(join(root, 'tables'), { recursive: true, mode: 0o755 });
    chmodSync(join(root, 'tables'), 0o755);
    const parts = takeDataDir(root, { fresh: false });
    const othersMay = ['queues', 'tables', 'logs', 'lock', 'lock.pid'].map(
      (part) => statSync(join(root, part)).mode & 0o077,
    );
    parts.release();
    expect(othersMay).toEqual([0, 0, 0, 0, 0]);
  },
);
