import type { ApiAnswer } from '../connection/api/api.ts';
import type { FailureCause } from '../connection/http.ts';
import { type ReactionTable, reactionToFailure, reactionToStatus } from '../connection/reactions.ts';
import { retryAfterMs } from '../connection/retry-after.ts';
import type { Success } from '../integration/schema/schema.ts';
import { type JsonValue, parsedOrUndefined } from '../json/json.ts';
import { readPath } from '../json/path.ts';
import { defined } from '../runtime/defined.ts';
import type { TargetTuning } from '../runtime/tuning.ts';

/**
 * How a POST ended for its record.
 *
 * - `loaded`: the target has it.
 * - `rejected`: surely not applied, and sending the same again would end the same way.
 * - `notApplied`: surely not applied, and worth another try: after a failure, which counts, or after a wait, which
 *   does not. `pauseMs` holds all workers of the connection.
 * - `uncertain`: nobody knows whether it was applied.
 */
export type Outcome =
  | { kind: 'loaded' }
  | { kind: 'rejected'; failure: OutcomeFailure }
  | { kind: 'notApplied'; failure: OutcomeFailure; waits: boolean; pauseMs?: number }
  | { kind: 'uncertain'; failure: OutcomeFailure };

/**
 * Why a POST did not load its record: no whole answer came (`FailureCause`); the answer's status; what its body says; or
 * nothing was sent at all.
 */
export type OutcomeCause =
  | FailureCause
  | 'status'
  | 'business-error'
  | 'throttled'
  | 'unreadable-answer'
  | 'row-refused'
  | 'no-row-result'
  | 'no-result'
  | 'no-token'
  | 'no-time'
  | 'foreign-link'
  | 'no-deletion-endpoint';

/** The cause, the status where there was one, and the beginning of the target's words. */
export type OutcomeFailure = { cause: OutcomeCause; status?: number; excerpt?: string };

type ToStatus =
  /** Applied, unless the body says otherwise. */
  | 'success'
  | 'rejected'
  | 'retry'
  /** Everyone waits, for as long as the answer says or for a while that is set (`TargetTuning`). */
  | 'throttled'
  /** Everyone waits for as long as the answer says; where it cannot be read, nobody knows what happened. */
  | 'unavailable'
  | 'uncertain';

/** What the end of a POST says of the request having been applied (RFC 9110 §15). */
export const targetReactions: ReactionTable<ToStatus, 'retry' | 'uncertain'> = {
  statuses: [
    [200, 299, 'success'],
    // A redirect is not followed: the address is misconfigured, and nothing was applied.
    [300, 399, 'retry'],
    [400, 400, 'rejected'],
    // The API has renewed the token and repeated the call already.
    [401, 401, 'retry'],
    [404, 404, 'rejected'],
    [409, 410, 'rejected'],
    [413, 413, 'rejected'],
    [422, 422, 'rejected'],
    [429, 429, 'throttled'],
    // 403, 405, 415 and the like speak of the caller's rights or address, not of the record.
    [400, 499, 'retry'],
    [503, 503, 'unavailable', 'retry-after'],
  ],
  otherStatus: 'uncertain',
  failures: { never: 'retry', maybe: 'uncertain' },
};

/** What an operator may see of an answer. */
const EXCERPT_CHARS = 300;
export const excerptOf = (text: string): string | undefined => {
  const line = text.replace(/\s+/g, ' ').trim();
  if (line === '') return undefined;
  return line.length > EXCERPT_CHARS ? `${line.slice(0, EXCERPT_CHARS)}…` : line;
};

/**
 * The outcome of one call: by the table, by what the integration declares as success inside a 2xx, and by why nothing
 * was sent. Pure; `nowMs` is only for a Retry-After that is a date (RFC 9110 §10.2.3).
 */
export const outcomeOf = (answer: ApiAnswer, success: Success, nowMs: number, tuning: TargetTuning): Outcome => {
  switch (answer.kind) {
    case 'answered':
      return outcomeOfStatus(answer, success, nowMs, tuning);
    case 'failed': {
      const failure = { cause: answer.cause, excerpt: answer.message };
      return reactionToFailure(targetReactions, answer.cause) === 'retry'
        ? { kind: 'notApplied', failure, waits: false }
        : { kind: 'uncertain', failure };
    }
    case 'noToken':
      return { kind: 'notApplied', failure: { cause: 'no-token', excerpt: answer.message }, waits: false };
    case 'later':
      return { kind: 'notApplied', failure: { cause: 'no-time' }, waits: true, pauseMs: 0 };
    case 'foreignLink':
      return { kind: 'notApplied', failure: { cause: 'foreign-link' }, waits: false };
    default:
      return answer satisfies never;
  }
};

const outcomeOfStatus = (
  answer: Extract<ApiAnswer, { kind: 'answered' }>,
  success: Success,
  nowMs: number,
  tuning: TargetTuning,
): Outcome => {
  const { status, headers, unreadable } = answer;
  const text = unreadable === undefined ? answer.text : `${unreadable.message}: ${answer.text}`;
  const failure = failureOf('status', status, text);
  const askedPauseMs = retryAfterMs(headers['retry-after'], nowMs);
  const reaction = reactionToStatus(targetReactions, answer);
  switch (reaction) {
    case 'success':
      // What nobody can read is no word of success where one is expected.
      return unreadable !== undefined && success.rules.length > 0
        ? { kind: 'uncertain', failure: failureOf('unreadable-answer', status, text) }
        : judgeBody(text, status, success, askedPauseMs, tuning);
    case 'rejected':
      return { kind: 'rejected', failure };
    case 'retry':
      return { kind: 'notApplied', failure, waits: false };
    case 'throttled':
      return { kind: 'notApplied', failure, waits: true, pauseMs: askedPauseMs ?? tuning.pauseMs };
    case 'unavailable':
      return askedPauseMs === undefined
        ? { kind: 'uncertain', failure }
        : { kind: 'notApplied', failure, waits: true, pauseMs: askedPauseMs };
    case 'uncertain':
      return { kind: 'uncertain', failure };
    default:
      return reaction satisfies never;
  }
};

const failureOf = (cause: OutcomeCause, status: number, text: string): OutcomeFailure => {
  const excerpt = excerptOf(text);
  return { cause, status, ...defined({ excerpt }) };
};

// Some targets answer 200 to everything and say in the body how it went.
const judgeBody = (
  text: string,
  status: number,
  success: Success,
  askedPauseMs: number | undefined,
  tuning: TargetTuning,
): Outcome => {
  const body = parsedOrUndefined(text);
  if (body === undefined) {
    // Not a word of the target's own (a proxy's page, a cut answer): 2xx says applied only where no body is promised.
    const isPromised = success.rules.some(({ required }) => required);
    return isPromised || text.trimStart().startsWith('<')
      ? { kind: 'uncertain', failure: failureOf('unreadable-answer', status, text) }
      : { kind: 'loaded' };
  }
  if (success.throttled !== undefined && matches(body, success.throttled.path, success.throttled.equals)) {
    const failure = failureOf('throttled', status, text);
    return { kind: 'notApplied', failure, waits: true, pauseMs: askedPauseMs ?? tuning.pauseMs };
  }
  const broken = success.rules.some(({ path, equals, required }) => {
    const value = readPath(body, path);
    return value === undefined ? required : !isAnyOf(value, equals);
  });
  if (!broken) return { kind: 'loaded' };
  const words = success.message.map((path) => readPath(body, path)).find((value) => typeof value === 'string');
  return { kind: 'rejected', failure: failureOf('business-error', status, typeof words === 'string' ? words : text) };
};

const matches = (body: JsonValue, path: string, equals: ReadonlyArray<string | number | boolean>): boolean =>
  isAnyOf(readPath(body, path), equals);

/** Compared as text: `"200"` is 200. An object is none of them, whatever its own `toString` says. */
const isAnyOf = (value: JsonValue | undefined, wanted: ReadonlyArray<string | number | boolean>): boolean =>
  value !== undefined && typeof value !== 'object' && wanted.some((one) => String(one) === String(value));
