import { isLeftToPerson, type LoadPolicy, surelyLoaded } from './decide.ts';
import type { IdCheck } from './item.ts';

/** What a run does with a record that is clean and mapped. */
export type Classification =
  | { outcome: 'unchanged' }
  | { outcome: 'skipped'; skip: Skip }
  | { outcome: 'enqueued'; as: 'create' | 'overwrite' };

/** Why a record that differs from what is loaded is not sent. */
export type Skip =
  /** The record that must be loaded before it was refused. */
  | { why: 'parent-rejected'; parentId: string }
  | { why: 'parked' }
  | { why: 'duplicate' }
  | { why: 'rejected-before'; reason: string };

/** The ledger's words for it. */
export const skipReason = (skip: Skip): string => {
  switch (skip.why) {
    case 'parent-rejected':
      return `parent ${skip.parentId} was rejected`;
    case 'parked':
      return 'parked: nobody knows whether it was applied, a person decides';
    case 'duplicate':
      return 'duplicate: changed, but the id is loaded already';
    case 'rejected-before':
      return `rejected before: ${skip.reason}`;
    default:
      return skip satisfies never;
  }
};

const skipped = (skip: Skip): Classification => ({ outcome: 'skipped', skip });
const enqueued = (known: IdCheck): Classification => ({
  outcome: 'enqueued',
  as: known.loaded === undefined ? 'create' : 'overwrite',
});

/**
 * Holds a mapped record against what idCheck knows of its id: only a difference is worth a message.
 *
 * Pure. It may send too much (the loader decides again, on a consistent read), but never too little: a record is
 * skipped only where the loader, too, would not POST it. `refusedParentId`: the record that must be loaded before this
 * one, if it was refused when the run began; a full refresh sends that one again, too.
 */
export const classify = (
  known: IdCheck | undefined,
  hash: string,
  policy: LoadPolicy,
  fullRefresh: boolean,
  refusedParentId?: string,
): Classification => {
  const forItsParent: Skip | undefined =
    refusedParentId === undefined || fullRefresh ? undefined : { why: 'parent-rejected', parentId: refusedParentId };
  if (known === undefined) return forItsParent ? skipped(forItsParent) : { outcome: 'enqueued', as: 'create' };
  const { claim, trouble } = known;
  const loaded = surelyLoaded(known);
  // Content under way, or of unknown outcome, may still replace what was loaded. The loader compares again.
  if (isLeftToPerson(known, hash, policy)) return skipped({ why: 'parked' });
  if (claim !== undefined || trouble?.kind === 'uncertain' || trouble?.kind === 'parked') {
    // Content that was sent is settled whatever became of the parent; other content would have to wait for the parent.
    const wasSent = (claim ?? trouble)?.hash === hash;
    return forItsParent && !wasSent ? skipped(forItsParent) : enqueued(known);
  }
  if (loaded?.hash === hash) return fullRefresh && !policy.idCheck ? enqueued(known) : { outcome: 'unchanged' };
  if (loaded !== undefined && policy.idCheck) return skipped({ why: 'duplicate' });
  if (forItsParent) return skipped(forItsParent);
  // Refused for its parent's sake only: free as soon as the parent is.
  if (trouble?.parentId !== undefined) return enqueued(known);
  if (trouble?.kind === 'rejected' && trouble.hash === hash && !fullRefresh) {
    return skipped({ why: 'rejected-before', reason: trouble.reason });
  }
  return enqueued(known);
};
