import { defined } from '../../runtime/defined.ts';
import { ConfigurationError, type FaultPlace } from '../../runtime/fault.ts';
import { fits, rulesIn, type TokenRefusal, tokenRefusalIn } from '../auth/access-rules.ts';
import { dressed } from '../auth/beside.ts';
import type { ConnectionDeps, Credential, Later, NoToken, SchemeDeps } from '../auth/scheme.ts';
import { schemeOf } from '../auth/schemes.ts';
import {
  type Answered,
  type Http,
  type HttpAnswer,
  type HttpRequest,
  joinUrl,
  type Query,
  resolveLink,
} from '../http.ts';
import type { AwaitPermit } from '../limit/rate-limit.ts';
import { strikeOut } from '../redaction.ts';
import { type Connection, connectionFaults, valuesOf } from './connection.ts';

/** A request to the API of a connection: without its base URL and without its authorization. */
export type ApiRequest = {
  method: HttpRequest['method'];
  /** Below the base URL. */
  path: string;
  query?: Query;
  headers?: Record<string, string>;
  /** JSON text, or the text of a form, as its content type says; without one it is JSON. */
  body?: string;
  /** A link that the API itself gave, used instead of path and query; it must stay on the API's host. */
  link?: string;
};

export type ApiAnswer =
  | HttpAnswer
  | NoToken
  | Later
  /**
   * By a rule of the file: not applied, whatever its status says. `isFinal`: it refuses the credentials themselves, so
   * that asking again before somebody has looked helps nobody; else it refuses a token, and its successor.
   */
  | { kind: 'accessRefused'; status: number; words: string; isFinal: boolean }
  /** Surely not sent: the link leads to another host, where the authorization must not go. */
  | { kind: 'foreignLink' };

/** How a request ended, and how many HTTP requests it took. */
export type ApiResult = { answer: ApiAnswer; requests: number; tokenRenewed: boolean };

/** An API behind its base URL and its authorization. */
export interface Api {
  /**
   * Sends a request, cut off at `deadlineMs`; it, a token request and a repeat take a permit each. A token that is refused (401, a rule of `auth.expired`, or a 403 to a token
   * that was at hand) is renewed once, and the request repeated once; the answer to that is final. Throws `ConfigurationError`, `SecretUnreadableError` and what the token store throws.
   */
  send(request: ApiRequest, limits: { deadlineMs: number; awaitPermit: AwaitPermit }): Promise<ApiResult>;
}

export type ApiDeps = ConnectionDeps & { http: Http };

const requestsIn = ({ kind }: ApiAnswer): number => (kind === 'answered' || kind === 'failed' ? 1 : 0);

const EXCERPT_CHARACTERS = 200;

/**
 * Opens the API of a connection. `sentSecrets`: those that requests carry beside its authorization. Throws
 * `ConfigurationError` with every reference that leads nowhere.
 */
export const connect = (
  connection: Connection,
  place: FaultPlace,
  deps: ApiDeps,
  sentSecrets: readonly string[] = [],
): Api => {
  const { http, secrets, clock, env, log } = deps;
  const faults = connectionFaults(connection, env, place);
  if (faults.length > 0) throw new ConfigurationError(faults);
  const values = valuesOf(connection, place, env, secrets);

  const exchange: SchemeDeps['exchange'] = async (request, { deadlineMs, awaitPermit }) => {
    const permit = await awaitPermit();
    if (!permit.granted) return { kind: 'later', retryAtMs: permit.retryAtMs };
    const leftMs = deadlineMs - clock.nowMs();
    if (leftMs < deps.tuning.connection.minRequestMs) return { kind: 'later', retryAtMs: clock.nowMs() };
    const { timeoutMs, maxAnswerBytes } = connection;
    return http.send({ ...request, timeoutMs: Math.min(timeoutMs, leftMs), maxAnswerBytes });
  };
  const expired = rulesIn(connection.auth.expired);
  const refused = rulesIn(connection.auth.refused);
  const refusalIn = (answer: ApiAnswer) => (answer.kind === 'answered' ? tokenRefusalIn(answer, expired) : undefined);
  /** The last token that was refused although it was new. */
  let refusedAnew: { token: string | undefined; as: TokenRefusal; untilMs: number } | undefined;
  const noteRefusedAnew = ({ token }: Credential, as: TokenRefusal) => {
    refusedAnew = { token, as, untilMs: clock.nowMs() + deps.tuning.connection.refusedAnewMs[as] };
  };
  /**
   * An accepted request proves that the token is valid. It proves nothing about a 403, which may be about the request.
   */
  const noteAccepted = ({ token }: Credential) => {
    if (refusedAnew?.token === token && refusedAnew?.as === 'expired') refusedAnew = undefined;
  };
  const maySucceedAnew = ({ token }: Credential): boolean =>
    refusedAnew === undefined || refusedAnew.token !== token || refusedAnew.untilMs <= clock.nowMs();
  /** A refusal that only the file knows must not be judged by its status. */
  const judged = (answer: ApiAnswer): ApiAnswer => {
    if (answer.kind !== 'answered') return answer;
    const isFinal = refused.some((rule) => fits(answer, rule));
    if (!isFinal && (answer.status === 401 || !refusalIn(answer)?.byRule)) return answer;
    const words = (answer.shown ?? answer.text).replace(/\s+/g, ' ').trim().slice(0, EXCERPT_CHARACTERS);
    return { kind: 'accessRefused', status: answer.status, words: words.toWellFormed(), isFinal };
  };
  const getCredential = schemeOf(connection.auth).open({ ...deps, ...values, connection, exchange });

  return {
    send: async (request, { deadlineMs, awaitPermit }) => {
      const limits = { deadlineMs, awaitPermit };
      const pathUrl = joinUrl(await values.baseUrl(), request.path, request.query);
      const url = request.link === undefined ? pathUrl : resolveLink(pathUrl, request.link);
      if (url === undefined) return { answer: { kind: 'foreignLink' }, requests: 0, tokenRenewed: false };

      const { method, body } = request;
      const headers = {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...request.headers,
      };
      const sendWith = async (credential: Credential): Promise<HttpAnswer | Later> => {
        const authorised = credential.authorise({ method, url, headers, ...defined({ body }) });
        const sent = await dressed(authorised, connection.auth, { ...deps, ...values });
        const answer = await exchange(sent.request, limits);
        if (answer.kind !== 'answered') return answer;
        return withoutSecrets(answer, [...credential.secrets, ...sent.secrets, ...sentSecrets]);
      };

      const first = await getCredential(limits);
      if (first.kind === 'none') return { answer: first.answer, requests: first.requests, tokenRenewed: false };
      const answer = await sendWith(first.credential);
      const requests = first.requests + requestsIn(answer);
      const unrenewed = { answer: judged(answer), requests, tokenRenewed: false };
      const refusal = refusalIn(answer);
      if (refusal === undefined) {
        if (answer.kind === 'answered') noteAccepted(first.credential);
        return unrenewed;
      }
      // The token is new: another one would be refused as well.
      const isNew = refusal.as === 'forbidden' && first.isNew === true;
      if (isNew || !maySucceedAnew(first.credential)) return unrenewed;

      const renewed = await first.credential.renew(limits);
      if (renewed.kind === 'unchanged') {
        if (refusal.as === 'forbidden') noteRefusedAnew(first.credential, refusal.as);
        return unrenewed;
      }
      if (renewed.kind === 'none') {
        return { answer: renewed.answer, requests: requests + renewed.requests, tokenRenewed: false };
      }
      log.info('token-renewed', { connection: connection.name });
      const repeated = await sendWith(renewed.credential);
      const total = requests + renewed.requests + requestsIn(repeated);
      const refusedAgain = refusalIn(repeated);
      if (refusedAgain !== undefined) noteRefusedAnew(renewed.credential, refusedAgain.as);
      return { answer: judged(repeated), requests: total, tokenRenewed: true };
    },
  };
};

/** Shorter ones may be part of a record by chance; real ones are longer (RFC 6749 §10.10 asks for 128 bits and more). */
const MIN_CHARACTERS_IN_RECORDS = 16;

/**
 * A server that repeats what it was sent must not carry our secrets into logs, tables and letters: long ones are struck
 * out of all that it says, records too, short ones out of what is shown.
 */
const withoutSecrets = (answer: Answered, secrets: readonly string[]): Answered => {
  const text = strikeOut(answer.text, secrets, MIN_CHARACTERS_IN_RECORDS);
  const shown = strikeOut(text, secrets);
  return { ...answer, text, ...(shown !== text && { shown }) };
};
