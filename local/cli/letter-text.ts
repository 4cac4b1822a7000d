import { type DeadLetterReason, deadLetterReasons } from '../../lib/load/dead-letter.ts';
import type { Letter } from '../../lib/replay/letters.ts';

/** A letter without the queue's own handle, for machines. */
export const letterFacts = ({ handle: _, ...letter }: Letter) => letter;

/** Status and the target's words, or what else is known of the failure. */
export const letterWords = ({ failure, body }: Pick<Letter, 'failure' | 'body'>): string =>
  [failure?.status, failure?.excerpt ?? failure?.cause ?? body].filter((word) => word !== undefined).join(' ');

/** How many wait for each reason, in the order in which reasons are documented. */
export const countByReason = (letters: ReadonlyArray<Pick<Letter, 'reason'>>): Map<DeadLetterReason, number> =>
  new Map(
    deadLetterReasons.flatMap((reason) => {
      const count = letters.filter((letter) => letter.reason === reason).length;
      return count === 0 ? [] : [[reason, count] as const];
    }),
  );
