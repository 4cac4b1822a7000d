import { lasts, reachMs } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import { isTombstone } from './hash.ts';
import type { IdCheck } from './item.ts';
import { waitingLetterMs } from './transitions.ts';

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
  const { claim, trouble, doubt, toSend: _, ...rest } = stored;
  if (claim !== undefined && lasts(claim.untilMs, nowMs, reachMs.claim))
    return { kind: 'unresolvable', why: 'under-way' };
  // A claim that outlived its time has lost its owner: its POST is in doubt as well.
  const sent = claim ?? (trouble?.kind === 'parked' || trouble?.kind === 'uncertain' ? trouble : undefined);
  if (sent === undefined) return { kind: 'unresolvable', why: 'not-uncertain' };
  const hash = claim?.hash ?? doubt?.hash ?? sent.hash;
  const item: IdCheck = { ...rest, rev: stored.rev + 1 };
  if (verdict === 'not-loaded') return { kind: 'resolved', item: { ...item, toSend: { atMs: nowMs } } };
  const { loaded: _loaded, deleted: _deleted, ...bare } = item;
  const settled = { hash, versionMs: sent.versionMs, atMs: nowMs };
  const next = { ...bare, turn: (stored.turn ?? 0) + 1 };
  const known = isTombstone(hash) ? { deleted: settled } : { loaded: { ...settled, saidMs: nowMs } };
  return { kind: 'resolved', item: { ...next, ...known } };
};

/** Why a record is not for a person to send again: it waits for another word of his, or there is nothing to mend. */
export type Unsendable = 'unknown-id' | 'not-refused' | 'under-way' | 'uncertain' | 'parent-refused' | 'letter-waits';

/**
 * The item of a refused record once a person wants it sent again, or why it is not. Its letter is gone, and its content
 * with it: the next run sends what the source has then. Pure.
 */
export const resent = (
  stored: IdCheck | undefined,
  nowMs: number,
): { kind: 'resent'; item: IdCheck } | { kind: 'unsendable'; why: Unsendable } => {
  if (stored === undefined) return { kind: 'unsendable', why: 'unknown-id' };
  const { claim, trouble, ...rest } = stored;
  if (claim !== undefined)
    return { kind: 'unsendable', why: lasts(claim.untilMs, nowMs, reachMs.claim) ? 'under-way' : 'uncertain' };
  if (trouble?.kind === 'parked' || trouble?.kind === 'uncertain') return { kind: 'unsendable', why: 'uncertain' };
  if (trouble?.kind !== 'rejected') return { kind: 'unsendable', why: 'not-refused' };
  if (trouble.parentId !== undefined) return { kind: 'unsendable', why: 'parent-refused' };
  if (waitingLetterMs(stored, trouble.hash, undefined, nowMs) !== undefined) {
    return { kind: 'unsendable', why: 'letter-waits' };
  }
  return { kind: 'resent', item: { ...rest, rev: stored.rev + 1, toSend: { atMs: nowMs } } };
};

/** As `withoutLetter` where a person gave the letter up: the item says so, and when. Pure. */
export const discarded = (stored: IdCheck | undefined, hash: string, nowMs: number): IdCheck | undefined => {
  const item = withoutLetter(stored, hash);
  return item?.trouble === undefined ? undefined : { ...item, trouble: { ...item.trouble, discardedMs: nowMs } };
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

/** What a person says the target has already. */
export type Adoptee = { id: string; hash: string; versionMs: number };

/**
 * Whether an id may be written down as loaded without having been sent: nothing is loaded of it, and nothing of it is on
 * its way or in doubt. What was refused, given up or deleted is taken over: the target has it by now. Pure.
 */
export const isAdoptable = (stored: IdCheck | undefined): boolean =>
  stored === undefined ||
  (stored.loaded === undefined &&
    stored.claim === undefined &&
    stored.trouble?.kind !== 'uncertain' &&
    stored.trouble?.kind !== 'parked');

/** The item of an adoptable id as if its content had been loaded. A doubt stays for as long as it may come true. Pure. */
export const asAdopted = (stored: IdCheck | undefined, { id, hash, versionMs }: Adoptee, nowMs: number): IdCheck => {
  const loaded = { hash, versionMs, atMs: nowMs };
  if (stored === undefined) return { id, rev: 1, loaded };
  const { doubt } = stored;
  return { id, rev: stored.rev + 1, turn: (stored.turn ?? 0) + 1, loaded, ...defined({ doubt }) };
};
