import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { isCompound, isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { defined } from '../../runtime/defined.ts';
import { FORM } from '../form.ts';
import { type HttpAnswer, joinUrl } from '../http.ts';
import { type Ref, refSchema } from '../secrets.ts';
import { showing } from './bearer.ts';
import { besideKeys } from './beside.ts';
import { openLogin, readAnswerWithToken, statedLifeSec, type TokenReading } from './login.ts';
import type { CredentialSource, Reference, Scheme, SchemeDeps } from './scheme.ts';
import type { TokenAnswer } from './token.ts';

/** The client's own grant, and that of a user with a password (RFC 6749 §4.4 and §4.3). */
export const oauth2Schema = () => {
  const kind = z.literal('oauth2');
  const client = {
    tokenPath: z
      .string()
      .check(z.regex(/^\//, 'a path that starts with /'), z.describe('Path of the token request. 获取令牌的路径。')),
    clientId: refSchema(),
    clientSecret: refSchema(),
    ...besideKeys(),
  };
  const user = { username: refSchema(), password: refSchema() };
  const scope = z.exactOptional(
    z.string().check(z.minLength(1), z.describe('Modules asked for, separated by spaces. 授权范围,用空格分隔。')),
  );
  return z.discriminatedUnion('grant', [
    z.strictObject({ kind, grant: z.literal('client_credentials'), ...client, scope }),
    z.strictObject({ kind, grant: z.literal('password'), ...client, ...user, scope }),
  ]);
};

type OAuth2 = z.infer<ReturnType<typeof oauth2Schema>>;

/** What a token is asked for with, once all references are resolved. */
export type Grant = { clientId: string; clientSecret: string; scope?: string } & (
  | { grant: 'client_credentials' }
  | { grant: 'password'; username: string; password: string }
);

const digestOf = (password: string): string => createHash('sha256').update(password).digest('hex');

/** What a token request sends as a secret, in the forms in which it is sent: the server may quote any of them. */
const secretsOf = (grant: Grant): string[] => [
  grant.clientSecret,
  `${grant.clientId}:${grant.clientSecret}`,
  ...(grant.grant === 'password' ? [grant.password, digestOf(grant.password)] : []),
];

/**
 * The form of a token request (RFC 6749 §4.3.2 and §4.4.2). OKKI takes the client's credentials in the form, and of
 * the password its SHA-256 in hexadecimal.
 */
export const tokenForm = (grant: Grant): string => {
  const form = new URLSearchParams({ grant_type: grant.grant });
  if (grant.grant === 'password') {
    form.set('username', grant.username);
    form.set('password', digestOf(grant.password));
  }
  form.set('client_id', grant.clientId);
  form.set('client_secret', grant.clientSecret);
  if (grant.scope !== undefined) form.set('scope', grant.scope);
  return form.toString();
};

/** Vendors write "none" as null, "", 0 or false, beside a token and without one. */
const isSomething = (error: JsonValue | undefined): boolean =>
  isCompound(error) || !/^(undefined|null|false|0?)$/.test(String(error));

/** RFC 6749 §5.2, and OKKI's `message` beside it. */
const errorOf = (body: JsonObject | undefined): string | undefined => {
  const texts = [body?.error, body?.error_description ?? body?.message].filter((part) => typeof part === 'string');
  return texts.length === 0 ? undefined : texts.join(': ');
};

/** OKKI's published life of a token; its `expires_in` may be absent. */
export const DEFAULT_LIFE_SEC = 28_800;

/** Reads a token request's answer by RFC 6749 §5.1, with OKKI's words. */
const reading: TokenReading = {
  wordsIn: (body) => errorOf(isJsonObject(body) ? body : undefined),
  tokenIn: (body) => {
    const { error, access_token: accessToken, expires_in: expiresIn } = isJsonObject(body) ? body : {};
    if (isSomething(error)) return { kind: 'refused', why: 'an error' };
    return typeof accessToken === 'string' && accessToken !== ''
      ? { accessToken, lifeSec: statedLifeSec(expiresIn) ?? DEFAULT_LIFE_SEC }
      : { kind: 'unavailable', why: 'no access_token in the answer' };
  },
};

/** Reads the answer to a token request (`readAnswerWithToken`). Pure. */
export const readTokenAnswer = (
  answer: HttpAnswer,
  sentMs: number,
  nowMs: number,
  secrets: readonly string[],
): TokenAnswer => readAnswerWithToken(answer, sentMs, nowMs, secrets, reading);

const referenceTo = (key: string, ref: Ref): Reference => ({ key: `auth.${key}`, ref });

const referencesOf = (auth: OAuth2): Reference[] => [
  referenceTo('clientId', auth.clientId),
  referenceTo('clientSecret', auth.clientSecret),
  ...(auth.grant === 'password'
    ? [referenceTo('username', auth.username), referenceTo('password', auth.password)]
    : []),
];

const grantOf = async (auth: OAuth2, { resolve }: SchemeDeps): Promise<Grant> => {
  const clientId = await resolve(referenceTo('clientId', auth.clientId));
  const clientSecret = await resolve(referenceTo('clientSecret', auth.clientSecret));
  const client = { clientId, clientSecret, ...defined({ scope: auth.scope }) };
  if (auth.grant === 'client_credentials') return { grant: auth.grant, ...client };
  const username = await resolve(referenceTo('username', auth.username));
  const password = await resolve(referenceTo('password', auth.password));
  return { grant: auth.grant, username, password, ...client };
};

/** Whom a token is for: after a change of any of these the old token is neither used nor shown to the new server. */
const audienceOf = (baseUrl: string, { tokenPath }: OAuth2, grant: Grant): string => {
  const username = grant.grant === 'password' ? grant.username : '';
  const parts = [baseUrl, tokenPath, grant.grant, grant.clientId, username, grant.scope ?? ''];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
};

const openOAuth2 = (auth: OAuth2, deps: SchemeDeps): CredentialSource =>
  openLogin(
    {
      audience: async () => audienceOf(await deps.baseUrl(), auth, await grantOf(auth, deps)),
      request: async () => {
        const grant = await grantOf(auth, deps);
        const url = joinUrl(await deps.baseUrl(), auth.tokenPath);
        const headers = { accept: 'application/json', 'content-type': FORM };
        return { request: { method: 'POST', url, headers, body: tokenForm(grant) }, secrets: secretsOf(grant) };
      },
      reading,
      show: ({ accessToken }) => showing(accessToken),
      secrets: async () => secretsOf(await grantOf(auth, deps)),
    },
    deps,
  );

/** A token that the server gives for the client's credentials, shared by all workers. */
export const oauth2 = (auth: OAuth2): Scheme => ({
  references: referencesOf(auth),
  account: [referenceTo('clientId', auth.clientId)],
  open: (deps) => openOAuth2(auth, deps),
});
