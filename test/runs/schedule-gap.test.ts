import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { longestGapMs } from '../../lib/runs/reconciling.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('the longest gap', () => {
  test.each([
    ['rate(1 minute)', 60_000],
    ['rate(15 minutes)', 900_000],
    ['rate(2 hours)', 2 * HOUR_MS],
    ['rate(1 day)', DAY_MS],
    ['cron(0 8 * * ? *)', DAY_MS],
    ['cron(0/15 * * * ? *)', 900_000],
    ['cron(0 8,12,18 * * ? *)', 14 * HOUR_MS],
    ['cron(0 8-18 * * ? *)', 14 * HOUR_MS],
    ['cron(30 9 ? * MON-FRI *)', 3 * DAY_MS],
    ['cron(0 6 ? * 2 *)', 7 * DAY_MS],
    ['cron(0 0 1 * ? *)', 31 * DAY_MS],
    // More seldom than two months show, or words that only EventBridge understands.
    ['cron(0 0 1 JAN ? *)', 31 * DAY_MS],
    ['cron(0 0 L * ? *)', 31 * DAY_MS],
    ['cron(0 0 ? * 2#1 *)', 31 * DAY_MS],
  ])('of %s is %d ms', (expression, gapMs) => {
    expect(longestGapMs(expression)).toBe(gapMs);
  });

  test('of an hourly range is the rest of the day', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 11 }), fc.integer({ min: 12, max: 23 }), (from, to) => {
        expect(longestGapMs(`cron(0 ${from}-${to} * * ? *)`)).toBe(Math.max(1, 24 - to + from) * HOUR_MS);
      }),
    );
  });
});
