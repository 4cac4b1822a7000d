import type { Letter } from '../lib/messages/dead-letter.ts';
import { type DeadLetterReason, deadLetterReasons } from '../lib/messages/dead-letter.ts';

/** A letter without the queue's own handle, for machines. */
export const letterFacts = ({ handle: _, ...letter }: Letter) => letter;

/** Status and the target's words, or what else is known of the failure. */
export const letterWords = ({ reason, failure, body }: Pick<Letter, 'reason' | 'failure' | 'body'>): string => {
  const words = [failure?.status, failure?.excerpt ?? failure?.cause ?? body].filter((word) => word !== undefined);
  return words.length === 0 && reason === 'crashed' ? 'no worker ever answered for it' : words.join(' ');
};

/** How many wait for each reason, in the order in which reasons are documented. */
export const countByReason = (letters: ReadonlyArray<Pick<Letter, 'reason'>>): Map<DeadLetterReason, number> =>
  new Map(
    deadLetterReasons.flatMap((reason) => {
      const count = letters.filter((letter) => letter.reason === reason).length;
      return count === 0 ? [] : [[reason, count] as const];
    }),
  );
