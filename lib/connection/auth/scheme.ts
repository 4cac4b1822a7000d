import type { Clock } from '../../runtime/clock.ts';
import type { EventsOf, Log } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { Tuning } from '../../runtime/tuning.ts';
import type { HttpAnswer, HttpRequest } from '../http.ts';
import type { AwaitPermit } from '../limit/rate-limit.ts';
import type { CachedSecrets, Env, Ref } from '../secrets.ts';
import type { TokenStore } from './token.ts';

/**
 * One way in which an API wants its requests authorised, as one `auth` block asks for it. Each has one file in this
 * folder, with its schema; what is added is listed in `schemes.ts`.
 */
export type Scheme = {
  /** All that the block refers to. */
  references: readonly Reference[];
  /** Those of them that name the account, where the file says nothing else of it. */
  account: readonly Reference[];
  open(deps: SchemeDeps): CredentialSource;
};

/** A key of the connection block and where its value is kept. What is not optional must lead to a value; a token URL to a path or a URL. */
export type Reference = { key: string; ref: Ref; optional?: boolean; isTokenUrl?: true };

/** Gives what the next request is authorised with; asks for a token first where none is at hand. */
export type CredentialSource = (limits: Limits) => Promise<CredentialResult>;

/** `requests` counts the token requests that it took; `isNew`: they gave another token than the one that was known. */
export type CredentialResult = { requests: number } & (
  | { kind: 'credential'; credential: Credential; isNew?: true }
  | { kind: 'none'; answer: Later | NoToken }
);

/** What requests are authorised with until the server refuses it. */
export type Credential = {
  /** The request as it is sent. Called for every attempt: it may add to any part of the request. */
  authorise(request: UnsentRequest): UnsentRequest;
  /** Texts that the server may repeat, and that nobody may see. */
  secrets: readonly string[];
  /** The token that it shows, by which two credentials are told apart. Absent: it shows none. */
  token?: string;
  /** Another one in its place, after the server has refused it; `unchanged` where there is none. */
  renew(limits: Limits): Promise<CredentialResult | { kind: 'unchanged' }>;
};

/** A request without the limits that its connection adds: its time-out and the size of its answer. */
export type UnsentRequest = Omit<HttpRequest, 'timeoutMs' | 'maxAnswerBytes'>;

/** Until when to wait (ms since the epoch), and whom to ask before each request, token requests included. */
export type Limits = { deadlineMs: number; awaitPermit: AwaitPermit };

/** Surely not sent: no permit, or no time, before the deadline. */
export type Later = { kind: 'later'; retryAtMs: number };

/** Surely not sent, since there is no token: refused for good, or unavailable for now. */
export type NoToken = { kind: 'noToken'; permanent: boolean; message: string; retryAfterMs?: number };

/** What a connection logs. */
export type ConnectionEvent = EventsOf<{
  'token-obtained': { connection: string };
  'token-refused': { connection: string; why: string };
  'token-unavailable': { connection: string; why: string };
  /** A token was refused before its end, and the request repeated with a new one. */
  'token-renewed': { connection: string };
}>;

/** What a connection works with, beside HTTP. */
export type ConnectionDeps = {
  tokens: TokenStore;
  secrets: CachedSecrets;
  clock: Clock;
  random: Random;
  log: Log<ConnectionEvent>;
  env: Env;
  tuning: Pick<Tuning, 'connection'>;
};

export type SchemeDeps = ConnectionDeps & {
  /** `timeoutMs`: of one request. */
  connection: { name: string; timeoutMs: number };
  baseUrl(): Promise<string>;
  /** The value of a reference that is not optional. Throws `ConfigurationError` and `SecretUnreadableError`. */
  resolve(reference: Reference): Promise<string>;
  /** Sends a request of the scheme's own, such as one for a token. */
  exchange(request: UnsentRequest, limits: Limits): Promise<HttpAnswer | Later>;
};
