import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { isCompound, isJsonObject, type JsonObject, type JsonValue, parsedOrUndefined } from '../../json/json.ts';
import { backoffMs } from '../../runtime/backoff.ts';
import { defined } from '../../runtime/defined.ts';
import { type HttpAnswer, joinUrl } from '../http.ts';
import { askedWaitMs, type ReactionTable, reactionToFailure, reactionToStatus } from '../reactions.ts';
import { strikeOut } from '../redaction.ts';
import { type Ref, refSchema } from '../secrets.ts';
import { showing } from './bearer.ts';
import { expiredKey } from './expired.ts';
import type { CredentialResult, CredentialSource, Limits, Reference, Scheme, SchemeDeps } from './scheme.ts';
import { type AskForToken, type TokenAnswer, type TokenResult, type TokenSource, tokenSource } from './token.ts';

/** The client's own grant, and that of a user with a password (RFC 6749 §4.4 and §4.3). */
export const oauth2Schema = () => {
  const kind = z.literal('oauth2');
  const client = {
    tokenPath: z
      .string()
      .check(z.regex(/^\//, 'a path that starts with /'), z.describe('Path of the token request. 获取令牌的路径。')),
    clientId: refSchema(),
    clientSecret: refSchema(),
    ...expiredKey(),
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

/**
 * What the end of a token request means: read the token from it; refused for good (RFC 6749 §5.2: wrong credentials,
 * scope or request); or not available now, where `throttled` means asked for too often. Asking again changes nothing,
 * so it does not matter whether the request was sent.
 */
export const tokenReactions: ReactionTable<'read' | 'refused' | 'unavailable' | 'throttled', 'unavailable'> = {
  statuses: [
    [200, 299, 'read'],
    [408, 408, 'unavailable'],
    [429, 429, 'throttled'],
    [403, 403, 'throttled', 'retry-after'],
    [403, 403, 'throttled', 'used-up'],
    [500, 999, 'unavailable'],
  ],
  otherStatus: 'refused',
  failures: { never: 'unavailable', maybe: 'unavailable' },
};

/** Vendors write "none" as null, "", 0 or false, beside a token and without one. */
const isSomething = (error: JsonValue | undefined): boolean =>
  isCompound(error) || !/^(undefined|null|false|0?)$/.test(String(error));

const EXCERPT_CHARACTERS = 200;

/** RFC 6749 §5.2, and OKKI's `message` beside it. */
const errorOf = (body: JsonObject | undefined): string | undefined => {
  const texts = [body?.error, body?.error_description ?? body?.message].filter((part) => typeof part === 'string');
  return texts.length === 0 ? undefined : texts.join(': ');
};

/** OKKI's published life of a token; its `expires_in` may be absent. */
export const DEFAULT_LIFE_SEC = 28_800;

const lifeSec = (expiresIn: unknown): number => {
  const seconds = typeof expiresIn === 'string' && expiresIn.trim() !== '' ? Number(expiresIn) : expiresIn;
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0 ? seconds : DEFAULT_LIFE_SEC;
};

/**
 * Reads the answer to a token request that was sent at `sentMs` (ms since the epoch): the token's life counts from
 * there, so that it never looks longer than it is. `secrets` are struck out of what the server says.
 */
export const readTokenAnswer = (
  answer: HttpAnswer,
  sentMs: number,
  nowMs: number,
  secrets: readonly string[],
): TokenAnswer => {
  if (answer.kind === 'failed') {
    return { kind: reactionToFailure(tokenReactions, answer.cause), message: answer.message };
  }
  const { status, headers, text, unreadable } = answer;
  const parsed = parsedOrUndefined(text);
  const body = isJsonObject(parsed) ? parsed : undefined;
  const said = errorOf(body);
  const saying = said === undefined ? '' : ` (${strikeOut(said, secrets).slice(0, EXCERPT_CHARACTERS).toWellFormed()})`;
  const reaction = reactionToStatus(tokenReactions, answer);
  switch (reaction) {
    case 'throttled':
    case 'unavailable': {
      const waitMs = askedWaitMs(headers, nowMs);
      const unavailable = { kind: 'unavailable', message: `status ${status}${saying}` } as const;
      const isThrottled = reaction === 'throttled' && { isThrottled: true as const };
      return { ...unavailable, ...defined({ retryAfterMs: waitMs }), ...isThrottled };
    }
    case 'refused':
      return { kind: 'refused', message: `status ${status}${saying}` };
    case 'read': {
      if (unreadable !== undefined)
        return { kind: 'unavailable', message: `status ${status}, but ${unreadable.message}` };
      if (isSomething(body?.error)) return { kind: 'refused', message: `an error in status ${status}${saying}` };
      const accessToken = body?.access_token;
      if (typeof accessToken !== 'string' || accessToken === '') {
        return { kind: 'unavailable', message: `status ${status}, but no access_token in the answer` };
      }
      const life = lifeSec(body?.expires_in);
      return { kind: 'token', token: { accessToken, obtainedAtMs: sentMs, expiresAtMs: sentMs + life * 1000 } };
    }
    default:
      return reaction satisfies never;
  }
};

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

/** How long to wait after a token answer that says "too many", ms; longer each time where it names no time. */
const pausing = ({ random, tuning }: SchemeDeps) => {
  let unsaid = 0;
  return (answer: TokenAnswer): TokenAnswer => {
    if (answer.kind === 'token') unsaid = 0;
    if (answer.kind !== 'unavailable' || !answer.isThrottled || answer.retryAfterMs !== undefined) return answer;
    const waitMs = backoffMs(unsaid, (1 + random.fraction()) / 2, tuning.connection.tokenPauseBackoff);
    unsaid += 1;
    return { ...answer, retryAfterMs: waitMs };
  };
};

/** Sends one token request within its limits. */
const asking =
  (auth: OAuth2, deps: SchemeDeps, limits: Limits, pause: ReturnType<typeof pausing>): AskForToken =>
  async () => {
    const { connection, clock, log } = deps;
    const grant = await grantOf(auth, deps);
    const url = joinUrl(await deps.baseUrl(), auth.tokenPath);
    const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' };
    const sentMs = clock.nowMs();
    const answer = await deps.exchange({ method: 'POST', url, headers, body: tokenForm(grant) }, limits);
    if (answer.kind === 'later') return answer;
    const read = pause(readTokenAnswer(answer, sentMs, clock.nowMs(), secretsOf(grant)));
    if (read.kind === 'token') log.info('token-obtained', { connection: connection.name });
    else log.warn(`token-${read.kind}`, { connection: connection.name, why: read.message });
    return read;
  };

const openOAuth2 = (auth: OAuth2, deps: SchemeDeps): CredentialSource => {
  const { connection, tokens: store, clock, random, tuning } = deps;
  const pause = pausing(deps);
  let source: TokenSource | undefined;
  const open = async (): Promise<TokenSource> => {
    const audience = audienceOf(await deps.baseUrl(), auth, await grantOf(auth, deps));
    const { name, timeoutMs } = connection;
    source ??= tokenSource({ connection: name, audience, timeoutMs, store, clock, random, tuning: tuning.connection });
    return source;
  };
  const wishOf = (limits: Limits) => ({ deadlineMs: limits.deadlineMs, ask: asking(auth, deps, limits, pause) });

  const credentialIn = async (result: TokenResult): Promise<CredentialResult> => {
    const { kind, requests } = result;
    switch (kind) {
      case 'token': {
        const { token } = result;
        const renew = async (limits: Limits) =>
          credentialIn(await (source ?? (await open())).renew(token, wishOf(limits)));
        const shown = showing(token.accessToken);
        const secrets = [...shown.secrets, ...secretsOf(await grantOf(auth, deps))];
        return {
          kind: 'credential',
          requests,
          credential: { ...shown, secrets, renew },
          ...defined({ isNew: result.isNew }),
        };
      }
      case 'later':
        return { kind: 'none', requests, answer: { kind, retryAtMs: result.retryAtMs } };
      case 'refused':
        return { kind: 'none', requests, answer: { kind: 'noToken', permanent: true, message: result.message } };
      case 'unavailable': {
        const { message, retryAfterMs: waitMs } = result;
        const answer = { kind: 'noToken', permanent: false, message, ...defined({ retryAfterMs: waitMs }) } as const;
        return { kind: 'none', requests, answer };
      }
      default:
        return kind satisfies never;
    }
  };
  return async (limits) => credentialIn(await (source ?? (await open())).get(wishOf(limits)));
};

/** A token that the server gives for the client's credentials, shared by all workers. */
export const oauth2 = (auth: OAuth2): Scheme => ({
  references: referencesOf(auth),
  account: [referenceTo('clientId', auth.clientId)],
  open: (deps) => openOAuth2(auth, deps),
});
