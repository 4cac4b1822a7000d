import { type LoadPolicy, surelyLoaded } from './decide.ts';
import type { IdCheck } from './item.ts';

/** What a run does with a record that is clean and mapped. */
export type Classification =
  | { outcome: 'unchanged' }
  | { outcome: 'skipped'; reason: string }
  | { outcome: 'enqueued'; as: 'create' | 'overwrite' };

const skipped = (reason: string): Classification => ({ outcome: 'skipped', reason });
const heldUpBy = (parentId: string) => skipped(`parent ${parentId} was rejected`);
/** The parent that a record was skipped for, by the ledger's reason. */
export const heldUpFor = (reason: string | undefined): string | undefined =>
  /^parent (.*) was rejected$/s.exec(reason ?? '')?.[1];
const enqueued = (known: IdCheck): Classification => ({
  outcome: 'enqueued',
  as: known.loaded === undefined ? 'create' : 'overwrite',
});

/**
 * Holds a mapped record against what idCheck knows of its id: only a difference is worth a message.
 *
 * Pure. It may send too much (the loader decides again, on a consistent read), but never too little: a record is
 * held back only where the loader, too, would not POST it. `parentInTheWay`: the record that must be loaded before this
 * one, if it was refused when the run began; a full refresh sends that one again, too.
 */
export const classify = (
  known: IdCheck | undefined,
  hash: string,
  policy: LoadPolicy,
  fullRefresh: boolean,
  parentInTheWay?: string,
): Classification => {
  const isHeldUp = parentInTheWay !== undefined && !fullRefresh;
  if (known === undefined) {
    return isHeldUp ? heldUpBy(parentInTheWay) : { outcome: 'enqueued', as: 'create' };
  }
  const { claim, trouble } = known;
  const loaded = surelyLoaded(known);
  // Content under way, or of unknown fate, may yet replace what was loaded: compare again at the target's door.
  if (trouble?.kind === 'parked' && claim === undefined && policy.onUncertain === 'park') {
    return skipped('parked: nobody knows whether it was applied, a person decides');
  }
  if (claim !== undefined || trouble?.kind === 'uncertain' || trouble?.kind === 'parked') {
    // What was sent already is settled whatever became of the parent; other content would only wait for it.
    const wasSent = (claim ?? trouble)?.hash === hash;
    return isHeldUp && !wasSent ? heldUpBy(parentInTheWay) : enqueued(known);
  }
  if (loaded?.hash === hash) return fullRefresh && !policy.idCheck ? enqueued(known) : { outcome: 'unchanged' };
  if (loaded !== undefined && policy.idCheck) return skipped('duplicate: changed, but the id is loaded already');
  if (isHeldUp) return heldUpBy(parentInTheWay);
  // Refused for its parent's sake only: free as soon as the parent is.
  if (trouble?.parentId !== undefined) return enqueued(known);
  if (trouble?.kind === 'rejected' && trouble.hash === hash && !fullRefresh) {
    return skipped(`rejected before: ${trouble.reason}`);
  }
  return enqueued(known);
};
