import type { IdCheck } from './item.ts';

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

export type AcknowledgeReason = 'already-loaded' | 'duplicate' | 'superseded' | 'already-rejected' | 'already-parked';

const acknowledge = (as: AcknowledgeReason): Decision => ({ kind: 'acknowledge', as });

/** What an item says once time and the message are held against it; the rows of the decision table. */
export type Situation =
  | 'unknown'
  | 'claimed-live'
  | 'superseded'
  | 'in-doubt'
  | 'loaded-same'
  | 'rejected-same'
  | 'loaded-other'
  | 'free';

/** The newest version that is loaded, claimed or otherwise settled. */
export const newestVersionMs = (stored: IdCheck): number =>
  Math.max(stored.loaded?.versionMs ?? 0, stored.claim?.versionMs ?? 0, stored.trouble?.versionMs ?? 0);

/** Since when nobody knows whether a POST was applied: a claim whose owner vanished, or an uncertain outcome. */
const doubtSinceMs = (stored: IdCheck): number | undefined => {
  if (stored.claim) return stored.claim.sinceMs;
  const { trouble } = stored;
  return trouble?.kind === 'uncertain' || trouble?.kind === 'parked' ? trouble.sinceMs : undefined;
};

/** The first row that fits, in this order. */
export const situationOf = (stored: IdCheck | undefined, ask: Ask, nowMs: number): Situation => {
  if (stored === undefined) return 'unknown';
  if (newestVersionMs(stored) > ask.versionMs) return 'superseded';
  if (stored.claim && stored.claim.untilMs > nowMs) return 'claimed-live';
  if (doubtSinceMs(stored) !== undefined) return 'in-doubt';
  if (stored.loaded?.hash === ask.hash) return 'loaded-same';
  if (stored.trouble?.kind === 'rejected' && stored.trouble.hash === ask.hash) return 'rejected-same';
  if (stored.loaded) return 'loaded-other';
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
      return acknowledge(stored?.loaded?.hash === ask.hash ? 'already-loaded' : 'superseded');
    case 'claimed-live':
      return { kind: 'putOff', untilMs: stored?.claim?.untilMs ?? nowMs, why: 'claimed' };
    case 'in-doubt':
      return decideInDoubt(stored as IdCheck, ask, policy, nowMs);
    case 'loaded-same': {
      const isNewer = (stored?.loaded?.versionMs ?? 0) < ask.versionMs;
      return ask.refresh && isNewer && !policy.idCheck
        ? unlessStillInDoubt(stored as IdCheck, ask, nowMs)
        : acknowledge('already-loaded');
    }
    case 'rejected-same': {
      const trouble = stored?.trouble;
      const onPurpose =
        isReplayedSince(ask, trouble?.sinceMs ?? 0) || (ask.refresh && (trouble?.versionMs ?? 0) < ask.versionMs);
      return onPurpose ? unlessStillInDoubt(stored as IdCheck, ask, nowMs) : acknowledge('already-rejected');
    }
    case 'loaded-other':
      return policy.idCheck ? acknowledge('duplicate') : unlessStillInDoubt(stored as IdCheck, ask, nowMs);
    case 'free':
      return unlessStillInDoubt(stored as IdCheck, ask, nowMs);
    default:
      return situation satisfies never;
  }
};

/** `resend` sends again, `park` leaves it to a person; a person's replay after the doubt arose is such a decision. */
const decideInDoubt = (stored: IdCheck, ask: Ask, policy: LoadPolicy, nowMs: number): Decision => {
  const sinceMs = doubtSinceMs(stored) ?? nowMs;
  if (policy.onUncertain === 'resend' || isReplayedSince(ask, sinceMs)) return unlessStillInDoubt(stored, ask, nowMs);
  return stored.claim === undefined && stored.trouble?.kind === 'parked'
    ? acknowledge('already-parked')
    : { kind: 'park' };
};

// A request that timed out here may still be on its way there. Repeating the same content is harmless where `resend`
// is; other content must not be overtaken by it, so it waits until the first request's claim would have ended:
//
//   POST A ──time-out──────────────▶ may still be applied
//   |claim A ............. untilMs|
//                                  B may go: nothing of A is under way any more
const unlessStillInDoubt = (stored: IdCheck, ask: Ask, nowMs: number): Decision =>
  stored.doubt !== undefined && stored.doubt.hash !== ask.hash && stored.doubt.untilMs > nowMs
    ? { kind: 'putOff', untilMs: stored.doubt.untilMs, why: 'in-doubt' }
    : { kind: 'claim' };
