import { type Ask, type Decision, decide, type LoadPolicy, newestVersionMs } from '../idcheck/decide.ts';
import type { Claim, IdCheck, IdStore, TroubleKind, WriteCondition } from '../idcheck/item.ts';
import { asReleased, asTrouble, withClaim } from '../idcheck/transitions.ts';
import { letterFor, sendLetter } from '../messages/dead-letter.ts';
import type { RecordMessage } from '../messages/record-message.ts';
import { defined } from '../runtime/defined.ts';
import type { Outcome } from '../target/target.ts';
import type { RecordDelivery } from './deliveries.ts';
import { type Ending, putOff, reasonOf, settlementOf } from './ending.ts';
import type { LoaderDeps, LoadPlan } from './load-plan.ts';

// The life of a claim, under which one worker may POST an id: claimed, then settled or released by its owner only.

export type Claimed = IdCheck & { claim: Claim };
export type ClaimedDelivery = RecordDelivery & { item: Claimed };

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

/**
 * Claims an id: decides on what was read, writes under the condition that it is still so, and after a lost race reads
 * and decides again. What is not to be claimed comes back as its decision.
 *
 * A write that failed or conflicted may still have been applied (its answer was lost and the SDK repeated it): then the
 * item read again carries our own owner token. Throws when the store cannot be read, or what the last try to write failed
 * with (a permission that is missing is no lost race); then nothing may be POSTed.
 */
export const claimId = async (
  store: IdStore,
  state: string,
  id: string,
  read: IdCheck | undefined,
  ask: Ask,
  policy: LoadPolicy,
  claimFor: { owner: string; claimMs: number; tries: number; nowMs: () => number },
): Promise<
  | { kind: 'claimed'; item: Claimed }
  | { kind: 'decided'; decision: Exclude<Decision, { kind: 'claim' }>; stored: IdCheck | undefined }
> => {
  let stored = read;
  let failure: { cause: unknown } | undefined;
  for (let tried = 0; tried < claimFor.tries; tried++) {
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
    failure = undefined;
    const written = await store.write(state, next, conditionOf(stored)).catch((cause: unknown) => {
      failure = { cause };
      return 'conflict' as const;
    });
    if (written === 'written') return { kind: 'claimed', item: next };
    stored = (await store.read(state, [id])).get(id);
    if (isOwnedBy(stored, claimFor.owner)) return { kind: 'claimed', item: stored };
  }
  if (failure !== undefined) throw failure.cause;
  return { kind: 'decided', decision: { kind: 'putOff', untilMs: claimFor.nowMs(), why: 'claimed' }, stored };
};

/**
 * Writes down how a claimed POST ended, on condition that the claim is still ours: a worker that was slow must not
 * overwrite what another found out after it. The dead letter goes out before the item says that it did; a crash in
 * between gives a second letter, the other order would give none. `isResting`: the target is known to be down.
 */
export const settle = async (
  delivery: ClaimedDelivery,
  outcome: Outcome,
  isResting: boolean,
  plan: LoadPlan,
  deps: LoaderDeps,
): Promise<Ending> => {
  logOutcome(delivery, outcome, deps);
  const { message, item: claimed } = delivery;
  const nowMs = deps.clock.nowMs();
  const attempted = outcome.kind === 'loaded' ? message : { ...message, attempts: message.attempts + 1 };
  const { item, ending, letter } = settlementOf(
    claimed,
    message,
    outcome,
    plan,
    nowMs,
    deps.random.fraction(),
    isResting,
  );
  if (letter && !(await sendLetter(deps.deadLetters, letterFor(letter.reason, attempted, letter.failure)))) {
    // Without its letter the record must not end. What the target refused, and what nobody sends again but a person, is
    // not sent for that: the item says so, and the message comes back for its letter alone. What was given up fails
    // again until the letter can be written.
    const isOver = item.trouble?.kind === 'rejected' || item.trouble?.kind === 'parked';
    const back = putOff(
      isOver ? { ...attempted, lastFailure: letter.failure } : message,
      'no-dead-letter',
      deps.tuning.load.letterRetryMs,
      deps.random.fraction(),
    );
    await writeUnclaimed(unlettered(claimed, item.trouble?.kind, outcome, nowMs), claimed, plan, deps);
    return back;
  }
  const fraction = deps.random.fraction();
  const written = await writeUnclaimed(item, claimed, plan, deps);
  switch (written) {
    case 'written':
      return ending;
    case 'claim-lost':
      // Another worker took this one for lost, and may have died itself: the message is tried once more.
      return ending.kind === 'putBack' ? ending : putOff(attempted, 'claim-lost', 0, fraction);
    case 'unreachable':
      // The POST happened but cannot be written down: after the claim it counts as uncertain, and someone must look again.
      return putOff(message, 'not-settled', claimed.claim.untilMs - nowMs, fraction);
    default:
      return written satisfies never;
  }
};

const logOutcome = ({ messageId, message }: RecordDelivery, outcome: Outcome, { log }: LoaderDeps): void => {
  const { integration, runId, id, attempts } = message;
  const fields = { integration, runId, id, messageId, attempt: attempts + 1 };
  if (outcome.kind === 'loaded') log.info('loaded', fields);
  else
    log.warn(outcome.kind === 'conflict' ? 'uncertain' : outcome.kind, {
      ...fields,
      cause: outcome.failure.cause,
      status: outcome.failure.status,
    });
};

/** The item of a record whose letter could not be written. */
const unlettered = (claimed: Claimed, kind: TroubleKind | undefined, outcome: Outcome, nowMs: number): IdCheck =>
  outcome.kind === 'loaded' || outcome.kind === 'notApplied' || kind === undefined
    ? asReleased(claimed)
    : asTrouble(claimed, { kind, reason: reasonOf(outcome.failure) }, undefined, nowMs);

/** Gives up a claim under which nothing was sent. */
export const release = async (claimed: Claimed, plan: LoadPlan, deps: LoaderDeps): Promise<void> => {
  await writeUnclaimed(asReleased(claimed), claimed, plan, deps);
};

const writeUnclaimed = async (
  item: IdCheck,
  { claim: { owner } }: Claimed,
  { integration, state }: LoadPlan,
  { idStore, clock, log, tuning }: LoaderDeps,
): Promise<'written' | 'claim-lost' | 'unreachable'> => {
  const { id } = item;
  const { settleTries, settlePauseMs } = tuning.load;
  for (let tried = 1; ; tried++) {
    try {
      const result = await idStore.write(state, item, { owner });
      if (result === 'written') return result;
      log.warn('claim-lost', { integration, id });
      return 'claim-lost';
    } catch (error) {
      log.error('settle-failed', { integration, id, tried, error: String(error) });
      if (tried === settleTries) return 'unreachable';
      await clock.sleep(settlePauseMs * tried);
    }
  }
};
