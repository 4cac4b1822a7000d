import type { ApiAnswer } from '../connection/api/api.ts';
import { askedWaitMs, type ReactionTable, reactionToFailure, reactionToStatus } from '../connection/reactions.ts';
import type { Success } from '../integration/schema/schema.ts';
import { defined } from '../runtime/defined.ts';
import type { TargetTuning } from '../runtime/tuning.ts';
import { type Judged, judgeBody, saysThrottled } from './judge-body.ts';
import { failureOf, type Outcome } from './target.ts';

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
      if (permanent) return { kind: 'notApplied', failure: { cause: 'no-token', excerpt }, waits: false };
      return retryAfterMs === undefined
        ? { kind: 'notApplied', failure: { cause: 'token-unavailable', excerpt }, waits: false }
        : { kind: 'notApplied', failure: { cause: 'no-token', excerpt }, waits: true, pauseMs: retryAfterMs };
    }
    case 'tokenRefused':
      return { kind: 'notApplied', failure: failureOf('no-token', answer.status, answer.words), waits: false };
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
