import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { kyHttp } from '../../lib/connection/ky-http.ts';
import type { Env } from '../../lib/connection/secrets.ts';
import { openNotifier } from '../../lib/notify/notifier.ts';
import type { ExtractedRun } from '../../lib/runs/record.ts';
import { ConfigurationError } from '../../lib/runtime/fault.ts';
import type { LogFields } from '../../lib/runtime/log.ts';
import { fakeClock } from '../fakes/fake-clock.ts';
import { memorySecretStore } from '../fakes/memory-secret-store.ts';
import { loadingRun } from '../runs/run-record.ts';

type Call = { path: string; type: string | undefined; body: { text?: { content: string }; title?: string } };

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
});

/** A robot on this machine that answers everything so. */
const robot = async (status: number, answer: unknown) => {
  const calls: Call[] = [];
  server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    calls.push({ path: request.url ?? '', type: request.headers['content-type'], body: JSON.parse(body) });
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { calls, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/send?access_token=TOKEN` };
};

const unbalanced: ExtractedRun = { ...loadingRun, status: 'unbalanced', counts: { ...loadingRun.counts, open: 1 } };

const tell = async (env: Env, secrets: Record<string, string> = {}) => {
  const logged: Array<{ event: string; fields: LogFields | undefined }> = [];
  const note = (event: string, fields?: LogFields) => {
    logged.push({ event, fields });
  };
  const log = { info: note, warn: note, error: note };
  const notifier = openNotifier(env, { http: kyHttp, secrets: memorySecretStore(secrets), clock: fakeClock(), log });
  await notifier?.(unbalanced, loadingRun);
  return { notifier, logged };
};

test('is off unless a format is set', async () => {
  expect((await tell({ NOTIFY_WEBHOOK_URL: 'http://127.0.0.1' })).notifier).toBeUndefined();
});

test('a robot is told over HTTP, in UTF-8 JSON', async () => {
  const { calls, url } = await robot(200, { errcode: 0 });
  const { logged } = await tell({ NOTIFY_FORMAT: 'wecom', NOTIFY_WEBHOOK_URL: url });
  expect(calls).toHaveLength(1);
  expect(calls[0]?.type).toBe('application/json; charset=utf-8');
  expect(calls[0]?.body.text?.content).toContain('账目不平');
  expect(logged.map(({ event }) => event)).toEqual(['notified']);
});

test('address and secret may be kept in SSM', async () => {
  const { calls, url } = await robot(200, { errcode: 0 });
  await tell(
    { NOTIFY_FORMAT: 'dingtalk', NOTIFY_WEBHOOK_URL: 'ssm:/s/url', NOTIFY_SECRET: 'ssm:/s/secret' },
    { 'SSM parameter /s/url': url, 'SSM parameter /s/secret': 'SEC1' },
  );
  expect(calls[0]?.path).toMatch(/^\/send\?access_token=TOKEN&timestamp=\d+&sign=/);
});

describe('a failure is logged, without the address, and never thrown:', () => {
  test('the robot refuses inside HTTP 200', async () => {
    const { url } = await robot(200, { errcode: 310000, errmsg: 'sign not match' });
    const { logged } = await tell({ NOTIFY_FORMAT: 'dingtalk', NOTIFY_WEBHOOK_URL: url });
    expect(logged).toMatchObject([{ event: 'notify-failed', fields: { status: 200 } }]);
    expect(JSON.stringify(logged)).toContain('sign not match');
  });

  test('the robot repeats its address and its secret', async () => {
    const answer = { errcode: 1, errmsg: '/hook/0123456789abcdef0123?access_token=TOKEN%2B1 SEC-1/x' };
    const { url } = await robot(200, answer);
    const { logged } = await tell({
      NOTIFY_FORMAT: 'dingtalk',
      NOTIFY_WEBHOOK_URL: url.replace('/send?access_token=TOKEN', '/hook/0123456789abcdef0123?access_token=TOKEN%2B1'),
      NOTIFY_SECRET: 'SEC-1/x',
    });
    expect(logged.map(({ event }) => event)).toEqual(['notify-failed']);
    expect(JSON.stringify(logged)).not.toMatch(/TOKEN|0123456789|SEC-1/);
  });

  test('the robot answers 500', async () => {
    const { url } = await robot(500, {});
    const { logged } = await tell({ NOTIFY_FORMAT: 'json', NOTIFY_WEBHOOK_URL: url });
    expect(logged).toMatchObject([{ event: 'notify-failed', fields: { status: 500 } }]);
    expect(JSON.stringify(logged)).not.toContain('TOKEN');
  });

  test('nobody listens', async () => {
    const { logged } = await tell({
      NOTIFY_FORMAT: 'json',
      NOTIFY_WEBHOOK_URL: 'http://127.0.0.1:9/send?access_token=TOKEN',
    });
    expect(logged.map(({ event }) => event)).toEqual(['notify-failed']);
    expect(JSON.stringify(logged)).not.toContain('TOKEN');
  });

  test('its secret cannot be read', async () => {
    const { logged } = await tell({ NOTIFY_FORMAT: 'json', NOTIFY_WEBHOOK_URL: 'ssm:/missing' });
    expect(logged).toMatchObject([{ event: 'notify-failed', fields: { why: 'SecretUnreadableError' } }]);
  });

  test('its address is none', async () => {
    const { logged } = await tell(
      { NOTIFY_FORMAT: 'dingtalk', NOTIFY_WEBHOOK_URL: 'ssm:/s/url' },
      { 'SSM parameter /s/url': 'TOKEN' },
    );
    expect(logged.map(({ event }) => event)).toEqual(['notify-failed']);
    expect(JSON.stringify(logged)).not.toContain('TOKEN');
  });
});

test.each<[string, Env]>([
  ['NOTIFY_FORMAT', { NOTIFY_FORMAT: 'slack', NOTIFY_WEBHOOK_URL: 'http://127.0.0.1' }],
  ['NOTIFY_WEBHOOK_URL', { NOTIFY_FORMAT: 'json' }],
  ['NOTIFY_WEBHOOK_URL', { NOTIFY_FORMAT: 'json', NOTIFY_WEBHOOK_URL: 'TOKEN' }],
])('a wrong %s is a fault of the configuration', async (path, env) => {
  const thrown = await tell(env).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(ConfigurationError);
  expect((thrown as ConfigurationError).faults.map((fault) => fault.path)).toEqual([path]);
  expect((thrown as ConfigurationError).message).not.toContain('TOKEN');
});
