import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { misfitWaitMs, outgoingOf, putOff, retry, settledAs } from '../../lib/load/ending.ts';
import { readMessage } from '../../lib/messages/record-message.ts';
import { ConfigurationError } from '../../lib/runtime/fault.ts';
import { recordMessage } from './message.ts';

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

it('what goes back is the message and its delay', () => {
  const ending = putOff(recordMessage(), 'claimed', 4_000, 0);
  const { body, delaySec } = outgoingOf(ending);
  expect(delaySec).toBe(4);
  expect(readMessage(body)).toEqual({ kind: 'message', message: ending.message });
});

it('faulty configuration waits some minutes for people, anything else for half a minute', () => {
  expect(misfitWaitMs(new ConfigurationError([]))).toBe(300_000);
  expect(misfitWaitMs(new Error('no route'))).toBe(30_000);
});
