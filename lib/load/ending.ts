import { wasTriedBefore } from '../idcheck/decide.ts';
import { isTombstone } from '../idcheck/hash.ts';
import type { Claim, IdCheck } from '../idcheck/item.ts';
import { asLoaded, asReleased, asTrouble, waitingLetterMs } from '../idcheck/transitions.ts';
import type { Conflict } from '../integration/schema/target-schema.ts';
import { delaySecUntil, MAX_DELAY_SEC } from '../messages/queue.ts';
import type { Failure, RecordMessage } from '../messages/record-message.ts';
import { backoffMs } from '../runtime/backoff.ts';
import { lasts, reachMs } from '../runtime/clock.ts';
import { ConfigurationError } from '../runtime/fault.ts';
import type { LoadTuning } from '../runtime/tuning.ts';
import { isNotUnderstood, type Outcome, type OutcomeFailure, signOf } from '../target/target.ts';
import type { PutBackReason, PutOffReason, RetryReason, SettledAs } from './events.ts';
import type { LoadPlan } from './load-plan.ts';

/**
 * How one delivery ends. This whole file is pure; random numbers come in.
 *
 * - `settled`: the message is deleted.
 * - `putBack`: a copy goes back to the queue with a delay, and this message is deleted. Never by failing the delivery:
 *   every receive counts towards `maxReceiveCount` (SQS redrive policy), and waiting is not failing.
 */
export type Ending = { kind: 'settled'; as: SettledAs } | PutBack;
export type PutBack = { kind: 'putBack'; why: PutBackReason; message: RecordMessage; delaySec: number };

/** How long to wait, ms, after something that is needed for a POST could not be opened. */
export const misfitWaitMs = (error: unknown, tuning: LoadTuning): number =>
  error instanceof ConfigurationError ? tuning.misconfiguredWaitMs : tuning.unreachableWaitMs;

const delaySecOf = (ms: number): number => Math.min(MAX_DELAY_SEC, Math.max(1, Math.ceil(ms / 1000)));

export const settledAs = (as: SettledAs): Ending => ({ kind: 'settled', as });

/**
 * Puts a message off by `waitMs`: nothing failed, no attempt is used up. What was put off before comes back spread
 * over up to `2^deferrals` seconds more (`fraction` in [0, 1) picks when), so that a backlog behind a rate limit does
 * not return all at once.
 */
export const putOff = (message: RecordMessage, why: PutOffReason, waitMs: number, fraction: number): PutBack => ({
  kind: 'putBack',
  why,
  message: { ...message, deferrals: message.deferrals + 1 },
  delaySec: delaySecOf(waitMs + fraction * 1000 * Math.min(MAX_DELAY_SEC, 2 ** message.deferrals)),
});

/** Puts a message off by `waitMs`, however often it was put off before. */
export const putOffUntil = (message: RecordMessage, why: PutOffReason, waitMs: number): PutBack => ({
  kind: 'putBack',
  why,
  message: { ...message, deferrals: message.deferrals + 1 },
  delaySec: delaySecOf(waitMs),
});

/** Sends a message back until its appointment at the target's limit: nothing failed, and it was not put off. */
export const appointed = (message: RecordMessage, dueMs: number, nowMs: number): PutBack => ({
  kind: 'putBack',
  why: 'rate-limit',
  message: { ...message, dueMs },
  delaySec: Math.max(1, delaySecUntil(dueMs, nowMs)),
});

/** Whether a message has come too early for its appointment. One that no line can have given holds nobody. Pure. */
export const isEarly = ({ dueMs }: RecordMessage, nowMs: number, { earlyMs }: LoadTuning): boolean =>
  dueMs !== undefined && dueMs - nowMs > earlyMs && lasts(dueMs, nowMs, reachMs.appointment);

/** The message of a record that has its turn: what becomes of it then, it stands in no line any more. */
export const withoutAppointment = ({ dueMs: _, ...message }: RecordMessage): RecordMessage => message;

/**
 * Whether a message ends that would be put back once more: it has been put off for too long. A failure that counts ends
 * by its attempts. What was replayed, or still needs its dead letter, waits on: no run would send it again. Pure.
 */
export const isAged = ({ why, message }: PutBack, isRetry: boolean, nowMs: number, maxAgeMs: number): boolean =>
  !isRetry && why !== 'no-dead-letter' && message.replayedMs === undefined && nowMs - message.firstSentMs > maxAgeMs;

/** Tries again after a real failure. The message carries the attempt already. */
export const retry = (message: RecordMessage, why: RetryReason, waitMs: number): PutBack => ({
  kind: 'putBack',
  why,
  message,
  delaySec: delaySecOf(waitMs),
});

/** What failed, in a few words for people. */
export const reasonOf = ({ cause, status }: OutcomeFailure): RetryReason =>
  status === undefined ? cause : `${cause} ${status}`;

/** What a POST comes to: the item to write, the delivery's ending, and the letter that must go out first. */
type Settlement = {
  item: IdCheck;
  ending: Ending;
  letter?: { reason: 'rejected' | 'uncertain' | 'exhausted'; failure: Failure };
};

/**
 * The outcome → settlement table. `fraction` in [0, 1) spreads waits.
 *
 * `attempts` grows here and nowhere else: by one for each real failure of the record. What there was no connection for
 * says nothing of it; nor does a target that is down, once that is known (`isResting`).
 */
export const settlementOf = (
  claimed: IdCheck & { claim: Claim },
  message: RecordMessage,
  outcome: Outcome,
  { policy, retry: retrying }: Pick<LoadPlan, 'policy' | 'retry'>,
  nowMs: number,
  fraction: number,
  isResting = false,
): Settlement => {
  if (outcome.kind === 'loaded') return { item: asLoaded(claimed, nowMs), ending: settledAs('loaded') };
  const failure: Failure = { ...outcome.failure, atMs: nowMs };
  const reason = reasonOf(outcome.failure);
  if (outcome.kind === 'notApplied' && outcome.waits) {
    return { item: asReleased(claimed), ending: putOff(message, 'throttled', outcome.pauseMs ?? 0, fraction) };
  }
  const waiting = waitingLetterMs(claimed, message.hash, message.replayedMs, nowMs);
  const dead = (
    kind: 'rejected' | 'parked' | 'exhausted' | 'uncertain',
    as: 'rejected' | 'uncertain' | 'exhausted',
  ): Settlement => ({
    item: asTrouble(claimed, { kind, reason }, waiting ?? nowMs, nowMs),
    ending: settledAs(as),
    ...(waiting === undefined && { letter: { reason: as, failure } }),
  });
  if (outcome.kind === 'rejected') return dead('rejected', 'rejected');
  const mustPark = policy.onUncertain === 'park' || isNotUnderstood(outcome.failure);
  if (outcome.kind === 'uncertain' && mustPark) return dead('parked', 'uncertain');
  if (outcome.kind === 'conflict' && isUnderWay(claimed, nowMs)) {
    const waitMs = outcome.waitMs ?? backoffMs(message.deferrals, fraction, retrying);
    return { item: asReleased(claimed), ending: putOff(message, 'conflict', waitMs, fraction) };
  }

  const sign = signOf(outcome);
  if (sign === 'unsent' || sign === 'refused' || (sign === 'down' && isResting)) {
    const waits = putOff(
      message,
      sign === 'refused' ? 'resting' : 'target-down',
      backoffMs(message.deferrals, fraction, retrying),
      0,
    );
    return {
      item:
        outcome.kind === 'uncertain'
          ? asTrouble(claimed, { kind: 'uncertain', reason }, waiting, nowMs)
          : asReleased(claimed),
      ending: { ...waits, message: { ...waits.message, lastFailure: failure } },
    };
  }

  const failed: RecordMessage = { ...message, attempts: message.attempts + 1, lastFailure: failure };
  if (failed.attempts >= retrying.maxAttempts) {
    // Nobody will learn what became of the earlier try.
    if (outcome.kind === 'conflict') return dead(policy.onUncertain === 'park' ? 'parked' : 'uncertain', 'uncertain');
    return dead(outcome.kind === 'uncertain' ? 'uncertain' : 'exhausted', 'exhausted');
  }
  return {
    item:
      outcome.kind === 'uncertain'
        ? asTrouble(claimed, { kind: 'uncertain', reason }, waiting, nowMs)
        : asReleased(claimed),
    ending: retry(failed, reason, Math.max(askedMs(outcome), backoffMs(message.attempts, fraction, retrying))),
  };
};

const askedMs = (outcome: Outcome): number => (outcome.kind === 'conflict' ? (outcome.waitMs ?? 0) : 0);

/** Whether an earlier try of unknown outcome may still be worked on at the target. */
const isUnderWay = ({ claim, doubt }: IdCheck & { claim: Claim }, nowMs: number): boolean =>
  doubt !== undefined && doubt.hash === claim.hash && lasts(doubt.untilMs, nowMs, reachMs.claim);

/**
 * What a 409 means for one record, by the file's `target.conflict` and by what idCheck knows; other outcomes stay.
 *
 * Where the file says nothing, a 409 is a refusal at a first try. After a try of unknown outcome the other request may
 * be that very try, under way or applied already: it stays a conflict, which waits. `isAlone`: with several records in
 * one request nobody knows which one is meant. A 409 that would settle a record then refuses the request as a whole,
 * and each record is sent again by itself. Pure.
 */
export const readConflict = (
  outcome: Outcome,
  claimed: IdCheck & { claim: Claim },
  conflict: Conflict | undefined,
  isAlone: boolean,
): Outcome => {
  if (outcome.kind !== 'conflict') return outcome;
  const { failure } = outcome;
  const { hash } = claimed.claim;
  // That a record is there already does not mean that it is gone.
  if (conflict === 'loaded' && !isTombstone(hash)) return isAlone ? { kind: 'loaded' } : { kind: 'rejected', failure };
  if (conflict !== 'rejected' && wasTriedBefore(claimed, hash)) return outcome;
  return conflict === 'retry' ? { kind: 'notApplied', failure, waits: false } : { kind: 'rejected', failure };
};
