import type { ApiAnswer } from '../connection/auth/authorized.ts';
import type { HttpAnswer } from '../connection/http.ts';
import { retryAfterMs } from '../connection/retry-after.ts';
import type { Answer, Paging } from '../integration/schema/source-schema.ts';
import { defined } from '../runtime/defined.ts';
import { messageIn, type Page, passingFaults, readAnswer } from './answer.ts';
import { verdictOn } from './verdict.ts';

/** What one answer came to: `code` names the event, `what` says it in words, `advice` what a person can do. */
export type Reading =
  | { kind: 'page'; page: Page }
  /** Nothing was sent for want of time or leave. */
  | { kind: 'later'; retryAtMs: number }
  /** Everyone waits; `waitMs` where the source says how long. */
  | { kind: 'wait'; code: string; what: string; waitMs?: number }
  | { kind: 'retry' | 'fail'; code: string; what: string; advice: string };

const readHttp = (answer: HttpAnswer, shape: Answer, paging: Paging, nowMs: number): Reading => {
  const { reaction, code, advice } = verdictOn(answer);
  if (answer.kind === 'failed') {
    return { kind: reaction === 'retry' ? 'retry' : 'fail', code, what: answer.message, advice };
  }
  const { status, headers, text } = answer;
  if (reaction === 'read') {
    const found = readAnswer(text, headers, shape, paging);
    if (found.kind === 'page') return found;
    const kind = passingFaults.has(found.code) ? 'retry' : 'fail';
    return { kind, code: found.code, what: found.message, advice: 'check source.answer and what the source says' };
  }
  const said = messageIn(text, shape);
  const what = `the source answers with status ${status}${said === undefined ? '' : ` "${said}"`}`;
  if (reaction !== 'wait') return { kind: reaction, code, what, advice };
  const waitMs = retryAfterMs(headers['retry-after'], nowMs);
  return { kind: 'wait', code, what, ...defined({ waitMs }) };
};

/** Reads an answer of the source's API at `nowMs`: the page, or what to do about its absence. Pure. */
export const readingOf = (answer: ApiAnswer, shape: Answer, paging: Paging, nowMs: number): Reading => {
  switch (answer.kind) {
    case 'answered':
    case 'failed':
      return readHttp(answer, shape, paging, nowMs);
    case 'later':
      return answer;
    case 'noToken': {
      const { permanent, message, retryAfterMs: waitMs } = answer;
      const what = `no token was given: ${message}`;
      if (permanent)
        return { kind: 'fail', code: 'token-refused', what, advice: 'check the credentials and the scope' };
      if (waitMs !== undefined) return { kind: 'wait', code: 'token-unavailable', what, waitMs };
      return { kind: 'retry', code: 'token-unavailable', what, advice: 'the next run goes on from here' };
    }
    case 'foreignLink': {
      const what = 'the link to the next page leads to another host';
      return { kind: 'fail', code: 'link-foreign', what, advice: 'links must stay on the host of the base URL' };
    }
  }
};
