import * as z from 'zod/mini';
import { isBaseUrl } from './base-url.ts';

const envName = (description: string) =>
  z.string().check(z.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an environment variable'), z.describe(description));

const nonEmpty = (description: string) => z.string().check(z.minLength(1), z.describe(description));

/** A value kept elsewhere: secrets never stand in an integration file. */
const refSchema = z
  .union(
    [
      z.strictObject({ env: envName('Environment variable that holds the value. 环境变量名。') }),
      z.strictObject({ ssm: nonEmpty('SSM parameter (SecureString) that holds the value. SSM 参数名。') }),
      z.strictObject({
        secretsManager: nonEmpty('Secrets Manager secret, by name or ARN. Secrets Manager 密钥名或 ARN。'),
        key: z.exactOptional(nonEmpty('Key inside a secret that is a JSON object. JSON 密钥中的键。')),
      }),
    ],
    'a reference to the value, never the value itself: {"env": "NAME"}, {"ssm": "/path"} or {"secretsManager": "name", "key": "optional"}',
  )
  .check(
    z.meta({
      id: 'reference',
      description: 'A reference to a value kept elsewhere. 引用存放在别处的值,绝不直接写明文。',
    }),
  );

const baseUrlSchema = z
  .union(
    [
      z.string().check(z.refine(isBaseUrl, 'an http or https URL without user name, password, query or fragment')),
      refSchema,
    ],
    'a URL such as "https://api.example.com", or a reference such as {"env": "NAME_BASE_URL"}',
  )
  .check(z.describe('Where the API lives: a URL or a reference to one. API 基础地址(URL 或引用)。'));

const tokenPath = z
  .string()
  .check(z.regex(/^\//, 'a path that starts with /'), z.describe('Path of the token request. 获取令牌的路径。'));
const scope = nonEmpty('Modules asked for, separated by spaces. 授权范围,用空格分隔。');

const clientCredentials = z.strictObject({
  kind: z.literal('oauth2'),
  grant: z.literal('client_credentials'),
  tokenPath,
  clientId: refSchema,
  clientSecret: refSchema,
  scope: z.exactOptional(scope),
});

const password = z.strictObject({
  kind: z.literal('oauth2'),
  grant: z.literal('password'),
  tokenPath,
  clientId: refSchema,
  clientSecret: refSchema,
  username: refSchema,
  password: refSchema,
  scope: z.exactOptional(scope),
});

const bearer = z.strictObject({
  kind: z.literal('bearer'),
  token: refSchema,
  optional: z
    ._default(z.boolean(), false)
    .check(z.describe('Go on without a token where the reference is not set. 未设置时不带令牌继续。')),
});

const none = z.strictObject({ kind: z.literal('none') });

const authSchema = z
  .discriminatedUnion('kind', [z.discriminatedUnion('grant', [clientCredentials, password]), bearer, none])
  .check(z.describe('How requests are authorised. 认证方式。'));

/** A limit of our own on requests, stated here or in the environment. */
export const rateLimitSchema = z
  .union(
    [
      z.strictObject({
        requests: z
          .int()
          .check(z.minimum(1), z.maximum(100_000), z.describe('Requests per interval. 每个区间的请求数。')),
        intervalMs: z
          .int()
          .check(
            z.minimum(1),
            z.maximum(86_400_000),
            z.describe('Length of the interval in milliseconds. 区间毫秒数。'),
          ),
      }),
      z.strictObject({
        env: envName(
          'Variable holding "REQUESTS/SECONDSs", e.g. "60/60s"; unset: no limit. 形如 "60/60s" 的环境变量。',
        ),
      }),
    ],
    '{"requests": N, "intervalMs": N} or {"env": "NAME"} for a variable such as "60/60s"',
  )
  .check(
    z.meta({
      id: 'rateLimit',
      description: 'At most this many requests by all workers together. 所有并发进程共享的限流。',
    }),
  );

/** One end of an integration, with the bounds of its requests. */
export const connectionSchema = (defaults: { timeoutMs: number; maxAnswerBytes: number }) =>
  z
    .strictObject({
      name: z
        .string()
        .check(
          z.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a name of small letters, digits and hyphens'),
          z.describe('Name of the connection: rate limits and pauses are shared under it. 连接名,限流按此共享。'),
        ),
      baseUrl: baseUrlSchema,
      auth: authSchema,
      timeoutMs: z._default(
        z
          .int()
          .check(
            z.minimum(100),
            z.maximum(300_000),
            z.describe('From the request to the last byte. 单次请求超时毫秒数。'),
          ),
        defaults.timeoutMs,
      ),
      maxAnswerBytes: z._default(
        z
          .int()
          .check(
            z.minimum(1024),
            z.maximum(268_435_456),
            z.describe('Longer answers are refused. 响应体大小上限(字节)。'),
          ),
        defaults.maxAnswerBytes,
      ),
    })
    .check(z.describe('Base URL and authorisation of one end. 连接:地址与认证。'));

export type Ref = z.infer<typeof refSchema>;
export type Auth = z.infer<typeof authSchema>;
export type RateLimitSetting = z.infer<typeof rateLimitSchema>;
export type Connection = z.infer<ReturnType<typeof connectionSchema>>;
