import type { FailureCause } from '../connection/http.ts';
import type { Sign } from '../connection/limit/health.ts';
import type { AwaitPermit, RateLimit } from '../connection/limit/rate-limit.ts';
import type { JsonObject } from '../json/json.ts';
import { defined } from '../runtime/defined.ts';

/** What the target's answer can lack: it came with a 2xx, and yet says neither success nor refusal. */
const notUnderstoodCauses = ['unreadable-answer', 'no-known-status', 'no-rows', 'no-row-result'] as const;

/**
 * Why a POST did not load its record: no whole answer came (`FailureCause`); the answer's status; what its body says, or
 * does not say; or nothing was sent at all.
 */
export type OutcomeCause =
  | FailureCause
  | (typeof notUnderstoodCauses)[number]
  | 'status'
  | 'business-error'
  | 'throttled'
  | 'row-refused'
  | 'no-result'
  | 'access-refused'
  | 'no-token'
  | 'token-unavailable'
  | 'no-time'
  | 'foreign-link'
  | 'no-deletion-endpoint';

/** The cause, the status where there was one, and the beginning of the target's words. */
export type OutcomeFailure = { cause: OutcomeCause; status?: number; excerpt?: string };

const notUnderstood: ReadonlySet<OutcomeCause> = new Set(notUnderstoodCauses);

/**
 * Whether the target answered and nobody can tell what it means. Such an answer is never asked for again by itself: the
 * same request would get the same one, and may be applied each time.
 */
export const isNotUnderstood = ({ cause }: OutcomeFailure): boolean => notUnderstood.has(cause);

/** What an operator may see of an answer. */
const EXCERPT_CHARS = 300;
export const excerptOf = (text: string): string | undefined => {
  const line = text.replace(/\s+/g, ' ').trim();
  if (line === '') return undefined;
  return line.length > EXCERPT_CHARS ? `${line.slice(0, EXCERPT_CHARS)}…` : line;
};

/** A failure with the beginning of these words. */
export const failureOf = (cause: OutcomeCause, status: number, words: string): OutcomeFailure => {
  const excerpt = excerptOf(words);
  return { cause, status, ...defined({ excerpt }) };
};

/**
 * How a POST ended for its record.
 *
 * - `loaded`: the target has it.
 * - `rejected`: surely not applied, and sending the same again would end the same way.
 * - `notApplied`: surely not applied, and worth another try: after a failure, which counts, or after a wait, which
 *   does not. `pauseMs` holds all workers of the connection.
 * - `uncertain`: nobody knows whether it was applied.
 * - `conflict`: refused because of another request for the record, which may have been an earlier try of this very one.
 *   How it ends depends on whether idCheck knows of such a try, and on `target.conflict`. The target may have said how
 *   long to wait.
 */
export type Outcome =
  | { kind: 'loaded' }
  | { kind: 'rejected'; failure: OutcomeFailure }
  | { kind: 'notApplied'; failure: OutcomeFailure; waits: boolean; pauseMs?: number }
  | { kind: 'uncertain'; failure: OutcomeFailure }
  | { kind: 'conflict'; failure: OutcomeFailure; waitMs?: number };

/** One record as a request carries it. */
export type PostRecord = {
  id: string;
  body: JsonObject;
  idempotencyKey: string;
  /** The target is told that the record is gone; alone in its request. */
  deletes?: true;
};

/** The system that records are loaded into, as a port. */
export interface Target {
  /** Name of its connection: rate limit and pauses are shared under it. */
  connection: string;
  limit: RateLimit | undefined;
  /** Records in one request at most. */
  rows: number;
  /** Requests at a time in one worker. */
  concurrency: number;
  /** How long one `post` may take in all, ms: a renewed token and the repeated call included. */
  longestPostMs: number;
  /**
   * POSTs the records in one request and says how it ended for each, in order. `requests` counts HTTP requests, token
   * requests included; each of them asks for its permit first. Throws only where nothing was applied: for faults of configuration, for a secret or a
   * token store that cannot be read.
   */
  post(records: readonly PostRecord[], awaitPermit: AwaitPermit): Promise<{ outcomes: Outcome[]; requests: number }>;
}

/** Statuses with which a gateway says that what is behind it does not answer (RFC 9110 §15.6). */
const gatewayStatuses: ReadonlySet<number> = new Set([502, 503, 504]);

/** What causes other than a status say of the target; those that are not here come with an answer that is understood. */
const signByCause: Partial<Record<OutcomeCause, Sign | 'nothing'>> = {
  dns: 'unsent',
  refused: 'unsent',
  unreachable: 'unsent',
  tls: 'unsent',
  timeout: 'down',
  reset: 'down',
  network: 'down',
  // Login or signature are refused: every other record would be refused as well.
  'access-refused': 'refused',
  // The token endpoint does not answer, or nobody can read what it says; or each token is refused.
  'token-unavailable': 'unsent',
  // Nothing was asked.
  'no-token': 'nothing',
  'no-time': 'nothing',
  'foreign-link': 'nothing',
  'no-deletion-endpoint': 'nothing',
};

/**
 * What the outcome of one record says of the target; undefined: nothing. A request to wait is neither a failure nor a
 * proof that records are taken. Pure.
 */
export const signOf = (outcome: Outcome): Sign | undefined => {
  if (outcome.kind === 'loaded') return 'well';
  if (outcome.kind === 'notApplied' && outcome.waits) return undefined;
  const { failure } = outcome;
  if (isNotUnderstood(failure)) return 'unclear';
  const sign = signByCause[failure.cause] ?? (isOfGateway(failure) ? 'down' : 'well');
  return sign === 'nothing' ? undefined : sign;
};

const isOfGateway = ({ cause, status }: OutcomeFailure): boolean =>
  cause === 'status' && status !== undefined && gatewayStatuses.has(status);

/** What one request says by the outcomes of its records: one of them that is understood shows that its answer is. */
export const signOfRequest = (outcomes: readonly Outcome[]): Sign | undefined => {
  const signs = outcomes.map(signOf);
  return signs.includes('well') ? 'well' : signs.find((sign) => sign !== undefined);
};
