import { lasts, reachMs } from '../runtime/clock.ts';
import { isTombstone } from './hash.ts';
import type { IdCheck, Loaded } from './item.ts';

/** What a message asks to load. */
export type Ask = {
  hash: string;
  versionMs: number;
  /** A full refresh: load although this content is known. */
  refresh: boolean;
  /** An operator replayed it at this time; absent: nobody did. */
  replayedMs?: number;
};

/** What the integration says of ids that are stored already, and of POSTs of unknown outcome. */
export type LoadPolicy = {
  /** `true`: an id once loaded is never overwritten; `false`: newer content overwrites (metadata key `idCheck`). */
  idCheck: boolean;
  onUncertain: 'resend' | 'park';
};

export type Decision =
  | { kind: 'claim' }
  | { kind: 'acknowledge'; as: AcknowledgeReason }
  | { kind: 'putOff'; untilMs: number; why: 'claimed' | 'in-doubt' }
  | { kind: 'park' };

export type AcknowledgeReason =
  | 'already-loaded'
  | 'already-deleted'
  | 'duplicate'
  | 'superseded'
  | 'already-rejected'
  | 'already-parked';

const acknowledge = (as: AcknowledgeReason): Decision => ({ kind: 'acknowledge', as });

/** What the item says about this message at this time: the rows of the decision table. */
type Situation =
  | 'unknown'
  | 'claimed-live'
  | 'superseded'
  | 'in-doubt'
  | 'loaded-same'
  | 'rejected-same'
  | 'loaded-other'
  | 'nothing-to-delete'
  | 'free';

/** The content that the target surely has: not content that a POST of unknown outcome may have replaced. */
export const surelyLoaded = ({ loaded }: IdCheck): Loaded | undefined =>
  loaded?.unsureSinceMs === undefined ? loaded : undefined;

/** The newest version that is loaded, claimed or otherwise settled. */
export const newestVersionMs = (stored: IdCheck): number =>
  Math.max(
    stored.loaded?.versionMs ?? 0,
    stored.deleted?.versionMs ?? 0,
    stored.claim?.versionMs ?? 0,
    stored.trouble?.versionMs ?? 0,
  );

/**
 * Whether other content is newer. The same content under a newer version is not newer content: a replayed old letter
 * may be the only message that still carries what the newest run wants.
 */
const isSuperseded = ({ loaded, deleted, claim, trouble }: IdCheck, ask: Ask): boolean =>
  [loaded, deleted, claim, trouble].some((part) => part && part.versionMs > ask.versionMs && part.hash !== ask.hash);

/** Since when nobody knows whether a POST was applied: a claim whose owner vanished, or an uncertain outcome. */
const doubtSinceMs = (stored: IdCheck): number | undefined => {
  if (stored.claim) return stored.claim.sinceMs;
  const { trouble } = stored;
  return trouble?.kind === 'uncertain' || trouble?.kind === 'parked' ? trouble.sinceMs : undefined;
};

/** Whether a POST of this record was begun, with any content, and its outcome is unknown. */
export const isInDoubt = (stored: IdCheck | undefined): boolean =>
  stored !== undefined && doubtSinceMs(stored) !== undefined;

/**
 * Whether this content was POSTed under its present Idempotency-Key and nobody knows how that ended: it is in doubt, or
 * was refused or given up when it was sent again. A load and other content both end the key.
 */
export const wasTriedBefore = ({ trouble, doubt }: IdCheck, hash: string): boolean =>
  trouble?.hash === hash && (trouble.kind === 'uncertain' || trouble.kind === 'parked' || doubt?.hash === hash);

/**
 * Whether this content waits for a person. What is parked is never sent again as it is, whatever the file says: the
 * target may have answered in words that nobody knows. Under `park` it stands for whatever content comes after it.
 */
export const isLeftToPerson = (
  { claim, trouble }: IdCheck,
  hash: string,
  { onUncertain }: Pick<LoadPolicy, 'onUncertain'>,
): boolean => claim === undefined && trouble?.kind === 'parked' && (onUncertain === 'park' || trouble.hash === hash);

/** Whether the target itself refused this content; a refusal for the parent's sake is looked into again. */
const isRefused = ({ trouble }: IdCheck, { hash }: Ask): boolean =>
  trouble?.kind === 'rejected' && trouble.hash === hash && trouble.parentId === undefined;

/** The first row that fits, in this order. */
const situationOf = (stored: IdCheck | undefined, ask: Ask, nowMs: number): Situation => {
  if (stored === undefined) return 'unknown';
  if (isSuperseded(stored, ask)) return 'superseded';
  if (stored.claim && lasts(stored.claim.untilMs, nowMs, reachMs.claim)) return 'claimed-live';
  if (doubtSinceMs(stored) !== undefined) return 'in-doubt';
  const loaded = surelyLoaded(stored);
  if (loaded?.hash === ask.hash) return 'loaded-same';
  if (isRefused(stored, ask)) return 'rejected-same';
  if (isTombstone(ask.hash) && stored.loaded === undefined) return 'nothing-to-delete';
  if (loaded) return 'loaded-other';
  return 'free';
};

const isReplayedSince = (ask: Ask, sinceMs: number): boolean =>
  ask.replayedMs !== undefined && ask.replayedMs >= sinceMs;

/**
 * Whether a delivered message may be POSTed now: the whole of idCheck as one table.
 *
 * Pure: `stored` is the item as it was read (absent: none), `nowMs` the worker's clock. A claim must be written under
 * the condition that the item has not changed since.
 */
export const decide = (stored: IdCheck | undefined, ask: Ask, policy: LoadPolicy, nowMs: number): Decision => {
  const situation = situationOf(stored, ask, nowMs);
  switch (situation) {
    case 'unknown':
      return { kind: 'claim' };
    case 'superseded':
      return acknowledge(stored && surelyLoaded(stored)?.hash === ask.hash ? 'already-loaded' : 'superseded');
    case 'claimed-live':
      return { kind: 'putOff', untilMs: stored?.claim?.untilMs ?? nowMs, why: 'claimed' };
    case 'in-doubt':
      return decideInDoubt(stored as IdCheck, ask, policy, nowMs);
    case 'loaded-same': {
      const isNewer = (stored?.loaded?.versionMs ?? 0) < ask.versionMs;
      if (!ask.refresh || !isNewer || policy.idCheck) return acknowledge('already-loaded');
      // The refresh itself may have been refused: its message, back for its dead letter alone, is not POSTed again.
      return isRefused(stored as IdCheck, ask)
        ? decideRefused(stored as IdCheck, ask, policy, nowMs)
        : unlessStillInDoubt(stored as IdCheck, ask, nowMs);
    }
    case 'rejected-same':
      return decideRefused(stored as IdCheck, ask, policy, nowMs);
    case 'loaded-other':
      return policy.idCheck && !isTombstone(ask.hash)
        ? acknowledge('duplicate')
        : unlessStillInDoubt(stored as IdCheck, ask, nowMs);
    case 'nothing-to-delete':
      return acknowledge('already-deleted');
    case 'free':
      return unlessStillInDoubt(stored as IdCheck, ask, nowMs);
    default:
      return situation satisfies never;
  }
};

/** A refusal stands until somebody replays it, or a newer full refresh asks again. */
const decideRefused = (stored: IdCheck, ask: Ask, policy: LoadPolicy, nowMs: number): Decision => {
  const { trouble } = stored;
  const onPurpose =
    isReplayedSince(ask, trouble?.sinceMs ?? 0) || (ask.refresh && (trouble?.versionMs ?? 0) < ask.versionMs);
  if (!onPurpose) return acknowledge('already-rejected');
  // Replayed or not: an id that is loaded is never overwritten where idCheck says so.
  return surelyLoaded(stored) && policy.idCheck ? acknowledge('duplicate') : unlessStillInDoubt(stored, ask, nowMs);
};

/** `resend` sends again, `park` leaves it to a person; a person's replay after the doubt arose is such a decision. */
const decideInDoubt = (stored: IdCheck, ask: Ask, policy: LoadPolicy, nowMs: number): Decision => {
  const sinceMs = doubtSinceMs(stored) ?? nowMs;
  if (isReplayedSince(ask, sinceMs)) return unlessStillInDoubt(stored, ask, nowMs);
  if (isLeftToPerson(stored, ask.hash, policy)) return acknowledge('already-parked');
  return policy.onUncertain === 'resend' ? unlessStillInDoubt(stored, ask, nowMs) : { kind: 'park' };
};

// A request that timed out here may still be on its way there. Repeating the same content is harmless where `resend`
// is; other content must not be overtaken by it, so it waits until the first request's claim would have ended:
//
//   POST A ──time-out──────────────▶ may still be applied
//   |claim A ............. untilMs|
//                                  B may go: nothing of A is under way any more
const unlessStillInDoubt = (stored: IdCheck, ask: Ask, nowMs: number): Decision =>
  stored.doubt !== undefined && stored.doubt.hash !== ask.hash && lasts(stored.doubt.untilMs, nowMs, reachMs.claim)
    ? { kind: 'putOff', untilMs: stored.doubt.untilMs, why: 'in-doubt' }
    : { kind: 'claim' };

/** What the state of its parent means for a record that must not be loaded before it. */
type ParentDecision =
  | { kind: 'go' }
  | { kind: 'wait' }
  /** The parent will not be there; `reason` names it. */
  | { kind: 'rejected'; reason: string };

/** The record that asks: which parent it waits for, and the snapshot that it came from. */
type ParentAsk = { parentId: string; versionMs: number; refresh: boolean };

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
