import { describe, expect, it } from 'vitest';
import {
  cachedSecrets,
  lookUp,
  type Ref,
  resolveRef,
  type SecretStore,
  SecretUnreadableError,
} from '../../lib/connection/secrets.ts';
import { fakeClock } from '../fakes/fake-clock.ts';
import { memorySecretStore } from '../fakes/memory-secret-store.ts';

const LIFE_MS = 300_000;

describe('a reference to a value', () => {
  const env = {
    PLAIN: 'hello',
    EMPTY: '',
    PARAMETER: 'ssm:/okki/secret',
    SECRET: 'secretsmanager:prod/okki',
    MEMBER: 'secretsmanager:arn:aws:secretsmanager:eu-west-1:1:secret:okki-AbC#client#secret',
    ALMOST: 'ssm:',
    PASTED: ' hello\r\n',
    BLANK: ' \n',
    PASTED_PARAMETER: 'ssm:/okki/secret\n',
  };
  it.each<[ref: Ref, expected: unknown]>([
    [{ env: 'PLAIN' }, { kind: 'value', value: 'hello' }],
    [{ env: 'ALMOST' }, { kind: 'value', value: 'ssm:' }],
    [{ env: 'EMPTY' }, { kind: 'missing' }],
    [{ env: 'ABSENT' }, { kind: 'missing' }],
    [{ env: 'PASTED' }, { kind: 'value', value: 'hello' }],
    [{ env: 'BLANK' }, { kind: 'missing' }],
    [{ env: 'PASTED_PARAMETER' }, { kind: 'stored', ref: { ssm: '/okki/secret' } }],
    [{ env: 'PARAMETER' }, { kind: 'stored', ref: { ssm: '/okki/secret' } }],
    [{ env: 'SECRET' }, { kind: 'stored', ref: { secretsManager: 'prod/okki' } }],
    [
      { env: 'MEMBER' },
      {
        kind: 'stored',
        ref: { secretsManager: 'arn:aws:secretsmanager:eu-west-1:1:secret:okki-AbC', key: 'client#secret' },
      },
    ],
    [{ ssm: '/direct' }, { kind: 'stored', ref: { ssm: '/direct' } }],
  ])('%j leads to %j', (ref, expected) => {
    expect(lookUp(ref, env)).toEqual(expected);
  });

  it('is resolved through the environment and the store', async () => {
    const store = memorySecretStore({ 'SSM parameter /okki/secret': 'from ssm' });
    expect(await resolveRef({ env: 'PLAIN' }, env, store)).toBe('hello');
    expect(await resolveRef({ env: 'PARAMETER' }, env, store)).toBe('from ssm');
    expect(await resolveRef({ env: 'ABSENT' }, env, store)).toBeUndefined();
    await expect(resolveRef({ env: 'SECRET' }, env, store)).rejects.toThrow(SecretUnreadableError);
  });
});

describe('cached secrets', () => {
  const counting = () => {
    let reads = 0;
    const store: SecretStore = {
      read: async () => `value ${++reads}`,
    };
    return { store, reads: () => reads };
  };
  const ref = { ssm: '/a' };

  it('are read once within their life, also by many at once', async () => {
    const clock = fakeClock();
    const { store, reads } = counting();
    const secrets = cachedSecrets(store, clock, LIFE_MS);
    await Promise.all([secrets.read(ref), secrets.read(ref)]);
    await clock.advance(LIFE_MS - 1);
    expect(await secrets.read(ref)).toBe('value 1');
    await clock.advance(1);
    expect(await secrets.read(ref)).toBe('value 2');
    expect(reads()).toBe(2);
  });

  it('are told apart by store, name and key', async () => {
    const secrets = cachedSecrets(counting().store, fakeClock(), LIFE_MS);
    const refs = [{ ssm: 'a' }, { secretsManager: 'a' }, { secretsManager: 'a', key: 'b' }, { ssm: 'b' }];
    expect(new Set(await Promise.all(refs.map((each) => secrets.read(each)))).size).toBe(4);
  });

  it('are read again once forgotten', async () => {
    const secrets = cachedSecrets(counting().store, fakeClock(), LIFE_MS);
    await secrets.read(ref);
    secrets.forget(ref);
    expect(await secrets.read(ref)).toBe('value 2');
  });

  it('do not remember a failure', async () => {
    let fails = true;
    const store: SecretStore = {
      read: async () => {
        if (fails) throw new SecretUnreadableError(ref, 'down');
        return 'up';
      },
    };
    const secrets = cachedSecrets(store, fakeClock(), LIFE_MS);
    await expect(secrets.read(ref)).rejects.toThrow('SSM parameter /a cannot be read: down');
    fails = false;
    expect(await secrets.read(ref)).toBe('up');
  });
});
