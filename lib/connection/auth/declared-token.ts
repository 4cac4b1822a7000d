import * as z from 'zod/mini';
import { once } from '../../runtime/once.ts';
import { refSchema } from '../secrets.ts';
import { besideKeys } from './beside.ts';
import { namedTrees, noTypedSecrets, referencesIn, TOKEN_REQUEST, type Tree } from './params.ts';
import type { Reference, Scheme } from './scheme.ts';
import { signKey, signReferences } from './sign.ts';

const path = (description: string) => z.exactOptional(z.string().check(z.minLength(1), z.describe(description)));

/** Whether a token request may go there: a path below the base URL, or a whole URL. Pure. */
export const isTokenUrl = (text: string): boolean =>
  text.startsWith('/') || /^https?:$/.test(URL.parse(text)?.protocol ?? '');

const requestSchema = () => {
  const shared = {
    url: z
      .union(
        [
          z.string().check(z.refine(isTokenUrl, 'a path such as "/oauth/token", or a whole http or https URL')),
          refSchema(),
        ],
        'a path such as "/oauth/token", a whole URL, or a reference to one',
      )
      .check(z.describe('A path below baseUrl, or a whole URL. 路径、完整 URL 或其引用。')),
    params: z.exactOptional(
      namedTrees('What the token request says, with references anywhere inside. 令牌请求的参数,可在任意层级使用引用。'),
    ),
    headers: z.exactOptional(
      z
        .record(
          z.string().check(z.minLength(1)),
          z.union([z.string(), refSchema()], 'a text, or a reference such as {"env": "NAME"}'),
        )
        .check(noTypedSecrets(), z.describe('Headers of the token request. 请求头。')),
    ),
    ...signKey(),
  };
  return z
    .discriminatedUnion('method', [
      z.strictObject({
        method: z.literal('GET'),
        in: z._default(z.literal('query', '"query", since a GET has no body'), 'query'),
        ...shared,
      }),
      z.strictObject({
        method: z._default(z.literal('POST'), 'POST'),
        in: z._default(
          z
            .enum(['query', 'form', 'json'])
            .check(z.describe('Where the parameters go; query: then there is no body. 参数位置。')),
          'json',
        ),
        ...shared,
      }),
    ])
    .check(z.describe('How a token is asked for. 令牌请求。'));
};

const answerSchema = () =>
  z
    .strictObject({
      token: path('Path of the token; absent: the session is in cookies. 令牌路径;未填则使用 Cookie 会话。'),
      expiresInSec: path('Path of its life in seconds. 有效期(秒)路径。'),
      lifeSec: z.exactOptional(
        z.number().check(z.positive(), z.describe('Its life in seconds where the answer tells none. 默认有效期(秒)。')),
      ),
      code: path('Path of the code that tells success. 状态码路径。'),
      successCodes: z._default(
        z
          .array(z.union([z.string(), z.number(), z.boolean()]))
          .check(z.minLength(1), z.describe('Codes of success, compared as text: "00000" is not "0". 成功状态码。')),
        [0],
      ),
      message: path("Path of the server's words about a refusal. 错误信息路径。"),
    })
    .check(z.describe('Where things stand in the answer to a token request. 令牌响应结构。'));

const useSchema = () => {
  const name = z.string().check(z.minLength(1), z.describe('Name of the header, parameter or cookie. 名称。'));
  const prefix = z._default(
    z.string().check(z.describe('Text before the token, blanks included: "Bearer ". 令牌前缀(含空格)。')),
    '',
  );
  return z
    .discriminatedUnion('in', [
      z.strictObject({ in: z.literal('header'), name, prefix }),
      z.strictObject({ in: z.literal('query'), name, prefix }),
      z.strictObject({ in: z.literal('body'), name, prefix }),
      z.strictObject({ in: z.literal('cookie'), name: z.exactOptional(name), prefix }),
    ])
    .check(z.describe('Where each request carries the token. 令牌的使用位置。'));
};

/** A login as the file declares it. */
export const declaredTokenSchema = () =>
  z
    .strictObject({
      kind: z.literal('token'),
      request: requestSchema(),
      answer: z.prefault(answerSchema(), {}),
      use: useSchema(),
      ...besideKeys(),
    })
    .check(
      z.refine(({ answer, use }) => answer.token !== undefined || use.in === 'cookie', {
        error: 'the path of the token: only a session of cookies has none',
        path: ['answer', 'token'],
      }),
      z.refine(({ answer, use }) => use.in !== 'cookie' || (answer.token === undefined) === (use.name === undefined), {
        error: 'the name of the cookie beside answer.token; none without it: all cookies of the answer are sent back',
        path: ['use', 'name'],
      }),
    );

export type DeclaredToken = z.infer<ReturnType<typeof declaredTokenSchema>>;

const referencesOf = ({ request: { url, params, headers, sign } }: DeclaredToken): Reference[] => [
  ...(typeof url === 'string' ? [] : [{ key: `${TOKEN_REQUEST}.url`, ref: url, isTokenUrl: true as const }]),
  ...referencesIn((params ?? {}) as Tree, `${TOKEN_REQUEST}.params`),
  ...referencesIn(headers ?? {}, `${TOKEN_REQUEST}.headers`),
  ...signReferences(sign, `${TOKEN_REQUEST}.sign`),
];

/** A token, or a session of cookies, that the server gives for a request as the file declares it. */
export const declaredToken = (auth: DeclaredToken): Scheme => ({
  references: referencesOf(auth),
  account: [],
  open: (deps) => {
    const opened = once(async () => (await import('./declared-login.ts')).openDeclaredLogin(auth, deps));
    return async (limits) => (await opened())(limits);
  },
});
