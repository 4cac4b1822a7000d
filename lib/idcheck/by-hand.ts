import { isTombstone } from './hash.ts';
import type { IdCheck } from './item.ts';

/** What a person found out about a record with a POST of unknown outcome. */
export type Verdict = 'loaded' | 'not-loaded';

/** Why an item is not for a person to resolve. */
export type Unresolvable = 'unknown-id' | 'not-uncertain' | 'under-way';

/**
 * The item after a person looked into the target, or why there is nothing to resolve. Pure.
 *
 * `loaded`: the target has the content that was sent, which is what the doubt is about; the asking message's own
 * content may be newer, and the next run sends it then. `not-loaded`: what was loaded before is what the target has, and
 * the next run sends the record again. Either way the doubt ends: the person says that nothing is under way.
 */
export const resolved = (
  stored: IdCheck | undefined,
  verdict: Verdict,
  nowMs: number,
): { kind: 'resolved'; item: IdCheck } | { kind: 'unresolvable'; why: Unresolvable } => {
  if (stored === undefined) return { kind: 'unresolvable', why: 'unknown-id' };
  const { claim, trouble, doubt, ...rest } = stored;
  if (claim !== undefined && claim.untilMs > nowMs) return { kind: 'unresolvable', why: 'under-way' };
  // A claim that outlived its time has lost its owner: its POST is in doubt as well.
  const sent = claim ?? (trouble?.kind === 'parked' || trouble?.kind === 'uncertain' ? trouble : undefined);
  if (sent === undefined) return { kind: 'unresolvable', why: 'not-uncertain' };
  const hash = claim?.hash ?? doubt?.hash ?? sent.hash;
  const item: IdCheck = { ...rest, rev: stored.rev + 1 };
  if (verdict === 'not-loaded') return { kind: 'resolved', item };
  const { loaded: _loaded, deleted: _deleted, ...bare } = item;
  const settled = { hash, versionMs: sent.versionMs, atMs: nowMs };
  const next = { ...bare, turn: (stored.turn ?? 0) + 1 };
  return { kind: 'resolved', item: { ...next, ...(isTombstone(hash) ? { deleted: settled } : { loaded: settled }) } };
};

/**
 * The item once the dead letter of this content is gone for good, so that a later failure writes one again; undefined
 * where the item names no such letter. Pure.
 */
export const withoutLetter = (stored: IdCheck | undefined, hash: string): IdCheck | undefined => {
  if (stored?.trouble?.letterMs === undefined || stored.trouble.hash !== hash) return undefined;
  const { letterMs: _, ...trouble } = stored.trouble;
  return { ...stored, rev: stored.rev + 1, trouble };
};
