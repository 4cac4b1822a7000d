import type { IdCheck } from './item.ts';

/** What the state of its parent means for a record that must not be loaded before it. */
export type ParentDecision =
  | { kind: 'go' }
  | { kind: 'wait' }
  /** The parent will not be there; `reason` names it. */
  | { kind: 'rejected'; reason: string };

/** The record that asks: which parent it waits for, and the snapshot that it came from. */
export type ParentAsk = { parentId: string; versionMs: number; refresh: boolean };

/** Why a parent that is not loaded will not be there for this record, in a word; undefined: it may yet come. */
const lostAs = (parent: IdCheck, { versionMs, refresh }: ParentAsk): string | undefined => {
  const { trouble, claim } = parent;
  if (trouble === undefined || claim !== undefined) return undefined;
  // An older trouble that the asking record's own run sends the parent's content again for is not the last word.
  const isOlder = trouble.versionMs < versionMs;
  const comesAgain = isOlder && (refresh || trouble.kind === 'exhausted' || trouble.parentId !== undefined);
  if (comesAgain) return undefined;
  switch (trouble.kind) {
    case 'rejected':
      return 'rejected';
    case 'parked':
      return 'left to a person';
    case 'exhausted':
      return 'given up';
    case 'uncertain':
      return undefined;
    default:
      return trouble.kind satisfies never;
  }
};

/**
 * Whether a record may go, by what idCheck knows of its parent (absent: nothing). A parent that was ever loaded is
 * there, whatever is under way for it now. `onLost`: what the integration says of children of parents that are
 * rejected. Pure.
 */
export const decideOnParent = (
  parent: IdCheck | undefined,
  ask: ParentAsk,
  onLost: 'reject' | 'root',
): ParentDecision => {
  if (parent?.loaded !== undefined) return { kind: 'go' };
  const lost = parent === undefined ? undefined : lostAs(parent, ask);
  if (lost === undefined) return { kind: 'wait' };
  return onLost === 'root' ? { kind: 'go' } : { kind: 'rejected', reason: `parent ${ask.parentId} was ${lost}` };
};
