import type { HttpAnswer, MaybeSentCause, NotSentCause } from '../connection/http.ts';

/**
 * What an answer to a read asks for. Reading changes nothing at the source, so whatever may pass is asked again.
 *
 * - `read`: look for the page in it.
 * - `wait`: everyone waits; waiting is not failing.
 * - `retry`: may pass; counted and backed off.
 * - `fail`: the same request would be refused again.
 */
type Reaction = 'read' | 'wait' | 'retry' | 'fail';

/** `code` names the event in warnings and failures, `advice` says what a person can do. */
export type Verdict = { reaction: Reaction; code: string; advice: string };

type StatusRow = Verdict & { from: number; to: number; needsRetryAfter?: true };

/** Status → verdict; the first row that fits. */
const statusVerdicts: readonly StatusRow[] = [
  { from: 200, to: 299, reaction: 'read', code: 'answered', advice: '' },
  { from: 300, to: 399, reaction: 'fail', code: 'source-redirected', advice: 'check the base URL and the path' },
  { from: 401, to: 401, reaction: 'fail', code: 'token-refused', advice: 'check the credentials and the scope' },
  { from: 403, to: 403, reaction: 'fail', code: 'source-refused', advice: 'check what the credentials allow' },
  { from: 404, to: 404, reaction: 'fail', code: 'source-refused', advice: 'check the base URL and metadata.api' },
  { from: 408, to: 408, reaction: 'retry', code: 'source-timeout', advice: 'the next run goes on from here' },
  { from: 425, to: 425, reaction: 'retry', code: 'source-unavailable', advice: 'the next run goes on from here' },
  { from: 429, to: 429, reaction: 'wait', code: 'source-429', advice: 'lower source.rateLimit' },
  { from: 400, to: 499, reaction: 'fail', code: 'source-refused', advice: 'check the request in source.metadata' },
  { from: 503, to: 503, needsRetryAfter: true, reaction: 'wait', code: 'source-503', advice: 'the source is down' },
  { from: 500, to: 599, reaction: 'retry', code: 'source-unavailable', advice: 'the next run goes on from here' },
];

const unknownStatus: Verdict = { reaction: 'fail', code: 'source-refused', advice: 'check the base URL' };

/** Why no whole answer came → verdict. */
export const causeVerdicts: Readonly<Record<NotSentCause | MaybeSentCause, Verdict>> = {
  dns: { reaction: 'retry', code: 'source-unreachable', advice: 'check the host in the base URL' },
  refused: { reaction: 'retry', code: 'source-unreachable', advice: 'check the base URL and that the source runs' },
  unreachable: { reaction: 'retry', code: 'source-unreachable', advice: 'check the base URL and the network' },
  timeout: { reaction: 'retry', code: 'source-timeout', advice: 'raise timeoutMs or ask for smaller pages' },
  reset: { reaction: 'retry', code: 'source-dropped', advice: 'the next run goes on from here' },
  network: { reaction: 'retry', code: 'source-dropped', advice: 'the next run goes on from here' },
  tooLarge: { reaction: 'fail', code: 'answer-too-large', advice: 'raise maxAnswerBytes or ask for smaller pages' },
};

/** What to do with an answer to a read. Pure; the tables above are the policy. */
export const verdictOn = (answer: HttpAnswer): Verdict => {
  if (answer.kind === 'failed') return causeVerdicts[answer.cause];
  const { status, headers } = answer;
  const fits = ({ from, to, needsRetryAfter }: StatusRow) =>
    from <= status && status <= to && (!needsRetryAfter || headers['retry-after'] !== undefined);
  return statusVerdicts.find(fits) ?? unknownStatus;
};
