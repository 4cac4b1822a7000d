import { createHash } from 'node:crypto';
import { isJsonObject, type JsonObject, parseJson } from '../../json/json.ts';
import type { HttpAnswer } from '../http.ts';
import { retryAfterMs } from '../retry-after.ts';
import type { Token } from './token-store.ts';

/** What a token is asked for with, once all references are resolved. */
export type Grant = { clientId: string; clientSecret: string; scope?: string } & (
  | { grant: 'client_credentials' }
  | { grant: 'password'; username: string; password: string }
);

/** OKKI's published life of a token; its `expires_in` may be absent. */
export const DEFAULT_LIFE_SEC = 28_800;

/**
 * The form of a token request (RFC 6749 §4.3.2 and §4.4.2). OKKI takes the client's credentials in the form, and of
 * the password its SHA-256 in hexadecimal.
 */
export const tokenForm = (grant: Grant): string => {
  const form = new URLSearchParams({ grant_type: grant.grant });
  if (grant.grant === 'password') {
    form.set('username', grant.username);
    form.set('password', createHash('sha256').update(grant.password).digest('hex'));
  }
  form.set('client_id', grant.clientId);
  form.set('client_secret', grant.clientSecret);
  if (grant.scope !== undefined) form.set('scope', grant.scope);
  return form.toString();
};

/** How a token request ended. */
export type TokenAnswer =
  | { kind: 'token'; token: Token }
  /** For good: wrong credentials, scope or request. */
  | { kind: 'refused'; message: string }
  /** For now; `retryAfterMs` where the server says when. */
  | { kind: 'unavailable'; message: string; retryAfterMs?: number };

const EXCERPT_CHARACTERS = 200;

/** The server's words without the secrets that it may repeat. */
const excerpt = (text: string, secrets: readonly string[]): string =>
  secrets
    .filter((secret) => secret !== '')
    .reduce((shown, secret) => shown.replaceAll(secret, '***'), text)
    .slice(0, EXCERPT_CHARACTERS);

const parseObject = (text: string): JsonObject | undefined => {
  try {
    const body = parseJson(text);
    return isJsonObject(body) ? body : undefined;
  } catch {
    return undefined;
  }
};

/** RFC 6749 §5.2, and OKKI's `message` beside it. */
const errorOf = (body: JsonObject | undefined): string | undefined => {
  const texts = [body?.error, body?.error_description ?? body?.message].filter((part) => typeof part === 'string');
  return texts.length === 0 ? undefined : texts.join(': ');
};

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
  if (answer.kind === 'failed') return { kind: 'unavailable', message: answer.message };
  const { status, headers, text } = answer;
  const body = parseObject(text);
  const said = errorOf(body);
  const saying = said === undefined ? '' : ` (${excerpt(said, secrets)})`;
  if (status === 429 || status === 408 || status >= 500) {
    const waitMs = retryAfterMs(headers['retry-after'], nowMs);
    const message = `status ${status}${saying}`;
    return waitMs === undefined
      ? { kind: 'unavailable', message }
      : { kind: 'unavailable', message, retryAfterMs: waitMs };
  }
  if (status < 200 || status > 299) return { kind: 'refused', message: `status ${status}${saying}` };
  if (body?.error !== undefined) return { kind: 'refused', message: `an error in status ${status}${saying}` };
  const accessToken = body?.access_token;
  if (typeof accessToken !== 'string' || accessToken === '') {
    return { kind: 'unavailable', message: `status ${status}, but no access_token in the answer` };
  }
  const life = lifeSec(body?.expires_in);
  return { kind: 'token', token: { accessToken, obtainedAtMs: sentMs, expiresAtMs: sentMs + life * 1000 } };
};
