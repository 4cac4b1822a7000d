import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_RETRY_AFTER_MS, retryAfterMs } from '../../lib/connection/reactions.ts';

const NOW_MS = Date.UTC(2026, 0, 5, 8, 0, 0);

describe('retryAfterMs', () => {
  it.each([
    ['0', 0],
    ['1', 1_000],
    ['120', 120_000],
    ['007', 7_000],
    [' 30 ', 30_000],
    ['Mon, 05 Jan 2026 08:05:00 GMT', 300_000],
    ['Monday, 05-Jan-26 08:05:00 GMT', 300_000],
    ['Mon Jan  5 08:05:00 2026', 300_000],
    ['Mon, 05 Jan 2026 07:59:59 GMT', 0],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 0],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 0],
    ['Sun Nov  6 08:49:37 1994', 0],
    ['86401', MAX_RETRY_AFTER_MS],
    ['99999999999999999999999999', MAX_RETRY_AFTER_MS],
    ['Fri, 31 Dec 9999 23:59:60 GMT', MAX_RETRY_AFTER_MS],
  ])('reads %j as %i ms', (header, expected) => {
    expect(retryAfterMs(header, NOW_MS)).toBe(expected);
  });

  it.each([
    undefined,
    '',
    ' ',
    '-1',
    '+5',
    '1.5',
    '1e3',
    '0x10',
    '5 s',
    '1, 2',
    'soon',
    '2026-01-05T08:05:00Z',
    'Mon, 5 Jan 2026 08:05:00 GMT',
    'Mon, 05 Jan 2026 08:05:00 CST',
    'Mon, 05 Jan 2026 08:05:00 +0800',
    'Mon, 31 Apr 2026 08:05:00 GMT',
    'Mon, 00 Jan 2026 08:05:00 GMT',
    'Mon, 05 Jan 2026 24:05:00 GMT',
    'Mon, 05 Jan 2026 08:60:00 GMT',
    'mon, 05 jan 2026 08:05:00 gmt',
  ])('takes %j for no answer', (header) => {
    expect(retryAfterMs(header, NOW_MS)).toBeUndefined();
  });

  it('reads a two-digit year as the latest such year that is at most 50 years ahead', () => {
    expect(retryAfterMs('Monday, 05-Jan-26 08:05:00 GMT', NOW_MS)).toBe(300_000);
    expect(retryAfterMs('Sunday, 05-Jan-76 08:05:00 GMT', NOW_MS)).toBe(MAX_RETRY_AFTER_MS);
    expect(retryAfterMs('Wednesday, 05-Jan-77 08:05:00 GMT', NOW_MS)).toBe(0);
  });

  it('agrees with the date that a server prints, to the second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 86_400 }), fc.integer({ min: 0, max: 4e12 }), (sec, fromMs) => {
        const nowMs = fromMs - (fromMs % 1_000);
        expect(retryAfterMs(new Date(nowMs + sec * 1_000).toUTCString(), nowMs)).toBe(sec * 1_000);
      }),
    );
  });

  it('never throws, and never gives a negative wait or one of more than a day', () => {
    const junk = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.nat().map(String),
      fc.date({ noInvalidDate: true }).map(String),
    );
    fc.assert(
      fc.property(junk, (header) => {
        const waitMs = retryAfterMs(header, NOW_MS) ?? 0;
        expect(waitMs).toBeGreaterThanOrEqual(0);
        expect(waitMs).toBeLessThanOrEqual(MAX_RETRY_AFTER_MS);
      }),
    );
  });
});
