import type { IdCheck } from '../idcheck/item.ts';
import { asLoaded, asReleased, asTrouble, waitingLetterMs } from '../idcheck/transitions.ts';
import { letterFor, sendLetter } from '../messages/dead-letter.ts';
import type { Failure, RecordMessage } from '../messages/record-message.ts';
import { backoffMs } from '../runtime/backoff.ts';
import type { Outcome, OutcomeFailure } from '../target/outcome.ts';
import type { Claimed } from './claim.ts';
import { done, type Ending, putOff, retry } from './ending.ts';
import type { RetryReason } from './events.ts';
import type { LoaderDeps, Loading } from './loading.ts';

/** What a settled claim comes to: the item to write, the delivery's ending, and the letter that must go out first. */
type Settlement = {
  item: IdCheck;
  ending: Ending;
  letter?: { reason: 'rejected' | 'uncertain' | 'exhausted'; failure: Failure };
};

const reasonOf = ({ cause, status }: OutcomeFailure): RetryReason =>
  status === undefined ? cause : `${cause} ${status}`;

/**
 * The outcome → settlement table. Pure but for the two random numbers that spread waits.
 *
 * `attempts` grows here and nowhere else: by one for each real failure.
 */
const settlementOf = (
  claimed: Claimed,
  message: RecordMessage,
  outcome: Outcome,
  loading: Loading,
  nowMs: number,
  fraction: number,
): Settlement => {
  if (outcome.kind === 'loaded') return { item: asLoaded(claimed, nowMs), ending: done('loaded') };
  const failure: Failure = { ...outcome.failure, atMs: nowMs };
  const reason = reasonOf(outcome.failure);
  if (outcome.kind === 'notApplied' && outcome.waits) {
    return { item: asReleased(claimed), ending: putOff(message, 'throttled', outcome.pauseMs ?? 0, fraction) };
  }
  const waiting = waitingLetterMs(claimed, message.hash, message.replayedMs, nowMs);
  const dead = (
    kind: 'rejected' | 'parked' | 'exhausted' | 'uncertain',
    as: 'rejected' | 'uncertain' | 'exhausted',
  ) => ({
    item: asTrouble(claimed, { kind, reason }, waiting ?? nowMs, nowMs),
    ending: done(as),
    ...(waiting === undefined ? { letter: { reason: as, failure } } : {}),
  });
  if (outcome.kind === 'rejected') return dead('rejected', 'rejected');
  if (outcome.kind === 'uncertain' && loading.policy.onUncertain === 'park') return dead('parked', 'uncertain');

  const failed: RecordMessage = { ...message, attempts: message.attempts + 1, lastFailure: failure };
  if (failed.attempts >= loading.retry.maxAttempts) {
    return dead(outcome.kind === 'uncertain' ? 'uncertain' : 'exhausted', 'exhausted');
  }
  return {
    item:
      outcome.kind === 'uncertain'
        ? asTrouble(claimed, { kind: 'uncertain', reason }, waiting, nowMs)
        : asReleased(claimed),
    ending: retry(failed, reason, backoffMs(message.attempts, fraction, loading.retry)),
  };
};

const SETTLE_TRIES = 3;
const SETTLE_PAUSE_MS = 200;

/**
 * Writes down how a claimed POST ended, on condition that the claim is still ours: a worker that was slow must not
 * overwrite what another found out after it. The dead letter goes out before the item says that it did; a crash in
 * between gives a second letter, the other order would give none.
 */
export const settle = async (
  claimed: Claimed,
  message: RecordMessage,
  outcome: Outcome,
  loading: Loading,
  deps: LoaderDeps,
): Promise<Ending> => {
  const nowMs = deps.clock.nowMs();
  const attempted = outcome.kind === 'loaded' ? message : { ...message, attempts: message.attempts + 1 };
  const { item, ending, letter } = settlementOf(claimed, message, outcome, loading, nowMs, deps.random.fraction());
  if (letter && !(await sendLetter(deps.deadLetters, letterFor(letter.reason, attempted, letter.failure)))) {
    // Without its letter the record must not end. What the target refused is not sent again for that: the item says so,
    // and the message comes back for its letter alone. What was given up fails again until the letter can be written.
    const back = putOff(
      outcome.kind === 'rejected' ? { ...attempted, lastFailure: letter.failure } : message,
      'no-dead-letter',
      LETTER_RETRY_MS,
      deps.random.fraction(),
    );
    await writeSettled(unlettered(claimed, outcome, nowMs), claimed, loading, deps);
    return back;
  }
  const fraction = deps.random.fraction();
  const settled = await writeSettled(item, claimed, loading, deps);
  switch (settled) {
    case 'written':
      return ending;
    case 'claim-lost':
      // Another took this worker for lost, and may have died over it: the message looks once more at what there is.
      return ending.kind === 'again' ? ending : putOff(attempted, 'claim-lost', 0, fraction);
    case 'unreachable':
      // The POST happened but cannot be written down: after the claim it counts as uncertain, and someone must look again.
      return putOff(message, 'not-settled', claimed.claim.untilMs - nowMs, fraction);
    default:
      return settled satisfies never;
  }
};

const LETTER_RETRY_MS = 60_000;

/** The item of a record whose letter could not be written. */
const unlettered = (claimed: Claimed, outcome: Outcome, nowMs: number): IdCheck =>
  outcome.kind === 'rejected' || outcome.kind === 'uncertain'
    ? asTrouble(claimed, { kind: outcome.kind, reason: reasonOf(outcome.failure) }, undefined, nowMs)
    : asReleased(claimed);

const writeSettled = async (
  item: IdCheck,
  claimed: Claimed,
  loading: Loading,
  deps: LoaderDeps,
): Promise<'written' | 'claim-lost' | 'unreachable'> => {
  for (let tried = 1; ; tried++) {
    try {
      const result = await deps.idStore.write(loading.integration, item, { owner: claimed.claim.owner });
      if (result === 'written') return result;
      deps.log.warn('claim-lost', { integration: loading.integration, id: item.id });
      return 'claim-lost';
    } catch (error) {
      deps.log.error('settle-failed', { integration: loading.integration, id: item.id, tried, error: String(error) });
      if (tried === SETTLE_TRIES) return 'unreachable';
      await deps.clock.sleep(SETTLE_PAUSE_MS * tried);
    }
  }
};

/** Gives up a claim under which nothing was sent. */
export const release = async (claimed: Claimed, loading: Loading, deps: LoaderDeps): Promise<void> => {
  await writeSettled(asReleased(claimed), claimed, loading, deps);
};
