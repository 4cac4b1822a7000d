import { createHash } from 'node:crypto';
import type { Clock } from '../../runtime/clock.ts';
import { defined } from '../../runtime/defined.ts';
import type { Log } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import { joinUrl } from '../base-url.ts';
import type { Auth, Connection, Ref } from '../connection-schema.ts';
import type { HttpAnswer, HttpRequest } from '../http.ts';
import type { References } from '../references.ts';
import { type CachedSecrets, type Env, lookUp, resolveRef } from '../secrets.ts';
import { type Grant, readTokenAnswer, tokenForm } from './oauth2.ts';
import { type AskForToken, type TokenResult, type TokenSource, tokenSource } from './token.ts';
import type { Token, TokenStore } from './token-store.ts';

/** Leave to send one request, asked for before every one of them, token requests included. */
export type Leave = () => Promise<{ granted: true } | { granted: false; retryAtMs: number }>;

/** Until when to wait (ms since the epoch), and whom to ask before each request. */
type Limits = { deadlineMs: number; leave: Leave };

/** Surely not sent: no leave, or no time, before the deadline. */
export type Later = { kind: 'later'; retryAtMs: number };

/** Surely not sent, since there is no token: refused for good, or unavailable for now. */
export type NoToken = { kind: 'noToken'; permanent: boolean; message: string; retryAfterMs?: number };

/** The value of the authorization header; none where the API asks for none. */
export type Held = { kind: 'held'; requests: number; header: string | undefined; token?: Token };
type NotHeld = { kind: 'notHeld'; requests: number; answer: Later | NoToken };

/** How the requests of a connection are authorised. */
export interface Authorization {
  get(limits: Limits): Promise<Held | NotHeld>;
  /** Another header than `refused`, to which a 401 was answered; `unchanged` where there is none. */
  renew(refused: Held, limits: Limits): Promise<Held | NotHeld | { kind: 'unchanged' }>;
}

/** Sends one request of a connection within its limits. */
export type Exchange = (
  request: Omit<HttpRequest, 'timeoutMs' | 'maxAnswerBytes'>,
  limits: Limits,
) => Promise<HttpAnswer | Later>;

export type AuthorizationDeps = {
  references: References;
  exchange: Exchange;
  tokens: TokenStore;
  secrets: CachedSecrets;
  clock: Clock;
  random: Random;
  log: Log;
  env: Env;
};

type OAuth2 = Extract<Auth, { kind: 'oauth2' }>;

const noAuthorization: Authorization = {
  get: async () => ({ kind: 'held', requests: 0, header: undefined }),
  renew: async () => ({ kind: 'unchanged' }),
};

const bearer = (ref: Ref, { env, secrets }: AuthorizationDeps): Authorization => {
  const get = async (): Promise<Held> => {
    const token = await resolveRef(ref, env, secrets);
    return { kind: 'held', requests: 0, header: token === undefined ? undefined : `Bearer ${token}` };
  };
  return {
    get,
    // A token in a secret store may have been rotated since it was read.
    renew: async ({ header }) => {
      const found = lookUp(ref, env);
      if (found.kind !== 'stored') return { kind: 'unchanged' };
      secrets.forget(found.ref);
      const fresh = await get();
      return fresh.header === header ? { kind: 'unchanged' } : fresh;
    },
  };
};

const grantOf = async (auth: OAuth2, { needed }: References): Promise<Grant> => {
  const clientId = await needed('auth.clientId', auth.clientId);
  const clientSecret = await needed('auth.clientSecret', auth.clientSecret);
  const client = { clientId, clientSecret, ...defined({ scope: auth.scope }) };
  if (auth.grant === 'client_credentials') return { grant: auth.grant, ...client };
  const username = await needed('auth.username', auth.username);
  const password = await needed('auth.password', auth.password);
  return { grant: auth.grant, username, password, ...client };
};

/** Whom a token is for: after a change of any of these the old token is neither used nor shown to the new server. */
const audienceOf = (baseUrl: string, { tokenPath }: OAuth2, grant: Grant): string => {
  const username = grant.grant === 'password' ? grant.username : '';
  const parts = [baseUrl, tokenPath, grant.grant, grant.clientId, username, grant.scope ?? ''];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
};

const heldOf = (result: TokenResult): Held | NotHeld => {
  const { requests } = result;
  switch (result.kind) {
    case 'token':
      return { kind: 'held', requests, header: `Bearer ${result.token.accessToken}`, token: result.token };
    case 'later':
      return { kind: 'notHeld', requests, answer: { kind: 'later', retryAtMs: result.retryAtMs } };
    case 'refused':
      return { kind: 'notHeld', requests, answer: { kind: 'noToken', permanent: true, message: result.message } };
    case 'unavailable': {
      const { message, retryAfterMs } = result;
      const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
      return { kind: 'notHeld', requests, answer: { kind: 'noToken', permanent: false, message, ...wait } };
    }
  }
};

const oauth2 = (connection: Connection, auth: OAuth2, deps: AuthorizationDeps): Authorization => {
  const { references, exchange, tokens: store, clock, random, log } = deps;
  const { name, timeoutMs } = connection;

  const asking =
    (limits: Limits): AskForToken =>
    async () => {
      const grant = await grantOf(auth, references);
      const url = joinUrl(await references.baseUrl(), auth.tokenPath);
      const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' };
      const sentMs = clock.nowMs();
      const answer = await exchange({ method: 'POST', url, headers, body: tokenForm(grant) }, limits);
      if (answer.kind === 'later') return answer;
      const hidden = [grant.clientSecret, ...(grant.grant === 'password' ? [grant.password] : [])];
      const read = readTokenAnswer(answer, sentMs, clock.nowMs(), hidden);
      if (read.kind === 'token') log.info('token-obtained', { connection: name });
      else log.warn(`token-${read.kind}`, { connection: name, why: read.message });
      return read;
    };

  let source: TokenSource | undefined;
  const open = async (): Promise<TokenSource> => {
    const audience = audienceOf(await references.baseUrl(), auth, await grantOf(auth, references));
    source ??= tokenSource({ connection: name, audience, timeoutMs, store, clock, random });
    return source;
  };
  const wishOf = (limits: Limits) => ({ deadlineMs: limits.deadlineMs, ask: asking(limits) });
  return {
    get: async (limits) => heldOf(await (source ?? (await open())).get(wishOf(limits))),
    renew: async ({ token }, limits) =>
      token ? heldOf(await (source ?? (await open())).renew(token, wishOf(limits))) : { kind: 'unchanged' },
  };
};

/** The authorization that a connection block asks for. */
export const authorizationOf = (connection: Connection, deps: AuthorizationDeps): Authorization => {
  const { auth } = connection;
  switch (auth.kind) {
    case 'oauth2':
      return oauth2(connection, auth, deps);
    case 'bearer':
      return bearer(auth.token, deps);
    case 'none':
      return noAuthorization;
  }
};
