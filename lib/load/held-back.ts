import { withoutLetter } from '../idcheck/by-hand.ts';
import type { AcknowledgeReason, Decision } from '../idcheck/decide.ts';
import type { IdCheck } from '../idcheck/item.ts';
import { asParked, isLetterGone, waitingLetterMs, withLetter } from '../idcheck/transitions.ts';
import { letterFor, sendLetter } from '../messages/dead-letter.ts';
import type { RecordMessage } from '../messages/record-message.ts';
import { askOf, conditionOf } from './claim.ts';
import { done, type Ending, putOff, UNREACHABLE_WAIT_MS } from './ending.ts';
import type { LoaderDeps, Loading } from './loading.ts';

/** The ending of a delivery that idCheck does not let through to a POST; `stored` is what the decision was made on. */
export const endHeldBack = async (
  decision: Exclude<Decision, { kind: 'claim' }>,
  message: RecordMessage,
  stored: IdCheck | undefined,
  loading: Loading,
  deps: LoaderDeps,
): Promise<Ending> => {
  switch (decision.kind) {
    case 'acknowledge':
      return waitsForPerson(decision.as) && stored !== undefined && lacksLetter(message, stored)
        ? writeLetterOf(decision.as, message, stored, loading, deps)
        : endUnsent(decision.as, message, stored, loading, deps);
    case 'putOff':
      return putOff(message, decision.why, decision.untilMs - deps.clock.nowMs(), deps.random.fraction());
    case 'park':
      return park(message, stored, loading, deps);
    default:
      return decision satisfies never;
  }
};

/**
 * Ends a delivery for which nothing is sent. A replayed one was its record's letter: the item must not go on naming a
 * letter that is gone, or a later trouble of this content would be taken for told. Where the content is loaded after
 * all, the trouble is over with its letter.
 */
export const endUnsent = async (
  as: AcknowledgeReason | 'parent-never-came',
  message: RecordMessage,
  stored: IdCheck | undefined,
  { integration }: Loading,
  { idStore, clock, random }: LoaderDeps,
): Promise<Ending> => {
  if (!isLetterGone(stored?.trouble, message.replayedMs)) return done(as);
  const unlettered = withoutLetter(stored, message.hash);
  if (unlettered === undefined) return done(as);
  const { trouble: _, ...mended } = unlettered;
  const next: IdCheck = as === 'already-loaded' ? mended : unlettered;
  // Only the owner writes under a claim: its settling write is conditional on the claim, not on the revision.
  if (next.claim) return putOff(message, 'claimed', next.claim.untilMs - clock.nowMs(), random.fraction());
  const written = await idStore.write(integration, next, conditionOf(stored)).catch(() => 'conflict' as const);
  return written === 'written' ? done(as) : putOff(message, 'claimed', 0, random.fraction());
};

const waitsForPerson = (as: AcknowledgeReason): boolean => as === 'already-rejected' || as === 'already-parked';

/**
 * Whether the trouble that the item speaks of has no dead letter but this message: none was written yet, or it is the
 * one that this message was replayed from.
 */
const lacksLetter = ({ hash, replayedMs }: RecordMessage, { trouble }: IdCheck): boolean =>
  trouble !== undefined &&
  trouble.hash === hash &&
  trouble.parentId === undefined &&
  (trouble.letterMs === undefined || isLetterGone(trouble, replayedMs));

/**
 * Writes the dead letter of a record that waits for a person, then acknowledges its message. A crash in between gives a
 * second letter; until then the message itself comes again.
 */
const writeLetterOf = async (
  as: AcknowledgeReason | 'uncertain',
  message: RecordMessage,
  stored: IdCheck,
  loading: Loading,
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
  if (!(await sendLetter(deps.deadLetters, letterFor(reason, message, failure)))) {
    return putOff(message, 'no-dead-letter', UNREACHABLE_WAIT_MS, fraction);
  }
  const written = await deps.idStore
    .write(loading.integration, withLetter(stored, nowMs), conditionOf(stored))
    .catch(() => 'conflict' as const);
  return written === 'written' ? done(as) : putOff(message, 'claimed', 0, fraction);
};

/**
 * An earlier POST of this id has an unknown outcome, and the integration leaves that to a person. The item says so
 * first: a worker that was frozen since it read a claim must not bury what has been loaded meanwhile.
 */
const park = async (
  message: RecordMessage,
  stored: IdCheck | undefined,
  loading: Loading,
  deps: LoaderDeps,
): Promise<Ending> => {
  const nowMs = deps.clock.nowMs();
  const fraction = deps.random.fraction();
  if (stored === undefined) return putOff(message, 'claimed', 0, fraction);
  const waiting = waitingLetterMs(stored, message.hash, message.replayedMs, nowMs);
  const parked = asParked(stored, askOf(message), waiting, nowMs);
  const written = await deps.idStore
    .write(loading.integration, parked, conditionOf(stored))
    .catch(() => 'conflict' as const);
  if (written !== 'written') return putOff(message, 'claimed', 0, fraction);
  return waiting === undefined ? writeLetterOf('uncertain', message, parked, loading, deps) : done('uncertain');
};
