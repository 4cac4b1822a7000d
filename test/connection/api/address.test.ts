import { describe, expect, it } from 'vitest';
import { addressOf, type Connection, isSandbox, normalisedUrl } from '../../../lib/connection/api/connection.ts';
import { memorySecretStore } from '../../fakes/memory-secret-store.ts';

const place = { file: 'integrations/groups.json', path: 'target.connection' };
const connection = (changes: Partial<Connection> = {}): Connection => ({
  name: 'crm',
  baseUrl: { env: 'CRM_BASE_URL' },
  auth: { kind: 'bearer', token: { env: 'CRM_TOKEN' }, optional: true },
  timeoutMs: 1_000,
  maxAnswerBytes: 1_024,
  ...changes,
});
const env = { CRM_BASE_URL: 'https://crm.example/api', CRM_TOKEN: 'one', APP_KEY: 'k', CLIENT: 'c', SECRET: 's' };
const of = (changes: Partial<Connection> = {}, over: Record<string, string> = {}) =>
  addressOf(connection(changes), place, { ...env, ...over }, memorySecretStore());

describe('a base URL', () => {
  it.each([
    'https://crm.example/api',
    'HTTPS://CRM.Example/api/',
    'https://crm.example:443/api//',
    'https://crm.example./api',
  ])('%s is one, however it is written', (url) => {
    expect(normalisedUrl(url)).toBe('https://crm.example/api');
  });

  it.each([
    'http://crm.example/api',
    'https://crm.example:8443/api',
    'https://crm.example/API',
    'https://b.example/api',
  ])('%s is another one', (url) => {
    expect(normalisedUrl(url)).not.toBe('https://crm.example/api');
  });
});

describe('the address of a connection', () => {
  it('is told by a short hash, and to people by its origin', async () => {
    const { id, origin } = await of();
    expect([id.length, origin]).toEqual([16, 'https://crm.example']);
    expect(id).not.toContain('crm');
  });

  it('stays the same when a token or a secret rotates', async () => {
    const oauth2 = { kind: 'oauth2', grant: 'client_credentials', tokenPath: '/token' } as const;
    const auth: Connection['auth'] = { ...oauth2, clientId: { env: 'CLIENT' }, clientSecret: { env: 'SECRET' } };
    expect(await of({}, { CRM_TOKEN: 'two' })).toEqual(await of());
    expect(await of({ auth }, { SECRET: 'other' })).toEqual(await of({ auth }));
  });

  it('is another one for another client of oauth2, unless the file names the account', async () => {
    const oauth2 = { kind: 'oauth2', grant: 'client_credentials', tokenPath: '/token' } as const;
    const auth: Connection['auth'] = { ...oauth2, clientId: { env: 'CLIENT' }, clientSecret: { env: 'SECRET' } };
    expect((await of({ auth }, { CLIENT: 'other' })).id).not.toBe((await of({ auth })).id);
    const account = ['acct-1'];
    expect(await of({ auth, account }, { CLIENT: 'other' })).toEqual(await of({ auth, account }));
  });

  it('is another one for another account, constant or by reference, in this order', async () => {
    const accounts = [['x'], ['y'], ['x', 'y'], ['y', 'x'], [{ env: 'APP_KEY' }], ['x', { env: 'APP_KEY' }]];
    const found = await Promise.all(accounts.map((account) => of({ account })));
    expect(new Set([...found.map(({ id }) => id), (await of()).id]).size).toBe(accounts.length + 1);
    expect((await of({ account: [{ env: 'APP_KEY' }] }, { APP_KEY: 'other' })).id).not.toBe(found[4]?.id);
  });

  it('of an account that is not set is a fault of the configuration, by name', async () => {
    await expect(of({ account: [{ env: 'ACCT_ID' }] })).rejects.toThrow(/account\[0\].*ACCT_ID/);
  });

  it('of the sandbox is one, whatever its port', async () => {
    const ports = ['http://127.0.0.1:1234', 'http://127.0.0.1:4321'];
    const found = await Promise.all(ports.map((url) => of({}, { CRM_BASE_URL: url, SANDBOX_URL: url })));
    expect(found[0]).toEqual(found[1]);
    expect(found.every(isSandbox)).toBe(true);
    expect(isSandbox(await of({}, { SANDBOX_URL: 'http://127.0.0.1:1' }))).toBe(false);
  });
});
