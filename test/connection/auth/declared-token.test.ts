import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { type Api, connect } from '../../../lib/connection/api/api.ts';
import {
  type Connection,
  connectionFaults,
  connectionFor,
  referencesOf,
} from '../../../lib/connection/api/connection.ts';
import { type Auth, authSchema } from '../../../lib/connection/auth/schemes.ts';
import type { HttpAnswer, HttpRequest } from '../../../lib/connection/http.ts';
import { cachedSecrets, type Env } from '../../../lib/connection/secrets.ts';
import type { AnyLog } from '../../../lib/runtime/log.ts';
import { standardTuning } from '../../../lib/runtime/tuning.ts';
import { fakeClock } from '../../fakes/fake-clock.ts';
import { answered, type FakeHttp, fakeHttp } from '../../fakes/fake-http.ts';
import { granted } from '../../fakes/granted.ts';
import { memorySecretStore } from '../../fakes/memory-secret-store.ts';
import { memoryTokenStore } from '../../fakes/memory-token-store.ts';
import { seededRandom } from '../../fakes/seeded-random.ts';

const env: Env = { APP_KEY: 'app-key-1', APP_SECRET: 'app/secret+1', ACCT: '20220101acct', USER: 'li' };
const ref = (name: string) => ({ env: name });
const place = { file: 'integrations/sample.json', path: 'target.connection' };

const connectionOf = (auth: object, baseUrl = 'http://api.test/base'): Connection => ({
  name: 'api',
  baseUrl,
  auth: z.parse(authSchema(), auth),
  timeoutMs: 60_000,
  maxAnswerBytes: 1_000_000,
});

/** An API behind a login, what it logs, and its store of tokens. */
const openApi = (http: FakeHttp, auth: object, tokens = memoryTokenStore(), clock = fakeClock()) => {
  const logged: string[] = [];
  const note = (...words: unknown[]) => void logged.push(JSON.stringify(words));
  const log: AnyLog = { info: note, warn: note, error: note };
  const secrets = cachedSecrets(memorySecretStore({}), clock, 60_000);
  const deps = { http, tokens, secrets, clock, random: seededRandom(1), log, env, tuning: standardTuning };
  const api = connect(connectionOf(auth), place, deps);
  const limits = () => ({ deadlineMs: clock.nowMs() + 120_000, awaitPermit: granted });
  const send: (request?: Partial<Parameters<Api['send']>[0]>) => ReturnType<Api['send']> = (request = {}) =>
    api.send({ method: 'POST', path: '/items', body: '{"id":1}', ...request }, limits());
  return { send, logged, clock };
};

/** Answers token requests (to `/token` on any host), and everything else. */
const server = (
  token: (request: HttpRequest, n: number) => HttpAnswer,
  rest?: (request: HttpRequest) => HttpAnswer,
) => {
  let asked = 0;
  return fakeHttp((request) => {
    if (!new URL(request.url).pathname.endsWith('/token')) return rest?.(request) ?? answered(200, {});
    asked += 1;
    return token(request, asked);
  });
};

const json = {
  kind: 'token',
  request: {
    method: 'POST',
    url: '/token',
    in: 'json',
    params: { app_key: ref('APP_KEY'), app_secret: ref('APP_SECRET') },
  },
  answer: {
    token: 'content.access_token',
    expiresInSec: 'content.expires_in',
    code: 'code',
    successCodes: [0],
    message: 'message',
  },
  use: { in: 'query', name: 'access_token' },
};
const giving = (_: HttpRequest, n: number) =>
  answered(200, { code: 0, content: { access_token: `t${n}/+=`, expires_in: 7200 } });

describe('a token request', () => {
  const asked = async (request: object) => {
    const http = server(() => answered(200, { token: 't' }));
    await openApi(http, { ...json, request, answer: { token: 'token' } }).send();
    return http.requests[0];
  };
  const params = { appkey: ref('APP_KEY'), list: [ref('ACCT'), 2052, { deep: ref('APP_SECRET') }], n: 7, b: true };
  const list = '["20220101acct",2052,{"deep":"app/secret+1"}]';

  it('sends its parameters as JSON, constants by their type, with references anywhere inside', async () => {
    const request = await asked({ url: '/token', params });
    expect(request).toMatchObject({ method: 'POST', url: 'http://api.test/base/token' });
    expect(request?.headers['content-type']).toBe('application/json');
    expect(request?.body).toBe(`{"appkey":"app-key-1","list":${list},"n":7,"b":true}`);
  });

  it('sends them as a form', async () => {
    const request = await asked({ method: 'POST', url: '/token', in: 'form', params });
    expect(request?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect([...new URLSearchParams(request?.body)]).toEqual([
      ['appkey', 'app-key-1'],
      ['list', list],
      ['n', '7'],
      ['b', 'true'],
    ]);
  });

  it.each(['GET', 'POST'])('sends them in the query of a %s, which then has no body', async (method) => {
    const request = await asked({ method, url: '/token', in: 'query', params: { secret: ref('APP_SECRET') } });
    expect(request).toMatchObject({ method, url: 'http://api.test/base/token?secret=app%2Fsecret%2B1' });
    expect(request).not.toHaveProperty('body');
  });

  it('goes to another host where the file says so, and neither host sees what is the other’s', async () => {
    const http = server(giving);
    const auth = {
      ...json,
      request: { ...json.request, url: 'https://login.test/token', headers: { 'X-App': ref('APP_KEY') } },
      params: [{ in: 'header', name: 'X-User', value: ref('USER') }],
    };
    await openApi(http, auth).send();
    const [login, api] = http.requests;
    expect(login?.url).toBe('https://login.test/token');
    expect(login?.headers).toMatchObject({ 'x-app': 'app-key-1' });
    expect(login?.headers).not.toHaveProperty('x-user');
    expect(api?.headers).toMatchObject({ 'x-user': 'li' });
    expect(JSON.stringify(api)).not.toMatch(/app.{0,6}secret|app-key/);
  });

  it('may be signed', async () => {
    const sign = {
      algorithm: 'hmac-sha256',
      encode: 'base64',
      secret: ref('APP_SECRET'),
      timestamp: { name: 'timestamp', form: 'ms' },
      use: { in: 'query', name: 'signature' },
    };
    const request = await asked({ method: 'GET', url: '/token', params: { appKey: ref('APP_KEY') }, sign });
    const query = new URL(request?.url ?? '').searchParams;
    expect([...query.keys()]).toEqual(['appKey', 'timestamp', 'signature']);
  });
});

describe('a token', () => {
  it.each<[string, object, (request: HttpRequest | undefined) => string | null | undefined, string]>([
    [
      'a query, encoded once',
      { in: 'query', name: 'access_token' },
      (one) => one?.url,
      'http://api.test/base/items?access_token=t1%2F%2B%3D',
    ],
    [
      'a header, behind its prefix',
      { in: 'header', name: 'X-Token', prefix: 'Bearer ' },
      (one) => one?.headers['x-token'],
      'Bearer t1/+=',
    ],
    ['the root of a JSON body', { in: 'body', name: 'token' }, (one) => one?.body, '{"id":1,"token":"t1/+="}'],
    ['a cookie', { in: 'cookie', name: 'sid' }, (one) => one?.headers.cookie, 'sid=t1/+='],
  ])('goes into %s', async (_, use, seen, text) => {
    const http = server(giving);
    await openApi(http, { ...json, use }).send();
    expect(seen(http.requests[1])).toBe(text);
  });

  it('goes into a field of a form', async () => {
    const http = server(giving);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    await openApi(http, { ...json, use: { in: 'body', name: 'token' } }).send({ headers, body: 'a=%E4%B8%AD+1' });
    expect([...new URLSearchParams(http.requests[1]?.body)]).toEqual([
      ['a', '中 1'],
      ['token', 't1/+='],
    ]);
  });

  const session = {
    kind: 'token',
    request: {
      url: '/token',
      params: { parameters: [ref('ACCT'), ref('USER'), ref('APP_KEY'), ref('APP_SECRET'), 2052] },
    },
    answer: { code: 'LoginResultType', successCodes: [1], message: 'Message' },
    use: { in: 'cookie' },
    expired: { path: '0.0.Result.ResponseStatus.MsgCode', equals: [1] },
  };
  const cookies = [
    'kdservice-sessionid=abc-123; path=/; HttpOnly',
    'ASP.NET_SessionId=xyz; expires=Fri, 01 Jan 2027 00:00:00 GMT',
  ];
  const withCookies = (body: object): HttpAnswer => ({ ...answered(200, body), setCookies: cookies }) as HttpAnswer;

  it('is every cookie that the answer sets, in one header, without their attributes', async () => {
    const http = server(() => withCookies({ LoginResultType: 1 }));
    await openApi(http, session).send();
    expect(http.requests[1]?.headers.cookie).toBe('kdservice-sessionid=abc-123; ASP.NET_SessionId=xyz');
  });

  it('is judged by the code, never by a cookie being there', async () => {
    const http = server(() => withCookies({ LoginResultType: 0, Message: '密码错误 app/secret+1' }));
    const { answer } = await openApi(http, session).send();
    expect(answer).toEqual({
      kind: 'noToken',
      permanent: true,
      message: 'LoginResultType 0 in status 200 (0: 密码错误 ***)',
    });
    expect(http.requests).toHaveLength(1);
  });

  it('is renewed once where a rule refuses it in a list of lists, and the request repeated once', async () => {
    const lost = [[{ Result: { ResponseStatus: { IsSuccess: false, MsgCode: 1 } } }]];
    let refusals = 0;
    const http = server(
      () => withCookies({ LoginResultType: 1 }),
      () => {
        refusals += 1;
        return answered(200, refusals === 1 ? lost : [['row']]);
      },
    );
    const sent = await openApi(http, session).send();
    expect(sent).toMatchObject({ requests: 4, tokenRenewed: true, answer: { kind: 'answered' } });
  });
});

describe('the answer to a token request', () => {
  const answer = (body: unknown, changes: object = {}, status = 200) => {
    const http = server(() => answered(status, body));
    return openApi(http, { ...json, answer: { ...json.answer, ...changes } }).send();
  };
  it.each<[string, unknown, object, number, object]>([
    [
      'another code',
      { code: 40001, message: 'no such app' },
      {},
      200,
      { permanent: true, message: 'code 40001 in status 200 (40001: no such app)' },
    ],
    [
      'a code that is another text',
      { code: '0', content: { access_token: 't' } },
      { successCodes: ['00000'] },
      200,
      { permanent: true },
    ],
    [
      'a refusing status',
      { code: 10014, message: 'app secret invalid' },
      {},
      400,
      { permanent: true, message: 'status 400 (10014: app secret invalid)' },
    ],
    [
      'no code',
      { content: { access_token: 't' } },
      {},
      200,
      { permanent: false, message: 'status 200, but no code in the answer' },
    ],
    [
      'no token',
      { code: 0, content: {} },
      {},
      200,
      { permanent: false, message: 'status 200, but no content.access_token in the answer' },
    ],
    ['a web page', '<html>', {}, 200, { permanent: false }],
    ['a server in trouble', {}, {}, 500, { permanent: false }],
  ])('gives none with %s', async (_, body, changes, status, expected) => {
    expect((await answer(body, changes, status)).answer).toMatchObject({ kind: 'noToken', ...expected });
  });

  it('is never judged by auth.expired', async () => {
    const http = server(giving);
    const sent = await openApi(http, { ...json, expired: { path: 'code', equals: [0] } }).send();
    expect(sent).toMatchObject({ requests: 2, answer: { kind: 'answered' } });
  });

  it.each<[string, object, object, number]>([
    ['tells the life', { expires_in: '300' }, {}, 300],
    ['has lifeSec where it tells none', {}, { lifeSec: 1200 }, 1_200],
    ['has two hours where nobody tells', {}, {}, 7_200],
  ])('%s', async (_, told, changes, lifeSec) => {
    const http = server((_request, n) => answered(200, { code: 0, content: { access_token: `t${n}`, ...told } }));
    const clock = fakeClock();
    const { send } = openApi(http, { ...json, answer: { ...json.answer, ...changes } }, memoryTokenStore(), clock);
    await send();
    await clock.advance(lifeSec * 800);
    await send();
    await clock.advance(lifeSec * 200);
    await send();
    const used = http.requests.flatMap(({ url }) => new URL(url).searchParams.get('access_token') ?? []);
    expect(used).toEqual(['t1', 't1', 't2']);
  });
});

describe('one token', () => {
  it('serves all workers, and is asked for anew by another account', async () => {
    const http = server(giving);
    const tokens = memoryTokenStore();
    await openApi(http, json, tokens).send();
    await openApi(http, json, tokens).send();
    expect(http.requests.filter(({ url }) => url.endsWith('/token'))).toHaveLength(1);
    const params = { ...json.request.params, app_key: ref('USER') };
    await openApi(http, { ...json, request: { ...json.request, params } }, tokens).send();
    expect(http.requests.filter(({ url }) => url.endsWith('/token'))).toHaveLength(2);
  });

  it('that is refused is asked for once, whoever needs it', async () => {
    const http = server(() => answered(200, { code: 1, message: 'no' }));
    const { send } = openApi(http, json);
    await Promise.all([send(), send(), send()]);
    await send();
    expect(http.requests).toHaveLength(1);
  });
});

describe('secrets', () => {
  it('are struck out of what the server says in every form, and none is ever logged', async () => {
    const echo = ({ url, body = '' }: HttpRequest) => answered(200, { code: 9, message: `${url} ${body}` });
    const request = { method: 'POST', url: '/token', in: 'form', params: json.request.params };
    const { send, logged } = openApi(server(echo), { ...json, request });
    const { answer } = await send();
    expect(JSON.stringify([answer, logged])).not.toMatch(/app.{1,3}secret.{1,3}1/);
    expect(logged.join()).toContain('token-refused');
  });

  it('of a session, a parameter and a signature are struck out of an answer', async () => {
    const http = server(giving, ({ url, body }) => answered(400, { echo: `${url} ${body}` }));
    const sign = {
      algorithm: 'md5',
      before: '{secret}',
      secret: ref('APP_SECRET'),
      use: { in: 'query', name: 'sign' },
    };
    const params = [{ in: 'body', name: 'sessionkey', value: ref('APP_SECRET') }];
    const { answer } = await openApi(http, { ...json, sign, params }).send();
    const shown = answer.kind === 'answered' ? (answer.shown ?? '') : '';
    expect(shown).toContain('sign=***');
    expect(shown).toContain('access_token=***');
    expect(shown).not.toContain('secret');
  });

  it('are what a reference leads to, but for the name of an account, which may stand in records', async () => {
    const http = server(giving, () => answered(200, { note: '20220101acct', id: 'app-key-1' }));
    const params = [{ in: 'body', name: 'acctID', value: ref('ACCT') }];
    const { answer } = await openApi(http, { ...json, params }).send();
    expect(answer).toMatchObject({ text: '{"note":"20220101acct","id":"app-key-1"}' });
    expect(answer).not.toHaveProperty('shown');
  });
});

describe('auth.params', () => {
  const params = [
    { in: 'query', name: 'appkey', value: ref('APP_KEY') },
    { in: 'body', name: 'method', value: 'call:{{api}}' },
    { in: 'body', name: 'version', value: 2 },
    { in: 'header', name: 'X-Tenant', value: ref('ACCT') },
  ];

  it.each<Auth['kind']>(['none', 'token'])('stand beside %s, in query, body and header', async (kind) => {
    const http = server(giving);
    const own = kind === 'token' ? json : { kind };
    const { auth } = connectionFor(connectionOf({ ...own, params }), 'gy.erp.items.get');
    await openApi(http, auth).send();
    const sent = http.requests.at(-1);
    expect(new URL(sent?.url ?? '').searchParams.get('appkey')).toBe('app-key-1');
    expect(sent?.body).toBe('{"id":1,"method":"call:gy.erp.items.get","version":2}');
    expect(sent?.headers['x-tenant']).toBe('20220101acct');
  });

  it('and everything else that refers to a value is told, and a fault where it leads nowhere', () => {
    const sign = [{ algorithm: 'md5', before: '{secret}', secret: ref('SIGN'), use: { in: 'query', name: 'sign' } }];
    const request = { ...json.request, url: ref('TOKEN_URL'), headers: { a: ref('HEADER') }, sign: sign[0] };
    const connection = connectionOf({ ...json, request, params, sign });
    expect(referencesOf(connection).map(({ key }) => key)).toEqual([
      'auth.request.url',
      'auth.request.params.app_key',
      'auth.request.params.app_secret',
      'auth.request.headers.a',
      'auth.request.sign.secret',
      'auth.params[0].value',
      'auth.params[3].value',
      'auth.sign[0].secret',
    ]);
    expect(connectionFaults(connection, env, place).map(({ path }) => path)).toEqual([
      'target.connection.auth.request.url',
      'target.connection.auth.request.headers.a',
      'target.connection.auth.request.sign.secret',
      'target.connection.auth.sign[0].secret',
    ]);
  });
});

it('a token request goes to a path or a URL: another text in its variable is a fault', () => {
  const connection = connectionOf({ ...json, request: { ...json.request, url: ref('USER') } });
  expect(connectionFaults(connection, env, place)).toMatchObject([{ path: 'target.connection.auth.request.url' }]);
  expect(connectionFaults(connection, { ...env, USER: '/token' }, place)).toEqual([]);
});

describe('auth.refused', () => {
  const refused = { path: 'subCode', equals: ['0858030801'] };

  it('is final: the credentials themselves are refused, whatever the status', async () => {
    const http = server(giving, () => answered(500, { subCode: '0858030801', msg: 'sign app/secret+1' }));
    const { answer } = await openApi(http, {
      ...json,
      refused,
      params: [{ in: 'body', name: 's', value: ref('APP_SECRET') }],
    }).send();
    expect(answer).toEqual({
      kind: 'accessRefused',
      isFinal: true,
      status: 500,
      words: '{"subCode":"0858030801","msg":"sign ***"}',
    });
    expect(http.requests).toHaveLength(2);
  });

  it('comes after auth.expired, which may cure it', async () => {
    let refusals = 0;
    const http = server(giving, () => answered(200, refusals++ === 0 ? { subCode: '0858030801' } : { ok: true }));
    const sent = await openApi(http, { ...json, refused, expired: refused }).send();
    expect(sent).toMatchObject({ tokenRenewed: true, answer: { kind: 'answered' } });
  });
});

describe('a file is refused', () => {
  const auth = z.union([authSchema(), z.never()]);
  it.each<[string, object]>([
    ['with a secret as a constant', { ...json, request: { ...json.request, params: { app_secret: 'abc' } } }],
    [
      'with a secret as a constant parameter',
      { kind: 'none', params: [{ in: 'body', name: 'sessionkey', value: 'abc' }] },
    ],
    [
      'with a secret as a constant further in',
      { ...json, request: { url: '/token', params: { a: [{ password: 'abc' }] } } },
    ],
    ['with a secret as a header', { ...json, request: { url: '/token', headers: { Authorization: 'Basic abc' } } }],
    ['with half a reference', { ...json, request: { ...json.request, params: { a: [{ env: '' }] } } }],
    ['with a body in a GET', { ...json, request: { ...json.request, method: 'GET', in: 'json' } }],
    ['with a url that is none', { ...json, request: { ...json.request, url: 'token' } }],
    ['without a token where it is no cookie', { ...json, answer: {} }],
    ['without the name of the cookie that carries the token', { ...json, use: { in: 'cookie' } }],
    ['with a name for all cookies', { ...json, answer: {}, use: { in: 'cookie', name: 'a' } }],
    ['with a key that nobody knows', { ...json, refresh: {} }],
  ])('%s', (_, block) => {
    expect(auth.safeParse(block).success).toBe(false);
  });
});
