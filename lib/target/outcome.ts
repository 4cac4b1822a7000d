import type { ApiAnswer } from '../connection/api/api.ts';
import { refusalIn, refusedRowIn } from '../connection/api/refusal.ts';
import { askedWaitMs, type ReactionTable, reactionToFailure, reactionToStatus } from '../connection/reactions.ts';
import type { Success } from '../integration/schema/schema.ts';
import { isCompound, type JsonValue, parsedOrUndefined, stringifyJson } from '../json/json.ts';
import { readPath } from '../json/path.ts';
import { defined } from '../runtime/defined.ts';
import type { TargetTuning } from '../runtime/tuning.ts';
import { failureOf, type Outcome, type OutcomeCause, type OutcomeFailure } from './target.ts';

type ToStatus =
  /** Applied, unless the body says otherwise. */
  | 'success'
  | 'rejected'
  | 'conflict'
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
    // A 403 may speak of the rate, as GitHub's does.
    [403, 403, 'throttled', 'retry-after'],
    [403, 403, 'throttled', 'used-up'],
    [404, 404, 'rejected'],
    [409, 409, 'conflict'],
    [410, 410, 'rejected'],
    [413, 413, 'rejected'],
    [422, 422, 'rejected'],
    [429, 429, 'throttled'],
    // 403, 405, 415 and the like speak of the caller's rights or address, not of the record. At a 401 the API has renewed
    // the token and repeated the call already.
    [400, 499, 'retry'],
    [503, 503, 'unavailable', 'retry-after'],
  ],
  otherStatus: 'uncertain',
  failures: { never: 'retry', maybe: 'uncertain' },
};

/**
 * The outcome of one call: by the table, by what the integration declares as success inside a 2xx, and by why nothing
 * was sent. `rowsPath`: where the body speaks of each row by itself. Pure; `nowMs` is only for a Retry-After that is a
 * date (RFC 9110 §10.2.3).
 */
export const outcomeOf = (
  answer: ApiAnswer,
  success: Success,
  nowMs: number,
  tuning: TargetTuning,
  rowsPath?: string,
): Outcome => {
  switch (answer.kind) {
    case 'answered':
      return outcomeOfStatus(answer, success, nowMs, tuning, rowsPath);
    case 'failed': {
      const failure = { cause: answer.cause, excerpt: answer.message };
      return reactionToFailure(targetReactions, answer.cause) === 'retry'
        ? { kind: 'notApplied', failure, waits: false }
        : { kind: 'uncertain', failure };
    }
    case 'noToken': {
      const { permanent, message: excerpt, retryAfterMs } = answer;
      if (permanent) return { kind: 'notApplied', failure: { cause: 'access-refused', excerpt }, waits: false };
      return retryAfterMs === undefined
        ? { kind: 'notApplied', failure: { cause: 'token-unavailable', excerpt }, waits: false }
        : { kind: 'notApplied', failure: { cause: 'no-token', excerpt }, waits: true, pauseMs: retryAfterMs };
    }
    case 'accessRefused': {
      const cause = answer.isFinal ? 'access-refused' : 'token-unavailable';
      return { kind: 'notApplied', failure: failureOf(cause, answer.status, answer.words), waits: false };
    }
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
  rowsPath: string | undefined,
): Outcome => {
  const { status, headers, unreadable } = answer;
  const text = unreadable === undefined ? answer.text : `${unreadable.message}: ${answer.text}`;
  const failure = failureOf('status', status, text);
  const askedPauseMs = askedWaitMs(headers, nowMs);
  // A 5xx may have applied it, whatever the body says.
  if (status >= 400 && status < 500 && unreadable === undefined && saysThrottled(text, success)) {
    const pauseMs = askedPauseMs ?? tuning.pauseMs;
    return { kind: 'notApplied', failure: failureOf('throttled', status, text), waits: true, pauseMs };
  }
  const reaction = reactionToStatus(targetReactions, answer);
  switch (reaction) {
    case 'success':
      // Where the body must say success, an unreadable body does not.
      return unreadable !== undefined && (success.rules.length > 0 || rowsPath !== undefined)
        ? { kind: 'uncertain', failure: failureOf('unreadable-answer', status, text) }
        : outcomeOfBody(judgeBody(text, status, success, rowsPath), askedPauseMs ?? tuning.pauseMs);
    case 'rejected':
      return { kind: 'rejected', failure };
    case 'conflict':
      return { kind: 'conflict', failure, ...defined({ waitMs: askedPauseMs }) };
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

const outcomeOfBody = (judged: Judged, pauseMs: number): Outcome => {
  switch (judged.as) {
    case 'loaded':
      return { kind: 'loaded' };
    case 'throttled':
      return { kind: 'notApplied', failure: judged.failure, waits: true, pauseMs };
    case 'rejected':
    case 'uncertain':
      return { kind: judged.as, failure: judged.failure };
    default:
      return judged satisfies never;
  }
};

/** What the body of a 2xx says: that it was applied, that it was refused or throttled, or nothing that anybody knows. */
export type Judged = { as: 'loaded' } | { as: 'rejected' | 'throttled' | 'uncertain'; failure: OutcomeFailure };

/** What a rule finds at its path: a success, something else, nothing, or something that is no status at all. */
type Verdict = 'kept' | 'broken' | 'absent' | 'unreadable';

const verdictOf = (body: JsonValue, { path, equals }: Success['rules'][number]): Verdict => {
  const value = readPath(body, path);
  if (value === undefined || value === null) return 'absent';
  if (typeof value === 'object') return 'unreadable';
  return isAnyOf(value, equals) ? 'kept' : 'broken';
};

/** Compared as text: `"200"` is 200. An object is none of them, whatever its own `toString` says. */
const isAnyOf = (value: JsonValue | undefined, wanted: ReadonlyArray<string | number | boolean>): boolean =>
  value !== undefined && value !== null && !isCompound(value) && wanted.some((one) => String(one) === String(value));

const isThrottledBody = (body: JsonValue, { throttled }: Success): boolean =>
  throttled !== undefined && isAnyOf(readPath(body, throttled.path), throttled.equals);

/** Whether the body of a refusal says "too many", as the file names it. Pure. */
const saysThrottled = (text: string, success: Success): boolean => {
  const body = success.throttled && parsedOrUndefined(text);
  return body !== undefined && isThrottledBody(body, success);
};

/**
 * Judges the body of a 2xx. Some targets answer 200 to everything and say in the body how it went, so a rule of the file
 * that finds nothing it knows leaves the outcome open: a page of a proxy, a cut answer, another envelope.
 *
 * `rowsPath`: where the answer speaks of each row by itself. Pure.
 */
export const judgeBody = (text: string, status: number, success: Success, rowsPath?: string): Judged => {
  const ends = (as: 'rejected' | 'throttled' | 'uncertain', cause: OutcomeCause, words = text): Judged => ({
    as,
    failure: failureOf(cause, status, words),
  });
  const { rules } = success;
  // No body at all (201, 202, 204) says nothing against the status.
  if (text.trim() === '')
    return rules.some(({ required }) => required) ? ends('uncertain', 'unreadable-answer') : loaded;
  const body = parsedOrUndefined(text);
  if (body === undefined) return isStatusEnough(text, success) ? loaded : ends('uncertain', 'unreadable-answer');

  if (isThrottledBody(body, success)) return ends('throttled', 'throttled');
  const verdicts = rules.map((rule) => verdictOf(body, rule));
  if (verdicts.includes('broken')) return ends('rejected', 'business-error', wordsIn(body, success) ?? text);
  const refusal = refusalIn(body, (path) => rules.some((rule) => rule.path === path), rowsPath);
  if (refusal !== undefined) {
    const { path, value, words } = refusal;
    const shown = typeof value === 'object' ? path : `${path}: ${stringifyJson(value)}`;
    const told = wordsIn(body, success) ?? words;
    return ends('rejected', 'business-error', told === undefined ? `${shown} ${text}` : `${shown} "${told}"`);
  }
  // Which records the row stands for is what `target.results` would say.
  const row = rowsPath === undefined ? refusedRowIn(body) : undefined;
  if (row !== undefined) return ends('uncertain', 'no-row-result', `${row.path}: ${stringifyJson(row.value)} ${text}`);
  const isMissing = rules.some(({ required }, index) => required && verdicts[index] !== 'kept');
  const isUnknown = rules.length > 0 && !verdicts.includes('kept');
  const isCovered = success.status === true && !verdicts.includes('unreadable');
  return isMissing || (isUnknown && !isCovered) ? ends('uncertain', 'no-known-status') : loaded;
};

const loaded: Judged = { as: 'loaded' };

/**
 * Text that is not JSON is enough where no rule needs JSON. A web page or JSON that was cut off is not: the target did
 * not write it.
 */
const isStatusEnough = (text: string, { rules, status }: Success): boolean =>
  rules.length === 0 && (status === true || !/^\s*[<{[]/.test(text));

const wordsIn = (body: JsonValue, { message }: Success): string | undefined =>
  message.map((path) => readPath(body, path)).find((value) => typeof value === 'string');
