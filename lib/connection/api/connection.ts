import { hash } from 'node:crypto';
import * as z from 'zod/mini';
import { ConfigurationError, type Fault, type FaultPlace } from '../../runtime/fault.ts';
import { isTokenUrl } from '../auth/declared-token.ts';
import { paramsFor } from '../auth/params.ts';
import type { Reference } from '../auth/scheme.ts';
import { authSchema, schemeOf } from '../auth/schemes.ts';
import { isBaseUrl } from '../http.ts';
import { describeRef, type Env, lookUp, refSchema, resolveRef, type SecretStore } from '../secrets.ts';

const baseUrlSchema = () =>
  z
    .union(
      [
        z.string().check(z.refine(isBaseUrl, 'an http or https URL without user name, password, query or fragment')),
        refSchema(),
      ],
      'a URL such as "https://api.example.com", or a reference such as {"env": "NAME_BASE_URL"}',
    )
    .check(z.describe('Where the API lives: a URL or a reference to one. API 基础地址(URL 或引用)。'));

/** What names the account at the system behind a connection: constants, and references to values. */
export const accountSchema = () =>
  z
    .array(
      z.union(
        [z.string().check(z.minLength(1)), refSchema()],
        'a text, or a reference such as {"env": "NAME"}; never to a token or a secret',
      ),
    )
    .check(
      z.minLength(1),
      z.describe(
        'What names the account at the system, such as app key or acctID; with baseUrl it says whose state is kept. Never a token or a secret. Absent: clientId of oauth2, else none. 账户标识,与地址一起决定状态归属;不可用令牌或密钥。',
      ),
    );

/** One end of an integration, with the bounds of its requests. */
export const connectionSchema = (defaults: {
  timeoutMs: number;
  maxTimeoutMs: number;
  /** Why it may not be longer, in words. */
  maxTimeoutWords: string;
  maxAnswerBytes: number;
}) =>
  z
    .strictObject({
      name: z
        .string()
        .check(
          z.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a name of small letters, digits and hyphens'),
          z.describe('Name of the connection: rate limits and pauses are shared under it. 连接名,限流按此共享。'),
        ),
      baseUrl: baseUrlSchema(),
      account: z.exactOptional(accountSchema()),
      auth: authSchema(),
      timeoutMs: z._default(
        z
          .int()
          .check(
            z.minimum(100),
            z.maximum(defaults.maxTimeoutMs, `${defaults.maxTimeoutMs} or less: ${defaults.maxTimeoutWords}`),
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

export type Connection = z.infer<ReturnType<typeof connectionSchema>>;

/** The connection as one method of the API is called: `{{api}}` in `auth.params` is its name. Pure. */
export const connectionFor = (connection: Connection, api: string): Connection => {
  const { params } = connection.auth;
  return params === undefined
    ? connection
    : { ...connection, auth: { ...connection.auth, params: paramsFor(params, api) } };
};

/** What the file itself says of the account. */
const statedAccount = ({ account = [] }: Connection): (string | Reference)[] =>
  account.map((part, index) => (typeof part === 'string' ? part : { key: `account[${index}]`, ref: part }));

/** What names the account: the file's own words, else what the way to authorise has for it. */
const accountOf = (connection: Connection): readonly (string | Reference)[] =>
  connection.account === undefined ? schemeOf(connection.auth).account : statedAccount(connection);

/** All that a connection refers to. */
export const referencesOf = (connection: Connection): Reference[] => [
  ...(typeof connection.baseUrl === 'string' ? [] : [{ key: 'baseUrl', ref: connection.baseUrl }]),
  ...statedAccount(connection).filter((part) => typeof part !== 'string'),
  ...schemeOf(connection.auth).references,
];

/** Whether the environment gives all that names the system: base URL and account. */
export const isAddressed = (connection: Connection, env: Env): boolean => {
  const { baseUrl } = connection;
  const refs = accountOf(connection).flatMap((part) => (typeof part === 'string' ? [] : [part.ref]));
  if (typeof baseUrl !== 'string') refs.push(baseUrl);
  return refs.every((ref) => lookUp(ref, env).kind !== 'missing');
};

const notSet = ({ file, path }: FaultPlace, { key, ref }: Reference): Fault => ({
  file,
  path: `${path}.${key}`,
  expected: `${describeRef(ref)} to be set`,
  found: 'nothing',
});

// What stands there instead is not shown: it may be a secret that was put into the wrong variable.
const notAUrl = ({ file, path }: FaultPlace, { key, ref, isTokenUrl: orPath }: Reference): Fault => ({
  file,
  path: `${path}.${key}`,
  expected: `${orPath ? 'a path such as "/oauth/token", or ' : ''}an http or https URL without user name, password, query or fragment, such as "https://api.example.com", in ${describeRef(ref)}`,
  found: 'another text',
});

/**
 * Every value that a connection refers to and the environment lacks, as one list of faults. `place` is that of its
 * block.
 */
export const connectionFaults = (connection: Connection, env: Env, place: FaultPlace): Fault[] =>
  referencesOf(connection).flatMap((reference): Fault[] => {
    const found = lookUp(reference.ref, env);
    if (found.kind === 'missing') return reference.optional ? [] : [notSet(place, reference)];
    const isUrl = reference.key === 'baseUrl' ? isBaseUrl : reference.isTokenUrl ? isTokenUrl : undefined;
    return found.kind === 'value' && isUrl?.(found.value) === false ? [notAUrl(place, reference)] : [];
  });

/** The values that a connection refers to. Both throw `ConfigurationError` and `SecretUnreadableError`. */
type ConnectionValues = { resolve(reference: Reference): Promise<string>; baseUrl(): Promise<string> };

export const valuesOf = (
  { baseUrl }: Connection,
  place: FaultPlace,
  env: Env,
  secrets: SecretStore,
): ConnectionValues => {
  const resolve = async (reference: Reference): Promise<string> => {
    const value = await resolveRef(reference.ref, env, secrets);
    if (value === undefined) throw new ConfigurationError([notSet(place, reference)]);
    return value;
  };
  return {
    resolve,
    baseUrl: async () => {
      if (typeof baseUrl === 'string') return baseUrl;
      const reference = { key: 'baseUrl', ref: baseUrl };
      const text = await resolve(reference);
      if (!isBaseUrl(text)) throw new ConfigurationError([notAUrl(place, reference)]);
      return text;
    },
  };
};

/** Which system a connection leads to: what is known of records belongs to one. */
export type Address = {
  /** A short hash of base URL and account; the same for the same system, however its URL is written. */
  id: string;
  /** Scheme, host and port, for people. */
  origin: string;
};

/** The sandbox is one address, whatever its port. */
const SANDBOX: Address = { id: 'sandbox', origin: 'the sandbox' };

export const isSandbox = ({ id }: Address): boolean => id === SANDBOX.id;

/** Where the sandbox listens, in the environment of functions that it stands in for an end of. */
export const SANDBOX_URL_VARIABLE = 'SANDBOX_URL';

// 16 characters of base64url hold 96 bits: no two systems of one integration meet by chance.
const ID_CHARACTERS = 16;

/** A base URL as it is compared: scheme and host in small letters, no default port, no dot or slash at the end. Pure. */
export const normalisedUrl = (baseUrl: string): string => {
  const { protocol, hostname, port, pathname } = new URL(baseUrl);
  const host = `${hostname.replace(/\.$/, '')}${port === '' ? '' : `:${port}`}`;
  return `${protocol}//${host}${pathname.replace(/(?<!\/)\/+$/, '')}`;
};

/**
 * The address that a connection leads to now: its base URL and its account, never a token or a secret, which rotate.
 * Throws `ConfigurationError` and `SecretUnreadableError`.
 */
export const addressOf = async (
  connection: Connection,
  place: FaultPlace,
  env: Env,
  secrets: SecretStore,
): Promise<Address> => {
  const { baseUrl, resolve } = valuesOf(connection, place, env, secrets);
  const url = await baseUrl();
  if (url === env[SANDBOX_URL_VARIABLE]) return SANDBOX;
  const account: string[] = [];
  for (const part of accountOf(connection)) account.push(typeof part === 'string' ? part : await resolve(part));
  const normalised = normalisedUrl(url);
  const id = hash('sha256', JSON.stringify([normalised, ...account]), 'base64url').slice(0, ID_CHARACTERS);
  return { id, origin: new URL(normalised).origin };
};
