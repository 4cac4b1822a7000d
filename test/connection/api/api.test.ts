import { beforeEach, describe, expect, it } from 'vitest';
import { type ApiDeps, type ApiRequest, connect } from '../../../lib/connection/api/api.ts';
import type { Connection } from '../../../lib/connection/api/connection.ts';
import type { Auth } from '../../../lib/connection/auth/schemes.ts';
import type { HttpAnswer, HttpRequest } from '../../../lib/connection/http.ts';
import { cachedSecrets, type Env } from '../../../lib/connection/secrets.ts';
import { ConfigurationError } from '../../../lib/runtime/fault.ts';
import { silentLog } from '../../../lib/runtime/log.ts';
import { standardTuning } from '../../../lib/runtime/tuning.ts';
import { type FakeClock, fakeClock } from '../../fakes/fake-clock.ts';
import { answered, type FakeHttp, failed, fakeHttp } from '../../fakes/fake-http.ts';
import { granted } from '../../fakes/granted.ts';
import { memorySecretStore } from '../../fakes/memory-secret-store.ts';
import { memoryTokenStore } from '../../fakes/memory-token-store.ts';
import { seededRandom } from '../../fakes/seeded-random.ts';

const oauth2: Auth = {
  kind: 'oauth2',
  grant: 'client_credentials',
  tokenPath: '/v1/oauth2/access_token',
  clientId: { env: 'CLIENT_ID' },
  clientSecret: { env: 'CLIENT_SECRET' },
  scope: 'product',
};
const place = { file: 'integrations/sample.json', path: 'source.connection' };
const list: ApiRequest = { method: 'GET', path: '/v1/list', query: [['page', '1']] };
const BASE = 'http://source.test/api';

describe('an API behind its authorization', () => {
  let clock: FakeClock;
  let env: Env;
  let secrets: Record<string, string>;
  beforeEach(() => {
    clock = fakeClock();
    env = { CLIENT_ID: 'me', CLIENT_SECRET: 'hush', TOKEN: 'fixed', BASE_URL: BASE };
    secrets = {};
  });
  const open = (http: FakeHttp, auth: Auth, changes: Partial<Connection> = {}) => {
    const connection: Connection = {
      name: 'okki',
      baseUrl: BASE,
      auth,
      timeoutMs: 60_000,
      maxAnswerBytes: 1_000_000,
      ...changes,
    };
    const deps: ApiDeps = {
      http,
      tokens: memoryTokenStore(),
      secrets: cachedSecrets({ read: (ref) => memorySecretStore(secrets).read(ref) }, clock, 60_000),
      clock,
      random: seededRandom(1),
      log: silentLog,
      env,
      tuning: standardTuning,
    };
    return connect(connection, place, deps);
  };
  const inMs = (ms: number) => ({ deadlineMs: clock.nowMs() + ms, awaitPermit: granted });
  const isTokenRequest = ({ url }: HttpRequest) => url.endsWith('/v1/oauth2/access_token');
  /** Gives tokens 1, 2, … and takes only those that are not in `revoked`. */
  const okki = (revoked: readonly string[], tokenAnswer?: HttpAnswer): FakeHttp => {
    let given = 0;
    return fakeHttp((request) => {
      if (isTokenRequest(request)) return tokenAnswer ?? answered(200, { access_token: `token-${++given}` });
      const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
      return revoked.includes(token) ? answered(401, {}) : answered(200, { data: [] });
    });
  };

  it('asks for a token, then for what is wanted, below the base URL', async () => {
    const http = okki([]);
    const sent = await open(http, oauth2).send(list, inMs(120_000));
    expect(sent).toMatchObject({ requests: 2, tokenRenewed: false, answer: { status: 200 } });
    expect(http.requests).toMatchObject([
      {
        method: 'POST',
        url: `${BASE}/v1/oauth2/access_token`,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'grant_type=client_credentials&client_id=me&client_secret=hush&scope=product',
      },
      {
        method: 'GET',
        url: `${BASE}/v1/list?page=1`,
        headers: { accept: 'application/json', authorization: 'Bearer token-1' },
        timeoutMs: 60_000,
        maxAnswerBytes: 1_000_000,
      },
    ]);
  });

  it('renews a token that is refused once, and repeats once', async () => {
    const http = okki(['token-1']);
    const sent = await open(http, oauth2).send(list, inMs(120_000));
    expect(sent).toMatchObject({ requests: 4, tokenRenewed: true, answer: { status: 200 } });
    expect(http.requests.at(-1)?.headers.authorization).toBe('Bearer token-2');
  });

  it('takes its own token out of an answer that repeats it', async () => {
    const token = 'a-token-of-more-than-sixteen-characters';
    env = { ...env, TOKEN: token };
    const bearer: Auth = { kind: 'bearer', token: { env: 'TOKEN' }, optional: false };
    const http = fakeHttp(({ headers }) => ({ ...answered(422, {}), text: `refused: ${headers.authorization}` }));
    const { answer } = await open(http, bearer).send(list, inMs(60_000));
    expect(answer).toMatchObject({ status: 422, text: 'refused: Bearer ***' });
  });

  it('leaves a short token in the answer, where it may be part of a record, and takes it out of what is shown', async () => {
    env = { ...env, TOKEN: 'tok/1234' };
    const bearer: Auth = { kind: 'bearer', token: { env: 'TOKEN' }, optional: false };
    const http = fakeHttp(({ headers }) =>
      answered(200, { message: `${headers.authorization} ${headers.authorization}` }),
    );
    const { answer } = await open(http, bearer).send(list, inMs(60_000));
    expect(answer).toMatchObject({
      text: '{"message":"Bearer tok/1234 Bearer tok/1234"}',
      shown: '{"message":"Bearer *** Bearer ***"}',
    });
    const silent = await open(
      fakeHttp(() => answered(200, {})),
      bearer,
    ).send(list, inMs(60_000));
    expect(silent.answer).not.toHaveProperty('shown');
  });

  it('takes the credentials of the token request out of an answer, too', async () => {
    env = { ...env, CLIENT_SECRET: 'p@ss/w0rd+1' };
    const http = fakeHttp((request) =>
      isTokenRequest(request)
        ? answered(200, { access_token: 'token-1' })
        : answered(400, `${encodeURIComponent('p@ss/w0rd+1')} ${Buffer.from('p@ss/w0rd+1').toString('base64')}`),
    );
    const { answer } = await open(http, oauth2).send(list, inMs(60_000));
    expect(answer).toMatchObject({ shown: '*** ***' });
  });

  /** Gives tokens 1, 2, …; the API answers as `answer` says. */
  const giving = (answer: (token: string) => HttpAnswer): FakeHttp => {
    let given = 0;
    return fakeHttp((request) =>
      isTokenRequest(request)
        ? answered(200, { access_token: `token-${++given}` })
        : answer(request.headers.authorization?.replace('Bearer ', '') ?? ''),
    );
  };
  const tokensAsked = (http: FakeHttp) => http.requests.filter(isTokenRequest).length;
  const byCode: Auth = { ...oauth2, expired: { path: 'code', equals: [401] } };

  it('renews a token that a 403 refuses, unless it was only just given', async () => {
    const revoked = new Set<string>();
    const http = giving((token) => (revoked.has(token) ? answered(403, {}) : answered(200, {})));
    const api = open(http, oauth2);
    await api.send(list, inMs(60_000));
    revoked.add('token-1');
    expect(await api.send(list, inMs(60_000))).toMatchObject({ tokenRenewed: true, answer: { status: 200 } });
    expect(tokensAsked(http)).toBe(2);
  });

  it('renews a token that a 403 refuses after it could not be renewed ahead of time', async () => {
    const revoked = new Set<string>();
    let given = 0;
    let isDown = false;
    const http = fakeHttp((request) => {
      if (isTokenRequest(request)) {
        // Down for one request.
        if (isDown) {
          isDown = false;
          return answered(500, {});
        }
        return answered(200, { access_token: `token-${++given}`, expires_in: 1_000 });
      }
      const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
      return revoked.has(token) ? answered(403, {}) : answered(200, {});
    });
    const api = open(http, oauth2);
    await api.send(list, inMs(60_000));
    await clock.advance(930_000);
    isDown = true;
    revoked.add('token-1');
    expect(await api.send(list, inMs(60_000))).toMatchObject({ tokenRenewed: true, answer: { status: 200 } });
    expect(given).toBe(2);
  });

  it.each([
    ['a lasting 403', oauth2, answered(403, {}), 2],
    ['a lasting 401', oauth2, answered(401, {}), 2],
    ['a refusal by rule that lasts', byCode, answered(200, { code: 401 }), 2],
    ['a 403 that speaks of the rate', oauth2, answered(403, {}, { 'retry-after': '1' }), 1],
    ['a 403 whose interval is used up', oauth2, answered(403, {}, { 'x-ratelimit-remaining': '0' }), 1],
  ])('%s asks for no token per record', async (_, auth, answer, tokens) => {
    const http = giving(() => answer);
    const api = open(http, auth);
    for (let record = 0; record < 10; record++) await api.send(list, inMs(60_000));
    expect(tokensAsked(http)).toBe(tokens);
  });

  it('renews again a token that was refused and then accepted', async () => {
    const refusing = ['token-1', 'token-2'];
    const http = giving((token) => (refusing.includes(token) ? answered(401, {}) : answered(200, {})));
    const api = open(http, oauth2);
    await api.send(list, inMs(60_000));
    refusing.pop();
    await api.send(list, inMs(60_000));
    refusing.push('token-2');
    expect(await api.send(list, inMs(60_000))).toMatchObject({ tokenRenewed: true, answer: { status: 200 } });
  });

  it('renews by a rule of the file, inside a 200 as well', async () => {
    const http = giving((token) => answered(200, { code: token === 'token-1' ? 401 : 0 }));
    const sent = await open(http, byCode).send(list, inMs(60_000));
    expect(sent).toMatchObject({ tokenRenewed: true, answer: { kind: 'answered', status: 200 } });
  });

  it('says that the token is refused where a rule refuses the new one, too, whatever the status', async () => {
    const http = giving(() => answered(200, { code: 401, msg: 'expired' }));
    const { answer } = await open(http, byCode).send(list, inMs(60_000));
    expect(answer).toEqual({
      kind: 'accessRefused',
      isFinal: false,
      status: 200,
      words: '{"code":401,"msg":"expired"}',
    });
  });

  it('takes a second 401 as the answer', async () => {
    const http = okki(['token-1', 'token-2']);
    const sent = await open(http, oauth2).send(list, inMs(120_000));
    expect(sent).toMatchObject({ requests: 4, tokenRenewed: true, answer: { status: 401 } });
  });

  it('repeats once even where the revoked token comes again', async () => {
    const same = answered(200, { access_token: 'same' });
    const http = okki(['same'], same);
    expect(await open(http, oauth2).send(list, inMs(120_000))).toMatchObject({ requests: 4, answer: { status: 401 } });
  });

  it('lets eight workers that are refused at once renew once', async () => {
    const http = okki(['token-1']);
    const api = open(http, oauth2);
    const results = await Promise.all(Array.from({ length: 8 }, () => api.send(list, inMs(120_000))));
    expect(results.every(({ answer }) => answer.kind === 'answered' && answer.status === 200)).toBe(true);
    expect(http.requests.filter(isTokenRequest)).toHaveLength(2);
    expect(results.reduce((sum, { requests }) => sum + requests, 0)).toBe(http.requests.length);
  });

  it.each<[name: string, answer: HttpAnswer, expected: object]>([
    ['refused', answered(400, { error: 'invalid_client' }), { permanent: true }],
    ['down', answered(500), { permanent: false }],
    ['busy', answered(429, '', { 'retry-after': '9' }), { permanent: false, retryAfterMs: 9_000 }],
    ['unreachable', failed('refused'), { permanent: false }],
  ])('sends nothing without a token: %s', async (_, tokenAnswer, expected) => {
    const http = okki([], tokenAnswer);
    const sent = await open(http, oauth2).send(list, inMs(120_000));
    expect(sent).toMatchObject({ requests: 1, answer: { kind: 'noToken', ...expected } });
    expect(http.requests.every(isTokenRequest)).toBe(true);
  });

  it('awaits a permit before every request, and sends none without it', async () => {
    const http = okki(['token-1']);
    let asked = 0;
    const awaitPermit = async () => {
      asked += 1;
      return asked <= 3 ? ({ granted: true } as const) : ({ granted: false, retryAtMs: 77 } as const);
    };
    const sent = await open(http, oauth2).send(list, { ...inMs(120_000), awaitPermit });
    expect(sent).toEqual({ requests: 3, tokenRenewed: true, answer: { kind: 'later', retryAtMs: 77 } });
    expect(http.requests).toHaveLength(3);
  });

  it('cuts a request off at the deadline, and begins none without time', async () => {
    const http = okki([]);
    const api = open(http, oauth2);
    await api.send(list, inMs(5_000));
    expect(http.requests.map(({ timeoutMs }) => timeoutMs)).toEqual([5_000, 5_000]);
    expect(await api.send(list, inMs(standardTuning.connection.minRequestMs - 1))).toMatchObject({
      requests: 0,
      answer: { kind: 'later' },
    });
    expect(http.requests).toHaveLength(2);
  });

  it('follows a link on its own origin, and shows the token to no other host', async () => {
    const http = okki([]);
    const api = open(http, oauth2);
    await api.send({ ...list, link: '/api/v1/list?page=2' }, inMs(60_000));
    expect(http.requests.at(-1)?.url).toBe('http://source.test/api/v1/list?page=2');
    const sent = await api.send({ ...list, link: 'http://evil.test/list' }, inMs(60_000));
    expect(sent).toEqual({ requests: 0, tokenRenewed: false, answer: { kind: 'foreignLink' } });
    expect(http.requests.every(({ url }) => url.startsWith('http://source.test/'))).toBe(true);
  });

  it('sends a body as JSON with the headers it is given', async () => {
    const http = fakeHttp(() => answered(200));
    const request: ApiRequest = { method: 'POST', path: '/x', body: '{}', headers: { 'idempotency-key': 'k' } };
    await open(http, { kind: 'none' }).send(request, inMs(60_000));
    expect(http.requests[0]).toMatchObject({ body: '{}' });
    expect(http.requests[0]?.headers).toEqual({
      accept: 'application/json',
      'content-type': 'application/json',
      'idempotency-key': 'k',
    });
  });

  describe('with a fixed token', () => {
    const bearer = (optional: boolean): Auth => ({ kind: 'bearer', token: { env: 'TOKEN' }, optional });

    it('shows it', async () => {
      const http = fakeHttp(() => answered(200));
      await open(http, bearer(false)).send(list, inMs(60_000));
      expect(http.requests[0]?.headers.authorization).toBe('Bearer fixed');
    });

    it('goes on without one that is optional', async () => {
      env = {};
      const http = fakeHttp(() => answered(200));
      await open(http, bearer(true)).send(list, inMs(60_000));
      expect(http.requests[0]?.headers).not.toHaveProperty('authorization');
    });

    it('does not repeat a 401, since the token is still the same', async () => {
      const http = fakeHttp(() => answered(401));
      expect(await open(http, bearer(false)).send(list, inMs(60_000))).toMatchObject({ requests: 1 });
    });

    it('reads a token that was rotated in the secret store again', async () => {
      env = { TOKEN: 'ssm:/token' };
      secrets = { 'SSM parameter /token': 'old' };
      const http = fakeHttp(({ headers }) => answered(headers.authorization === 'Bearer new' ? 200 : 401));
      const api = open(http, bearer(false));
      expect(await api.send(list, inMs(60_000))).toMatchObject({ requests: 1, answer: { status: 401 } });
      secrets = { 'SSM parameter /token': 'new' };
      expect(await api.send(list, inMs(60_000))).toMatchObject({ requests: 2, answer: { status: 200 } });
    });
  });

  describe('whose references lead nowhere', () => {
    const faultsOf = (auth: Auth, changes: Partial<Connection> = {}) => {
      try {
        open(okki([]), auth, changes);
        return [];
      } catch (error) {
        if (error instanceof ConfigurationError) return error.faults;
        throw error;
      }
    };

    it('is not opened: all faults at once, each with its place and the variable', () => {
      env = {};
      const auth: Auth = { ...oauth2, grant: 'password', username: { env: 'USER_NAME' }, password: { ssm: '/p' } };
      expect(faultsOf(auth, { baseUrl: { env: 'BASE_URL' } })).toMatchObject([
        { ...place, path: 'source.connection.baseUrl', expected: expect.stringContaining('BASE_URL') },
        { ...place, path: 'source.connection.auth.clientId', expected: expect.stringContaining('CLIENT_ID') },
        { ...place, path: 'source.connection.auth.clientSecret', expected: expect.stringContaining('CLIENT_SECRET') },
        { ...place, path: 'source.connection.auth.username', expected: expect.stringContaining('USER_NAME') },
      ]);
    });

    it('is not opened on an invalid base URL, whose text is not shown', () => {
      env = { BASE_URL: 'hush' };
      const faults = faultsOf({ kind: 'none' }, { baseUrl: { env: 'BASE_URL' } });
      expect(faults).toMatchObject([{ path: 'source.connection.baseUrl' }]);
      expect(JSON.stringify(faults)).not.toContain('hush');
    });

    it('names an invalid base URL of the secret store when it is used', async () => {
      env = { BASE_URL: 'ssm:/base' };
      secrets = { 'SSM parameter /base': 'hush' };
      const api = open(okki([]), { kind: 'none' }, { baseUrl: { env: 'BASE_URL' } });
      await expect(api.send(list, inMs(60_000))).rejects.toThrow(ConfigurationError);
    });
  });

  it('uses the password grant with the hash of the password', async () => {
    env = { ...env, USER_NAME: 'li', PASSWORD: 'hunter2' };
    const http = okki([]);
    const auth: Auth = { ...oauth2, grant: 'password', username: { env: 'USER_NAME' }, password: { env: 'PASSWORD' } };
    await open(http, auth).send(list, inMs(60_000));
    expect(http.requests[0]?.body).toContain(
      'grant_type=password&username=li&password=f52fbd32b2b3b86ff88ef6c490628285',
    );
  });
});
