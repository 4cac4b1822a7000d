import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { awsSecretStore } from '../../lib/aws/secrets/secret-store.ts';
import { SecretUnreadableError } from '../../lib/connection/secrets.ts';

type Call = { target: string | undefined; body: unknown };

describe('secrets of AWS', () => {
  let server: Server;
  let calls: Call[] = [];
  let reply: { status: number; body: object } = { status: 200, body: {} };
  beforeAll(async () => {
    // AWS JSON 1.1, as both services speak it.
    server = createServer(async (request, response) => {
      let text = '';
      for await (const chunk of request) text += chunk;
      calls.push({ target: request.headers['x-amz-target']?.toString(), body: JSON.parse(text) });
      response.writeHead(reply.status, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify(reply.body));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    vi.stubEnv('AWS_ENDPOINT_URL_SSM', endpoint);
    vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', endpoint);
    vi.stubEnv('AWS_REGION', 'eu-west-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
  });
  afterEach(() => {
    calls = [];
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    server.close();
    server.closeAllConnections();
  });

  it('reads an SSM parameter decrypted', async () => {
    reply = { status: 200, body: { Parameter: { Name: '/okki', Value: 'v1' } } };
    expect(await awsSecretStore.read({ ssm: '/okki' })).toBe('v1');
    expect(calls).toEqual([{ target: 'AmazonSSM.GetParameter', body: { Name: '/okki', WithDecryption: true } }]);
  });

  it('reads a secret of Secrets Manager, or one key of it', async () => {
    reply = { status: 200, body: { SecretString: '{"client":"me","n":1}' } };
    expect(await awsSecretStore.read({ secretsManager: 'okki' })).toBe('{"client":"me","n":1}');
    expect(await awsSecretStore.read({ secretsManager: 'okki', key: 'client' })).toBe('me');
    expect(calls[0]).toEqual({ target: 'secretsmanager.GetSecretValue', body: { SecretId: 'okki' } });
  });

  it.each([
    ['a key that is not there', '{"client":"me"}', 'other'],
    ['a key that every object inherits', '{"client":"me"}', 'constructor'],
    ['a key whose value is no text', '{"client":{"a":1}}', 'client'],
    ['a key of a text that is not JSON', 'hush hush', 'client'],
  ])('names %s, and shows nothing of the secret', async (_, SecretString, key) => {
    reply = { status: 200, body: { SecretString } };
    const reading = awsSecretStore.read({ secretsManager: 'okki', key });
    await expect(reading).rejects.toThrow(SecretUnreadableError);
    await expect(reading).rejects.toThrow(`secret okki key ${key} in Secrets Manager`);
    await expect(reading).rejects.not.toThrow(/hush|me"/);
  });

  it.each([
    ['ParameterNotFound', 400, { __type: 'ParameterNotFound', message: 'hidden' }],
    ['AccessDeniedException', 400, { __type: 'AccessDeniedException', Message: 'hidden' }],
  ])('names the parameter and %s', async (name, status, body) => {
    reply = { status, body };
    await expect(awsSecretStore.read({ ssm: '/okki' })).rejects.toThrow(`SSM parameter /okki cannot be read: ${name}`);
  });

  it('refuses a parameter without a value', async () => {
    reply = { status: 200, body: { Parameter: {} } };
    await expect(awsSecretStore.read({ ssm: '/okki' })).rejects.toThrow('it holds no text');
  });
});
