import { wasTriedBefore } from '../idcheck/decide.ts';
import { isTombstone } from '../idcheck/hash.ts';
import type { Claim, IdCheck } from '../idcheck/item.ts';
import type { Conflict } from '../integration/schema/target-schema.ts';
import type { Outcome } from '../target/target.ts';

/**
 * What a 409 means for one record, by the file's `target.conflict` and by what idCheck knows; other outcomes stay.
 *
 * Where the file says nothing, a 409 is a refusal at a first try. After a try of unknown outcome the other request may
 * be that very try, under way or applied already: it stays a conflict, which waits. `isAlone`: with several records in
 * one request nobody knows which one is meant. A 409 that would settle a record then refuses the request as a whole,
 * and each record is sent again by itself. Pure.
 */
export const readConflict = (
  outcome: Outcome,
  claimed: IdCheck & { claim: Claim },
  conflict: Conflict | undefined,
  isAlone: boolean,
): Outcome => {
  if (outcome.kind !== 'conflict') return outcome;
  const { failure } = outcome;
  const { hash } = claimed.claim;
  // That a record is there already does not mean that it is gone.
  if (conflict === 'loaded' && !isTombstone(hash)) return isAlone ? { kind: 'loaded' } : { kind: 'rejected', failure };
  if (conflict !== 'rejected' && wasTriedBefore(claimed, hash)) return outcome;
  return conflict === 'retry' ? { kind: 'notApplied', failure, waits: false } : { kind: 'rejected', failure };
};
