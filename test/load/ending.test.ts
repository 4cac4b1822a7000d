import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IdCheck, Trouble } from '../../lib/idcheck/item.ts';
import {
  appointed,
  isAged,
  isEarly,
  misfitWaitMs,
  putOff,
  retry,
  settledAs,
  settlementOf,
} from '../../lib/load/ending.ts';
import { outgoingRecord, readMessage } from '../../lib/messages/record-message.ts';
import { ConfigurationError } from '../../lib/runtime/fault.ts';
import { standardTuning } from '../../lib/runtime/tuning.ts';
import type { Outcome } from '../../lib/target/target.ts';
import { NOW_MS, recordMessage } from './message.ts';

describe('putting a message off', () => {
  it.each([
    { waitMs: 0, fraction: 0, deferrals: 0, delaySec: 1 },
    { waitMs: -5_000, fraction: 0, deferrals: 0, delaySec: 1 },
    { waitMs: 1_001, fraction: 0, deferrals: 0, delaySec: 2 },
    { waitMs: 10_000, fraction: 0.5, deferrals: 0, delaySec: 11 },
    { waitMs: 10_000, fraction: 0.5, deferrals: 4, delaySec: 18 },
    { waitMs: 0, fraction: 0.999, deferrals: 60, delaySec: 900 },
    { waitMs: 86_400_000, fraction: 0, deferrals: 0, delaySec: 900 },
  ])(
    'by $waitMs ms after $deferrals times, at fraction $fraction: $delaySec s',
    ({ waitMs, fraction, deferrals, delaySec }) => {
      expect(putOff(recordMessage({ deferrals }), 'rate-limit', waitMs, fraction).delaySec).toBe(delaySec);
    },
  );

  it('counts as a deferral and never as an attempt, and stays within what SQS delays', () => {
    const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer(), fraction, fc.nat(5_000), fc.nat(9), (waitMs, chance, deferrals, attempts) => {
        const message = recordMessage({ deferrals, attempts });
        const ending = putOff(message, 'claimed', waitMs, chance);
        expect(ending).toMatchObject({
          kind: 'putBack',
          why: 'claimed',
          message: { ...message, deferrals: deferrals + 1 },
        });
        expect(Number.isInteger(ending.delaySec)).toBe(true);
        expect(ending.delaySec).toBeGreaterThanOrEqual(1);
        expect(ending.delaySec).toBeLessThanOrEqual(900);
        expect(ending.delaySec * 1_000).toBeGreaterThanOrEqual(Math.min(waitMs, 900_000));
      }),
    );
  });
});

it('a retry carries its message as it is, with its delay', () => {
  const message = recordMessage({ attempts: 3 });
  expect(retry(message, 'status 500', 1_500)).toEqual({ kind: 'putBack', why: 'status 500', message, delaySec: 2 });
});

it('settled names what the delivery ended as', () => {
  expect(settledAs('superseded')).toEqual({ kind: 'settled', as: 'superseded' });
});

it('a message goes out with those of its connection, in earlier versions of its integration', () => {
  for (const [message, group] of [
    [recordMessage({ connection: 'crm' }), 'crm'],
    [recordMessage(), 'groups'],
  ] as const) {
    const outgoing = outgoingRecord(message, 4);
    expect(outgoing).toMatchObject({ delaySec: 4, group });
    expect(readMessage(outgoing.body)).toEqual({ kind: 'message', message });
  }
  expect(outgoingRecord(recordMessage(), 0)).not.toHaveProperty('delaySec');
});

it('an appointment is a moment ahead, in whole seconds, and does not count as put off', () => {
  const message = recordMessage({ deferrals: 2, attempts: 1 });
  for (const [inMs, delaySec] of [
    [60_000, 59],
    [60_499, 59],
    [60_500, 60],
    [300, 1],
    [7_200_000, 900],
  ] as const) {
    const dueMs = NOW_MS + inMs;
    expect(appointed(message, dueMs, NOW_MS)).toEqual({
      kind: 'putBack',
      why: 'rate-limit',
      message: { ...message, dueMs },
      delaySec,
    });
  }
});

it('an age limit and the margin of an appointment are reached only when they are exceeded; what needs its letter has none', () => {
  const { load } = standardTuning;
  for (const pastMs of [0, 1]) {
    const old = putOff(recordMessage({ firstSentMs: NOW_MS - load.maxAgeMs - pastMs }), 'throttled', 0, 0);
    expect(isAged(old, false, NOW_MS, load.maxAgeMs)).toBe(pastMs > 0);
    expect(isAged({ ...old, why: 'no-dead-letter' }, false, NOW_MS, load.maxAgeMs)).toBe(false);
    expect(isEarly(recordMessage({ dueMs: NOW_MS + load.earlyMs + pastMs }), NOW_MS, load)).toBe(pastMs > 0);
  }
});

it('faulty configuration waits some minutes for people, anything else for half a minute', () => {
  expect(misfitWaitMs(new ConfigurationError([]), standardTuning.load)).toBe(300_000);
  expect(misfitWaitMs(new Error('no route'), standardTuning.load)).toBe(30_000);
});

describe('what a POST comes to', () => {
  const claim = { owner: 'me', hash: 'A', versionMs: 1, sinceMs: NOW_MS - 9, untilMs: NOW_MS + 9 };
  const failure = { cause: 'status', status: 500 } as const;
  const loaded: Outcome = { kind: 'loaded' };
  const rejected: Outcome = { kind: 'rejected', failure };
  const notApplied: Outcome = { kind: 'notApplied', failure, waits: false };
  const throttled: Outcome = { kind: 'notApplied', failure, waits: true, pauseMs: 5_000 };
  const uncertain: Outcome = { kind: 'uncertain', failure };

  const conflict: Outcome = { kind: 'conflict', failure: { cause: 'status', status: 409 } };
  const timeout: Outcome = { kind: 'uncertain', failure: { cause: 'timeout' } };

  const settlement = (
    outcome: Outcome,
    onUncertain: 'resend' | 'park',
    attempts: number,
    known: Pick<IdCheck, 'trouble' | 'doubt'> = {},
    isResting = false,
  ) =>
    settlementOf(
      { id: '1', rev: 1, claim, ...known },
      recordMessage({ attempts }),
      outcome,
      { policy: { idCheck: false, onUncertain }, retry: { maxAttempts: 3, baseMs: 1_000, capMs: 60_000 } },
      NOW_MS,
      0.5,
      isResting,
    );

  it.each([
    [loaded, 'resend', 0, 'loaded', undefined, undefined],
    [rejected, 'resend', 0, 'rejected', 'rejected', 'rejected'],
    [uncertain, 'park', 0, 'uncertain', 'parked', 'uncertain'],
    [uncertain, 'resend', 2, 'exhausted', 'uncertain', 'exhausted'],
    [notApplied, 'resend', 2, 'exhausted', 'exhausted', 'exhausted'],
    [notApplied, 'park', 2, 'exhausted', 'exhausted', 'exhausted'],
    [conflict, 'resend', 2, 'uncertain', 'uncertain', 'uncertain'],
    [conflict, 'park', 2, 'uncertain', 'parked', 'uncertain'],
  ] as const)(
    '%j, %s, after %d failures: settled as %s, trouble %s, letter %s',
    (outcome, on, attempts, as, kind, letter) => {
      const settled = settlement(outcome, on, attempts);
      expect(settled.ending).toEqual(settledAs(as));
      expect(settled.item).not.toHaveProperty('claim');
      expect([settled.item.trouble?.kind, settled.letter?.reason]).toEqual([kind, letter]);
    },
  );

  it.each([
    [throttled, 1, 'throttled', 1, undefined],
    [notApplied, 1, 'status 500', 2, undefined],
    [uncertain, 1, 'status 500', 2, 'uncertain'],
  ] as const)(
    '%j after %d failure: put back, %s, with %d; trouble %s, no letter',
    (outcome, before, why, attempts, kind) => {
      const { ending, item, letter } = settlement(outcome, 'resend', before);
      expect(ending).toMatchObject({ kind: 'putBack', why, message: { attempts } });
      expect([item.claim, item.trouble?.kind, letter]).toEqual([undefined, kind, undefined]);
    },
  );

  it.each([
    [true, 'target-down', 1],
    [false, 'timeout', 2],
  ] as const)('a time-out where the target rests: %s, is put back for %s, with %d', (isResting, why, attempts) => {
    const { ending, item } = settlement(timeout, 'resend', 1, {}, isResting);
    expect(ending).toMatchObject({ kind: 'putBack', why, message: { attempts } });
    expect(item.trouble?.kind).toBe('uncertain');
  });

  it.each([
    ['this content, still under way', 'A', 1, 'conflict', 1],
    ['this content, over by now', 'A', 0, 'status 409', 2],
    ['other content', 'B', 1, 'status 409', 2],
  ])('a 409 after a doubt about %s is put back', (_, hash, aheadMs, why, attempts) => {
    const { ending } = settlement(conflict, 'resend', 1, { doubt: { hash, untilMs: NOW_MS + aheadMs } });
    expect(ending).toMatchObject({ kind: 'putBack', why, message: { attempts } });
  });

  it.each([
    ['access-refused', 'resting'],
    ['token-unavailable', 'target-down'],
  ] as const)('%s is never the record’s fault: it waits, %s', (cause, why) => {
    const outcome: Outcome = { kind: 'notApplied', failure: { cause, excerpt: 'no such app' }, waits: false };
    const { ending, item, letter } = settlement(outcome, 'park', 2);
    expect(ending).toMatchObject({ kind: 'putBack', why, message: { attempts: 2, lastFailure: { cause } } });
    expect([item.claim, item.trouble, letter]).toEqual([undefined, undefined, undefined]);
  });

  it('writes no second letter for content whose letter still waits', () => {
    const trouble: Trouble = {
      kind: 'rejected',
      hash: 'A',
      versionMs: 1,
      sinceMs: 1,
      reason: '',
      letterMs: NOW_MS - 1,
    };
    const { ending, item, letter } = settlement(rejected, 'resend', 0, { trouble });
    expect([ending, letter, item.trouble?.letterMs]).toEqual([settledAs('rejected'), undefined, NOW_MS - 1]);
  });
});
