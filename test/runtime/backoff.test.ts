import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../lib/runtime/backoff.ts';

const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('backoffMs', () => {
  it.each([
    { retry: 0, fraction: 0.5, expected: 50 },
    { retry: 1, fraction: 0.5, expected: 100 },
    { retry: 3, fraction: 0.5, expected: 400 },
    { retry: 3, fraction: 0, expected: 0 },
    { retry: 10, fraction: 0.5, expected: 1_000 },
    { retry: 5_000, fraction: 0.999, expected: 1_998 },
  ])(
    'is $expected ms before retry $retry at fraction $fraction, from 100 ms up to 2 s',
    ({ retry, fraction, expected }) => {
      expect(backoffMs(retry, fraction, { baseMs: 100, capMs: 2_000 })).toBe(expected);
    },
  );

  it('is a whole number of ms from 0 to below the cap, and grows with the retry', () => {
    const limits = fc.record({
      baseMs: fc.integer({ min: 1, max: 10_000 }),
      capMs: fc.integer({ min: 1, max: 1_000_000 }),
    });
    fc.assert(
      fc.property(fc.nat(2_000), fraction, limits, (retry, chance, backoff) => {
        const waitMs = backoffMs(retry, chance, backoff);
        expect(Number.isInteger(waitMs)).toBe(true);
        expect(waitMs).toBeGreaterThanOrEqual(0);
        expect(waitMs).toBeLessThan(backoff.capMs);
        expect(backoffMs(retry + 1, chance, backoff)).toBeGreaterThanOrEqual(waitMs);
      }),
    );
  });
});
