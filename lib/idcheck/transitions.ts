import { defined } from '../runtime/defined.ts';
import { newestVersionMs } from './decide.ts';
import { isTombstone } from './hash.ts';
import type { Claim, IdCheck, Trouble } from './item.ts';

/**
 * The item with a new claim on it; `stored` is what was read, absent where nothing is stored.
 *
 * A claim that is taken over has lost its owner, perhaps after the POST: that doubt stays as trouble, or giving the new
 * claim up (nothing sent, a 429) would make it forgotten. `replayedMs`, of the message that claims: the letter that it
 * was replayed from is gone, so whoever ends the record next writes another.
 */
export const withClaim = (
  stored: IdCheck | undefined,
  id: string,
  claim: Claim,
  replayedMs: number | undefined,
): IdCheck => {
  const before = stored?.trouble;
  const { toSend: _, ...known }: IdCheck = stored ?? { id, rev: 0 };
  const trouble = before && isLetterGone(before, replayedMs) ? withoutLetterMs(before) : before;
  return {
    ...known,
    ...(isOtherInDoubt(stored, claim.hash) ? nextTurn(stored) : {}),
    ...defined({ trouble }),
    ...(stored?.claim === undefined ? {} : doubtOf(stored.claim, trouble)),
    rev: (stored?.rev ?? 0) + 1,
    claim,
  };
};

/** Whether the last POST of unknown outcome was of other content of this record: a vanished claim is later than trouble. */
const isOtherInDoubt = (stored: IdCheck | undefined, hash: string): boolean => {
  const { claim, doubt } = stored ?? {};
  const sent = claim ?? doubt;
  return sent !== undefined && sent.hash !== hash;
};

/** Whether the letter that the trouble names is the one that was replayed. */
export const isLetterGone = (trouble: Trouble | undefined, replayedMs: number | undefined): boolean =>
  trouble?.letterMs !== undefined && replayedMs !== undefined && replayedMs >= trouble.letterMs;

const withoutLetterMs = ({ letterMs: _, ...trouble }: Trouble): Trouble => trouble;

const nextTurn = (stored: IdCheck | undefined): { turn: number } => ({ turn: (stored?.turn ?? 0) + 1 });

const doubtOf = ({ hash, versionMs, sinceMs, untilMs }: Claim, before: Trouble | undefined) => {
  const letter = before?.hash === hash && before.letterMs !== undefined ? { letterMs: before.letterMs } : {};
  const trouble: Trouble = { kind: 'uncertain', hash, versionMs, sinceMs, reason: 'worker-vanished', ...letter };
  return { trouble, doubt: { hash, untilMs } };
};

const isDoubtful = ({ kind }: Pick<Trouble, 'kind'>): boolean => kind === 'uncertain' || kind === 'parked';

const withoutClaim = (claimed: IdCheck): IdCheck => {
  const { claim: _, ...rest } = claimed;
  return { ...rest, rev: claimed.rev + 1 };
};

/**
 * The target has this content, or knows that the record is gone. Ends the claim and whatever trouble there was; a doubt
 * stays for as long as what it speaks of may still be applied.
 */
export const asLoaded = (claimed: IdCheck & { claim: Claim }, nowMs: number): IdCheck => {
  const { trouble: _, loaded: _loaded, deleted: _deleted, doubt, ...rest } = withoutClaim(claimed);
  const { hash, versionMs } = claimed.claim;
  const settled = { hash, versionMs, atMs: nowMs };
  const next = { ...rest, ...nextTurn(claimed), ...(doubt && doubt.untilMs > nowMs ? { doubt } : {}) };
  return isTombstone(hash) ? { ...next, deleted: settled } : { ...next, loaded: settled };
};

/** Not sent and not to be sent for now: the record that must be loaded first is in trouble. */
export const asOrphaned = (
  stored: IdCheck | undefined,
  ask: { id: string; hash: string; versionMs: number; parentId: string },
  reason: string,
  nowMs: number,
): IdCheck => {
  const { id, hash, versionMs, parentId } = ask;
  return {
    ...(stored ?? { id }),
    rev: (stored?.rev ?? 0) + 1,
    trouble: { kind: 'rejected', hash, versionMs, sinceMs: nowMs, reason, parentId },
  };
};

/**
 * The claim's content ended otherwise than loaded. What was loaded before is still what the target has, unless an
 * earlier POST of unknown outcome may have been applied: once this content is refused or given up, nobody will find
 * out. What was loaded is unsure from then on, and is sent again if the source returns to it.
 *
 *   A loaded ── POST B, time-out ── POST B, 422 ── the source returns to A
 *                    └ applied?          └ B rejected, A unsure └ A is sent again
 */
export const asTrouble = (
  claimed: IdCheck & { claim: Claim },
  trouble: Pick<Trouble, 'kind' | 'reason'>,
  letterMs: number | undefined,
  nowMs: number,
): IdCheck => {
  const { hash, versionMs, untilMs } = claimed.claim;
  const mayStillBeApplied = isDoubtful(trouble);
  const { loaded } = claimed;
  const isUnsure = !mayStillBeApplied && claimed.trouble !== undefined && isDoubtful(claimed.trouble);
  return {
    ...withoutClaim(claimed),
    ...(isUnsure && loaded !== undefined ? { loaded: { unsureSinceMs: nowMs, ...loaded } } : {}),
    trouble: { ...trouble, hash, versionMs, sinceMs: nowMs, ...defined({ letterMs }) },
    ...(mayStillBeApplied ? { doubt: { hash, untilMs } } : {}),
  };
};

/**
 * Left to a person: a POST of this id, of whatever content, has an unknown outcome. The doubt stays with the content
 * that was sent; the version is the newest known, so that what is older does not ask again.
 */
export const asParked = (
  stored: IdCheck,
  ask: { hash: string; versionMs: number },
  letterMs: number | undefined,
  nowMs: number,
): IdCheck => {
  const { claim, ...rest } = stored;
  const reason = claim === undefined ? (stored.trouble?.reason ?? 'uncertain') : 'worker-vanished';
  const trouble: Trouble = {
    kind: 'parked',
    hash: ask.hash,
    versionMs: Math.max(ask.versionMs, newestVersionMs(stored)),
    sinceMs: nowMs,
    reason,
    ...defined({ letterMs }),
  };
  return {
    ...rest,
    rev: stored.rev + 1,
    trouble,
    ...(claim === undefined ? {} : { doubt: { hash: claim.hash, untilMs: claim.untilMs } }),
  };
};

const withoutDiscard = ({ discardedMs: _, ...trouble }: Trouble): Trouble => trouble;

/** The same trouble, with a dead letter that waits since `letterMs`. */
export const withLetter = (stored: IdCheck, letterMs: number): IdCheck => ({
  ...stored,
  rev: stored.rev + 1,
  ...(stored.trouble === undefined ? {} : { trouble: { ...withoutDiscard(stored.trouble), letterMs } }),
});

/** Surely not applied: the item as it was before the claim. */
export const asReleased = (claimed: IdCheck): IdCheck => withoutClaim(claimed);

const LETTER_LIFE_MS = 14 * 24 * 3_600_000;

/**
 * Since when a dead letter for this content waits already, if one does: a second letter would tell an operator nothing
 * new. Letters live 14 days (the dead-letter queue's retention) or until they are replayed.
 */
export const waitingLetterMs = (
  stored: IdCheck,
  hash: string,
  replayedMs: number | undefined,
  nowMs: number,
): number | undefined => {
  const { trouble } = stored;
  if (trouble?.letterMs === undefined || trouble.hash !== hash || isLetterGone(trouble, replayedMs)) return undefined;
  return nowMs - trouble.letterMs < LETTER_LIFE_MS ? trouble.letterMs : undefined;
};
