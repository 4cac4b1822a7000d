import type { JsonValue } from '../../json/json.ts';
import { parsedOrUndefined } from '../../json/json.ts';
import { backoffMs } from '../../runtime/backoff.ts';
import { defined } from '../../runtime/defined.ts';
import type { Answered, HttpAnswer } from '../http.ts';
import { askedWaitMs, type ReactionTable, reactionToFailure, reactionToStatus } from '../reactions.ts';
import { strikeOut } from '../redaction.ts';
import type {
  Credential,
  CredentialResult,
  CredentialSource,
  Later,
  Limits,
  SchemeDeps,
  UnsentRequest,
} from './scheme.ts';
import { type Token, type TokenAnswer, type TokenResult, type TokenSource, tokenSource } from './token.ts';

// What all schemes with a token of the server's have in common: it is asked for, shared, shown and renewed.

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

const EXCERPT_CHARACTERS = 200;

/** A life in seconds as an answer states it, as number or text; undefined where it states none. Pure. */
export const statedLifeSec = (expiresIn: unknown): number | undefined => {
  const seconds = typeof expiresIn === 'string' && expiresIn.trim() !== '' ? Number(expiresIn) : expiresIn;
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
};

/** How a scheme reads the answers to its token requests. */
export type TokenReading = {
  /** The server's own words about a refusal, where it has any. */
  wordsIn(body: JsonValue | undefined, text: string): string | undefined;
  /** The token and its life in a 2xx; `why`: what is refused, or lacking for now. */
  tokenIn(
    body: JsonValue | undefined,
    answer: Answered,
  ): { accessToken: string; lifeSec: number } | { kind: 'refused' | 'unavailable'; why: string };
};

/**
 * Reads the answer to a token request that was sent at `sentMs` (ms since the epoch): the token's life counts from
 * there, so that it never looks longer than it is. `secrets` are struck out of what the server says. Pure.
 */
export const readAnswerWithToken = (
  answer: HttpAnswer,
  sentMs: number,
  nowMs: number,
  secrets: readonly string[],
  { wordsIn, tokenIn }: TokenReading,
): TokenAnswer => {
  if (answer.kind === 'failed') {
    return { kind: reactionToFailure(tokenReactions, answer.cause), message: answer.message };
  }
  const { status, headers, text, unreadable } = answer;
  const body = parsedOrUndefined(text);
  const said = wordsIn(body, text);
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
      if (unreadable !== undefined) {
        return { kind: 'unavailable', message: `status ${status}, but ${unreadable.message}` };
      }
      const found = tokenIn(body, answer);
      if ('kind' in found) {
        const words = found.kind === 'refused' ? `${found.why} in status ${status}${saying}` : undefined;
        return { kind: found.kind, message: words ?? `status ${status}, but ${found.why}` };
      }
      const { accessToken, lifeSec } = found;
      return { kind: 'token', token: { accessToken, obtainedAtMs: sentMs, expiresAtMs: sentMs + lifeSec * 1000 } };
    }
    default:
      return reaction satisfies never;
  }
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

/** How one scheme logs in. */
export type Login = {
  /** Names server and account: a token for another audience is neither used nor shown. */
  audience(): Promise<string>;
  /** A token request, and the texts in it that nobody may see. */
  request(): Promise<{ request: UnsentRequest; secrets: string[] }>;
  reading: TokenReading;
  /** How requests show a token. */
  show(token: Token): Pick<Credential, 'authorise' | 'secrets' | 'token'>;
  /** The texts of later token requests that a server may repeat at any time. */
  secrets(): Promise<string[]>;
};

/** The credentials of a login, with one token for all workers. */
export const openLogin = (login: Login, deps: SchemeDeps): CredentialSource => {
  const { connection, tokens: store, clock, random, tuning, log } = deps;
  const pause = pausing(deps);
  let source: TokenSource | undefined;
  const open = async (): Promise<TokenSource> => {
    const audience = await login.audience();
    const { name, timeoutMs } = connection;
    source ??= tokenSource({ connection: name, audience, timeoutMs, store, clock, random, tuning: tuning.connection });
    return source;
  };

  /** Sends one token request within its limits. */
  const ask = async (limits: Limits): Promise<TokenAnswer | Later> => {
    const { request, secrets } = await login.request();
    const sentMs = clock.nowMs();
    const answer = await deps.exchange(request, limits);
    if (answer.kind === 'later') return answer;
    const read = pause(readAnswerWithToken(answer, sentMs, clock.nowMs(), secrets, login.reading));
    if (read.kind === 'token') log.info('token-obtained', { connection: connection.name });
    else log.warn(`token-${read.kind}`, { connection: connection.name, why: read.message });
    return read;
  };
  const wishOf = (limits: Limits) => ({ deadlineMs: limits.deadlineMs, ask: () => ask(limits) });

  const credentialIn = async (result: TokenResult): Promise<CredentialResult> => {
    const { kind, requests } = result;
    switch (kind) {
      case 'token': {
        const { token } = result;
        const renew = async (limits: Limits) =>
          credentialIn(await (source ?? (await open())).renew(token, wishOf(limits)));
        const shown = login.show(token);
        const secrets = [...shown.secrets, ...(await login.secrets())];
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
