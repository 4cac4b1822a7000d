import { withoutLetter } from '../idcheck/by-hand.ts';
import { type AcknowledgeReason, type Decision, decideOnParent, isInDoubt } from '../idcheck/decide.ts';
import type { IdCheck } from '../idcheck/item.ts';
import { asOrphaned, asParked, isLetterGone, waitingLetterMs, withLetter } from '../idcheck/transitions.ts';
import { letterFor, sendLetter } from '../messages/dead-letter.ts';
import type { RecordMessage } from '../messages/record-message.ts';
import { askOf, conditionOf } from './claim.ts';
import { type Ending, putOff, settledAs } from './ending.ts';
import type { LoaderDeps, LoadPlan } from './load-plan.ts';

// Deliveries that end without a POST.

/** The ending of a delivery that idCheck does not let through to a POST; `stored` is what the decision was made on. */
export const endUnsent = async (
  decision: Exclude<Decision, { kind: 'claim' }>,
  message: RecordMessage,
  stored: IdCheck | undefined,
  plan: LoadPlan,
  deps: LoaderDeps,
): Promise<Ending> => {
  switch (decision.kind) {
    case 'acknowledge':
      return waitsForPerson(decision.as) && stored !== undefined && lacksLetter(message, stored)
        ? writeLetterOf(decision.as, message, stored, plan, deps)
        : acknowledge(decision.as, message, stored, plan, deps);
    case 'putOff':
      return putOff(message, decision.why, decision.untilMs - deps.clock.nowMs(), deps.random.fraction());
    case 'park':
      return park(message, stored, plan, deps);
    default:
      return decision satisfies never;
  }
};

/**
 * The ending of a delivery that must not be POSTed for its parent's sake; undefined: it may. `known` is what was read
 * of idCheck, the parents among it. Refused so, a record gets no dead letter of its own: its parent has one.
 */
export const endForParent = async (
  message: RecordMessage,
  known: ReadonlyMap<string, IdCheck>,
  plan: LoadPlan,
  deps: LoaderDeps,
): Promise<Ending | undefined> => {
  const { idStore, clock, random, log, tuning } = deps;
  const { parentWaitMs, maxParentWaitMs, unreachableWaitMs } = tuning.load;
  const { id, integration, runId, hash, versionMs, parentId, refresh } = message;
  if (parentId === undefined) return undefined;
  const stored = known.get(id);
  const ask = { parentId, versionMs, refresh: refresh === true };
  const decision = decideOnParent(known.get(parentId), ask, plan.rejectedParent ?? 'reject');
  const nowMs = clock.nowMs();
  switch (decision.kind) {
    case 'go':
      return undefined;
    case 'wait':
      if (wasSent(stored, hash)) return undefined;
      return nowMs - message.firstSentMs > maxParentWaitMs
        ? acknowledge('parent-never-came', message, stored, plan, deps)
        : putOff(message, 'parent', parentWaitMs, random.fraction());
    case 'rejected': {
      // It was POSTed before, and nobody knows how that ended: to be settled first, and never forgotten.
      if (isInDoubt(stored)) return undefined;
      const orphaned = asOrphaned(stored, { id, hash, versionMs, parentId }, decision.reason, nowMs);
      const written = await idStore
        .write(plan.state, orphaned, conditionOf(stored))
        .catch(() => 'unreachable' as const);
      if (written !== 'written') return putOff(message, 'claimed', unreachableWaitMs, random.fraction());
      log.warn('rejected', { integration, runId, id, cause: 'parent', parentId });
      return settledAs('rejected');
    }
    default:
      return decision satisfies never;
  }
};

/** Whether this very content was POSTed and nobody knows how that ended: its parent was there then. */
const wasSent = (stored: IdCheck | undefined, hash: string): boolean => {
  const sent = stored?.claim ?? stored?.doubt ?? stored?.trouble;
  return isInDoubt(stored) && sent?.hash === hash;
};

/**
 * Settles a delivery for which nothing is sent. A replayed delivery was its record's letter. The item must no longer
 * name it, or a later trouble of this content would get no letter. Where the content is loaded after all, the trouble
 * is over with its letter.
 */
const acknowledge = async (
  as: AcknowledgeReason | 'parent-never-came',
  message: RecordMessage,
  stored: IdCheck | undefined,
  { state }: LoadPlan,
  { idStore, clock, random }: LoaderDeps,
): Promise<Ending> => {
  if (!isLetterGone(stored?.trouble, message.replayedMs)) return settledAs(as);
  const unlettered = withoutLetter(stored, message.hash);
  if (unlettered === undefined) return settledAs(as);
  const { trouble: _, ...mended } = unlettered;
  const next: IdCheck = as === 'already-loaded' ? mended : unlettered;
  // Only the owner writes under a claim: its settling write is conditional on the claim, not on the revision.
  if (next.claim) return putOff(message, 'claimed', next.claim.untilMs - clock.nowMs(), random.fraction());
  const written = await idStore.write(state, next, conditionOf(stored)).catch(() => 'conflict' as const);
  return written === 'written' ? settledAs(as) : putOff(message, 'claimed', 0, random.fraction());
};

const waitsForPerson = (as: AcknowledgeReason): boolean => as === 'already-rejected' || as === 'already-parked';

/**
 * Whether the trouble that the item speaks of has no dead letter but this message: none was written yet, or it is the
 * one that this message was replayed from. One that a person gave up does not come back with a second copy.
 */
const lacksLetter = ({ hash, replayedMs }: RecordMessage, { trouble }: IdCheck): boolean =>
  trouble !== undefined &&
  trouble.hash === hash &&
  trouble.parentId === undefined &&
  ((trouble.letterMs === undefined && trouble.discardedMs === undefined) || isLetterGone(trouble, replayedMs));

/**
 * Writes the dead letter of a record that waits for a person, then settles its message. A crash in between gives a
 * second letter; until then the message itself comes again.
 */
const writeLetterOf = async (
  as: AcknowledgeReason | 'uncertain',
  message: RecordMessage,
  stored: IdCheck,
  plan: LoadPlan,
  deps: LoaderDeps,
): Promise<Ending> => {
  const nowMs = deps.clock.nowMs();
  const fraction = deps.random.fraction();
  const failure = message.lastFailure ?? {
    cause: stored.trouble?.reason ?? 'uncertain',
    excerpt: 'an earlier POST of this id never reported its outcome',
    atMs: nowMs,
  };
  const reason = stored.trouble?.kind === 'rejected' ? 'rejected' : 'uncertain';
  if (!(await sendLetter(deps.deadLetters, letterFor(reason, message, failure, nowMs)))) {
    return putOff(message, 'no-dead-letter', deps.tuning.load.unreachableWaitMs, fraction);
  }
  const written = await deps.idStore
    .write(plan.state, withLetter(stored, nowMs), conditionOf(stored))
    .catch(() => 'conflict' as const);
  return written === 'written' ? settledAs(as) : putOff(message, 'claimed', 0, fraction);
};

/**
 * An earlier POST of this id has an unknown outcome, and the integration leaves that to a person. The item says so
 * first: a worker that was frozen since it read a claim must not bury what has been loaded meanwhile.
 */
const park = async (
  message: RecordMessage,
  stored: IdCheck | undefined,
  plan: LoadPlan,
  deps: LoaderDeps,
): Promise<Ending> => {
  const nowMs = deps.clock.nowMs();
  const fraction = deps.random.fraction();
  if (stored === undefined) return putOff(message, 'claimed', 0, fraction);
  const waiting = waitingLetterMs(stored, message.hash, message.replayedMs, nowMs);
  const parked = asParked(stored, askOf(message), waiting, nowMs);
  const written = await deps.idStore.write(plan.state, parked, conditionOf(stored)).catch(() => 'conflict' as const);
  if (written !== 'written') return putOff(message, 'claimed', 0, fraction);
  return waiting === undefined ? writeLetterOf('uncertain', message, parked, plan, deps) : settledAs('uncertain');
};
