import { type Ask, type Decision, decide, type LoadPolicy, newestVersionMs } from '../idcheck/decide.ts';
import type { Claim, IdCheck } from '../idcheck/item.ts';
import type { IdStore, WriteCondition } from '../idcheck/store.ts';
import { withClaim } from '../idcheck/transitions.ts';
import type { RecordMessage } from '../messages/record-message.ts';
import { defined } from '../runtime/defined.ts';

export type Claimed = IdCheck & { claim: Claim };

/** What a message asks of idCheck. */
export const askOf = ({ hash, versionMs, refresh, replayedMs }: RecordMessage): Ask => ({
  hash,
  versionMs,
  refresh: refresh === true,
  ...defined({ replayedMs }),
});

export const conditionOf = (stored: IdCheck | undefined): WriteCondition =>
  stored === undefined ? { absent: true } : { rev: stored.rev };

const isOwnedBy = (stored: IdCheck | undefined, owner: string): stored is Claimed => stored?.claim?.owner === owner;

// Two workers that race for one id need two rounds; more means that something else keeps writing.
const MAX_ROUNDS = 4;

/**
 * Claims an id: decides on what was read, writes under the condition that it is still so, and after a lost race reads
 * and decides again. What is not to be claimed comes back as its decision.
 *
 * A write that failed or conflicted may still have been applied (its answer was lost and the SDK repeated it): then the
 * item read again carries our own owner token. Throws when the store cannot be reached; then nothing may be POSTed.
 */
export const claimId = async (
  store: IdStore,
  integration: string,
  id: string,
  read: IdCheck | undefined,
  ask: Ask,
  policy: LoadPolicy,
  claimFor: { owner: string; claimMs: number; nowMs: () => number },
): Promise<
  | { kind: 'claimed'; item: Claimed }
  | { kind: 'decided'; decision: Exclude<Decision, { kind: 'claim' }>; stored: IdCheck | undefined }
> => {
  let stored = read;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const nowMs = claimFor.nowMs();
    const decision = decide(stored, ask, policy, nowMs);
    if (decision.kind !== 'claim') return { kind: 'decided', decision, stored };
    const claim: Claim = {
      owner: claimFor.owner,
      hash: ask.hash,
      // The same content may be known under a newer version already: what is in between must stay superseded.
      versionMs: Math.max(ask.versionMs, stored === undefined ? 0 : newestVersionMs(stored)),
      sinceMs: nowMs,
      untilMs: nowMs + claimFor.claimMs,
    };
    const next = { ...withClaim(stored, id, claim, ask.replayedMs), claim };
    const written = await store.write(integration, next, conditionOf(stored)).catch(() => 'conflict' as const);
    if (written === 'written') return { kind: 'claimed', item: next };
    stored = (await store.read(integration, [id])).get(id);
    if (isOwnedBy(stored, claimFor.owner)) return { kind: 'claimed', item: stored };
  }
  return { kind: 'decided', decision: { kind: 'putOff', untilMs: claimFor.nowMs(), why: 'claimed' }, stored };
};
