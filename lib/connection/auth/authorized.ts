import type { Clock } from '../../runtime/clock.ts';
import { defined } from '../../runtime/defined.ts';
import { ConfigurationError } from '../../runtime/fault.ts';
import type { Log } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import { joinUrl, type Query, resolveLink } from '../base-url.ts';
import type { Connection } from '../connection-schema.ts';
import type { Http, HttpAnswer, HttpRequest } from '../http.ts';
import { type BlockPlace, connectionFaults, referencesOf } from '../references.ts';
import type { CachedSecrets, Env } from '../secrets.ts';
import { authorizationOf, type Exchange, type Held, type Later, type Leave, type NoToken } from './authorization.ts';
import type { TokenStore } from './token-store.ts';

/** A request to the API of a connection: without its base URL and without its authorization. */
export type ApiRequest = {
  method: HttpRequest['method'];
  /** Below the base URL. */
  path: string;
  query?: Query;
  headers?: Record<string, string>;
  /** JSON text. */
  body?: string;
  /** A link that the API itself gave, used instead of path and query; it must stay on the API's origin. */
  link?: string;
};

export type ApiAnswer =
  | HttpAnswer
  | NoToken
  | Later
  /** Surely not sent: the link leads to another origin, where the authorization must not go. */
  | { kind: 'foreignLink' };

/** How a request ended, and how many HTTP requests it took. */
export type Sent = { answer: ApiAnswer; requests: number; tokenRenewed: boolean };

/** An API behind its base URL and its authorization. */
export interface Api {
  /**
   * Sends a request, cut off at `deadlineMs`. A 401 renews the token once and repeats the request once; the answer to
   * that is final. Throws `ConfigurationError`, `SecretUnreadableError` and what the token store throws.
   */
  send(request: ApiRequest, limits: { deadlineMs: number; leave?: Leave }): Promise<Sent>;
}

export type ApiDeps = {
  http: Http;
  tokens: TokenStore;
  secrets: CachedSecrets;
  clock: Clock;
  random: Random;
  log: Log;
  env: Env;
};

/** With less time than this no request is begun: it could hardly end. */
export const MIN_REQUEST_MS = 250;

const UNAUTHORIZED = 401;

const alwaysGranted: Leave = async () => ({ granted: true });

const requestsIn = ({ kind }: ApiAnswer): number => (kind === 'answered' || kind === 'failed' ? 1 : 0);

/** Opens the API of a connection. Throws `ConfigurationError` with every reference that leads nowhere. */
export const connect = (connection: Connection, place: BlockPlace, deps: ApiDeps): Api => {
  const { http, secrets, clock, env, log } = deps;
  const faults = connectionFaults(connection, env, place);
  if (faults.length > 0) throw new ConfigurationError(faults);
  const references = referencesOf(connection, place, env, secrets);

  const exchange: Exchange = async (request, { deadlineMs, leave }) => {
    const left = await leave();
    if (!left.granted) return { kind: 'later', retryAtMs: left.retryAtMs };
    const leftMs = deadlineMs - clock.nowMs();
    if (leftMs < MIN_REQUEST_MS) return { kind: 'later', retryAtMs: clock.nowMs() };
    const { timeoutMs, maxAnswerBytes } = connection;
    return http.send({ ...request, timeoutMs: Math.min(timeoutMs, leftMs), maxAnswerBytes });
  };
  const authorization = authorizationOf(connection, { ...deps, references, exchange });

  return {
    send: async (request, { deadlineMs, leave = alwaysGranted }) => {
      const limits = { deadlineMs, leave };
      const pathUrl = joinUrl(await references.baseUrl(), request.path, request.query);
      const url = request.link === undefined ? pathUrl : resolveLink(pathUrl, request.link);
      if (url === undefined) return { answer: { kind: 'foreignLink' }, requests: 0, tokenRenewed: false };

      const { method, body, headers } = request;
      const sendWith = async ({ header }: Held) => {
        const all = {
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
          ...defined({ authorization: header }),
        };
        const answer = await exchange({ method, url, headers: all, ...defined({ body }) }, limits);
        return withoutToken(answer, header);
      };

      const held = await authorization.get(limits);
      if (held.kind === 'notHeld') return { answer: held.answer, requests: held.requests, tokenRenewed: false };
      const answer = await sendWith(held);
      const requests = held.requests + requestsIn(answer);
      if (answer.kind !== 'answered' || answer.status !== UNAUTHORIZED) {
        return { answer, requests, tokenRenewed: false };
      }

      const renewed = await authorization.renew(held, limits);
      if (renewed.kind === 'unchanged') return { answer, requests, tokenRenewed: false };
      if (renewed.kind === 'notHeld') {
        return { answer: renewed.answer, requests: requests + renewed.requests, tokenRenewed: false };
      }
      log.info('token-renewed', { connection: connection.name });
      const repeated = await sendWith(renewed);
      const total = requests + renewed.requests + requestsIn(repeated);
      return { answer: repeated, requests: total, tokenRenewed: true };
    },
  };
};

/** Shorter ones may stand in an answer by chance; real ones are longer (RFC 6749 §10.10 asks for 128 bits and more). */
const MIN_TOKEN_CHARACTERS = 16;

/** A server that repeats what it was sent must not carry our token into logs and dead letters. */
const withoutToken = <Answer extends { kind: string }>(answer: Answer, header: string | undefined): Answer => {
  const token = header?.slice(header.indexOf(' ') + 1) ?? '';
  if (
    token.length < MIN_TOKEN_CHARACTERS ||
    !('text' in answer) ||
    typeof answer.text !== 'string' ||
    !answer.text.includes(token)
  )
    return answer;
  return { ...answer, text: answer.text.replaceAll(token, '***') };
};
