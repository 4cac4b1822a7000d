import type { FailureCause } from '../connection/http.ts';
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
  | 'no-token'
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
