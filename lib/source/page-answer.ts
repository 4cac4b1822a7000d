import type { ApiAnswer } from '../connection/api/api.ts';
import type { Answered, HttpAnswer, Unreadable } from '../connection/http.ts';
import { askedWaitMs, type ReactionTable, reactionToFailure, reactionToStatus } from '../connection/reactions.ts';
import type { AnswerPlan } from '../integration/compile/source-plan.ts';
import { defined } from '../runtime/defined.ts';
import { type FaultCode, messageIn, type Page, passingFaults, readAnswer, throttleIn } from './answer.ts';

/** What an answer that is no page, or the want of one, is called in warnings, failures and the log. */
export type PageAnswerCode =
  | FaultCode
  | 'source-redirected'
  | 'source-refused'
  | 'source-timeout'
  | 'source-unavailable'
  | 'source-429'
  | 'source-503'
  | 'source-unreachable'
  | 'source-dropped'
  | 'answer-too-large'
  | 'token-refused'
  | 'token-unavailable'
  | 'link-foreign';

/** `code` names the event in warnings and failures, `advice` says what a person can do. */
type Again =
  /** May pass: counted and backed off. */
  | { kind: 'retry'; code: PageAnswerCode; advice: string }
  /** The same request would be refused again. `isOrderly`: behind the last page it may only mean that there is none. */
  | { kind: 'fail'; code: PageAnswerCode; advice: string; isOrderly?: true };

type ToStatus =
  /** Look for the page in it. */
  | { kind: 'read' }
  /** The page has no rows. */
  | { kind: 'empty' }
  /** Everyone waits; waiting is not failing. */
  | { kind: 'wait'; code: PageAnswerCode }
  | Again;

const read = { kind: 'read' } as const;
const empty = { kind: 'empty' } as const;
const wait = (code: PageAnswerCode) => ({ kind: 'wait', code }) as const;
const retry = (code: PageAnswerCode, advice = 'the next run goes on from here') =>
  ({ kind: 'retry', code, advice }) as const;
const fail = (code: PageAnswerCode, advice: string) => ({ kind: 'fail', code, advice }) as const;
const refusesPage = { ...fail('source-refused', 'check the request in source.metadata'), isOrderly: true } as const;

/** What to do about the end of a read. Reading changes nothing at the source: whatever may pass is asked again. */
export const pageReactions: ReactionTable<ToStatus, Again> = {
  statuses: [
    [204, 204, empty],
    [200, 299, read],
    [300, 399, fail('source-redirected', 'check the base URL and the path')],
    // The API has renewed the token and repeated the request already.
    [401, 401, fail('token-refused', 'check the credentials and the scope')],
    // A 403 may speak of the rate, as GitHub's does.
    [403, 403, wait('source-throttled'), 'retry-after'],
    [403, 403, wait('source-throttled'), 'used-up'],
    [403, 403, fail('source-refused', 'check what the credentials allow')],
    [404, 404, { ...fail('source-refused', 'check the base URL and metadata.api'), isOrderly: true }],
    // These refuse a page that does not exist as well.
    [400, 400, refusesPage],
    [410, 410, refusesPage],
    [416, 416, refusesPage],
    [422, 422, refusesPage],
    [408, 408, retry('source-timeout')],
    [425, 425, retry('source-unavailable')],
    [429, 429, wait('source-429')],
    [400, 499, fail('source-refused', 'check the request in source.metadata')],
    [503, 503, wait('source-503'), 'retry-after'],
    [500, 599, retry('source-unavailable')],
  ],
  otherStatus: fail('source-refused', 'check the base URL'),
  failures: {
    dns: retry('source-unreachable', 'check the host in the base URL'),
    refused: retry('source-unreachable', 'check the base URL and that the source runs'),
    unreachable: retry('source-unreachable', 'check the base URL and the network'),
    tls: retry('source-unreachable', 'check the scheme and port of the base URL, and the certificate'),
    timeout: retry('source-timeout', 'raise timeoutMs or ask for smaller pages'),
    reset: retry('source-dropped'),
    network: retry('source-dropped'),
    tooLarge: fail('answer-too-large', 'raise maxAnswerBytes or ask for smaller pages'),
  },
};

/** What one answer came to: `code` names the event, `what` says it in words, `advice` what a person can do. */
export type PageAnswer =
  | { kind: 'page'; page: Page }
  /** Nothing was sent, for want of time or of a permit. */
  | { kind: 'later'; retryAtMs: number }
  /** Everyone waits; `waitMs` where the source says how long. */
  | { kind: 'wait'; code: PageAnswerCode; what: string; waitMs?: number }
  | { kind: 'retry'; code: PageAnswerCode; what: string; advice: string }
  | { kind: 'fail'; code: PageAnswerCode; what: string; advice: string; isOrderly?: true };

const pageIn = ({ text, headers }: Answered, plan: AnswerPlan, nowMs: number): PageAnswer => {
  const found = readAnswer(text, headers, plan);
  if (found.kind === 'page') return found;
  const { code, message: what, isOrderly } = found;
  if (code === 'source-throttled') return { ...wait(code), what, ...defined({ waitMs: askedWaitMs(headers, nowMs) }) };
  const advice = 'check source.answer and what the source says';
  if (passingFaults.has(code)) return { kind: 'retry', code, what, advice };
  return { kind: 'fail', code, what, advice, ...defined({ isOrderly }) };
};

/** Bytes that broke off may come whole the next time; those of another charset will not. */
const unreadablePage = { packing: 'retry', charset: 'fail' } as const;

const noText = ({ why, message }: Unreadable): PageAnswer => ({
  kind: unreadablePage[why],
  code: why === 'packing' ? 'answer-truncated' : 'answer-charset',
  what: message,
  advice: 'the source must send UTF-8, or declare its charset in content-type',
});

const toHttp = (answer: HttpAnswer, plan: AnswerPlan, nowMs: number): PageAnswer => {
  if (answer.kind === 'failed') return { ...reactionToFailure(pageReactions, answer.cause), what: answer.message };
  const { status, headers, text, unreadable } = answer;
  const reaction = reactionToStatus(pageReactions, answer);
  if (reaction.kind === 'read' && unreadable !== undefined) return noText(unreadable);
  if (reaction.kind === 'read') return pageIn(answer, plan, nowMs);
  if (reaction.kind === 'empty') return { kind: 'page', page: { records: [] } };
  const throttled = unreadable === undefined && reaction.kind !== 'wait' ? throttleIn(text, plan) : undefined;
  if (throttled !== undefined) {
    return {
      ...wait('source-throttled'),
      what: throttled.message,
      ...defined({ waitMs: askedWaitMs(headers, nowMs) }),
    };
  }
  const said = messageIn(text, plan);
  const what = `the source answers with status ${status}${said === undefined ? '' : ` "${said}"`}`;
  if (reaction.kind !== 'wait') return { ...reaction, what };
  const waitMs = askedWaitMs(headers, nowMs);
  return { ...reaction, what, ...defined({ waitMs }) };
};

/** Judged by what the source wrote, told in the words that may be shown. */
const toldInShownWords = (judged: PageAnswer, answer: HttpAnswer, plan: AnswerPlan, nowMs: number): PageAnswer => {
  if (!('what' in judged) || answer.kind !== 'answered' || answer.shown === undefined) return judged;
  const told = toHttp({ ...answer, text: answer.shown }, plan, nowMs);
  const isSame = 'what' in told && told.code === judged.code;
  return { ...judged, what: isSame ? told.what : 'its words hold a secret and are not shown' };
};

/** The page in an answer of the source's API at `nowMs`, or what to do about its absence. Pure. */
export const pageAnswer = (answer: ApiAnswer, plan: AnswerPlan, nowMs: number): PageAnswer => {
  switch (answer.kind) {
    case 'answered':
    case 'failed':
      return toldInShownWords(toHttp(answer, plan, nowMs), answer, plan, nowMs);
    case 'later':
      return answer;
    case 'noToken': {
      const { permanent, message, retryAfterMs: waitMs } = answer;
      const what = `no token was given: ${message}`;
      if (permanent) return { ...fail('token-refused', 'check the credentials and the scope'), what };
      if (waitMs !== undefined) return { ...wait('token-unavailable'), what, waitMs };
      return { ...retry('token-unavailable'), what };
    }
    case 'accessRefused': {
      const refused = `with status ${answer.status} and "${answer.words}"`;
      if (answer.isFinal) {
        const what = `the source refuses access ${refused}`;
        return { ...fail('token-refused', 'check the credentials, the signature and the clock'), what };
      }
      const what = `the token is refused ${refused}, a new one as well`;
      return { ...fail('token-refused', 'check the credentials, the scope and auth.expired'), what };
    }
    case 'foreignLink': {
      const what = 'the link to the next page leads to another host';
      return { ...fail('link-foreign', 'links must stay on the host of the base URL'), what };
    }
    default:
      return answer satisfies never;
  }
};
