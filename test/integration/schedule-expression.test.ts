import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseIntegration } from '../../lib/integration/read.ts';
import { readSchedule } from '../../lib/integration/schema/schedule-expression.ts';
import { changedText } from './sample.ts';

/** What is expected instead; undefined where the expression is right. */
const expectedInstead = (expression: string): string | undefined => {
  const schedule = readSchedule(expression);
  return schedule.kind === 'unreadable' ? schedule.expected : undefined;
};

describe('what EventBridge Scheduler takes is taken', () => {
  test.each([
    'rate(1 minute)',
    'rate(5 minutes)',
    'rate(1 hour)',
    'rate(30 days)',
    'cron(0 8 * * ? *)',
    'cron(0/15 * * * ? *)',
    'cron(*/5 * * * ? *)',
    'cron(0 8,12,18-20 ? * MON-FRI *)',
    'cron(30 9 ? * mon *)',
    'cron(0 0 L * ? *)',
    'cron(0 0 LW * ? *)',
    'cron(0 0 15W * ? *)',
    'cron(0 0 ? * 6L *)',
    'cron(0 0 ? * 2#1 *)',
    'cron(0 0 ? * FRI#2 *)',
    'cron(0 0 29 FEB ? *)',
    'cron(0 0 1 1/3 ? 2026-2030)',
    'cron(0 0 1,L * ? *)',
  ])('%s', (expression) => {
    expect(expectedInstead(expression)).toBeUndefined();
  });
});

describe('what EventBridge Scheduler refuses is refused, with a right example', () => {
  test.each([
    ['rate(5 minute)', '"rate(5 minutes)"'],
    ['rate(1 hours)', '"rate(1 hour)"'],
    ['rate(0 hours)', 'rate(5 minutes)'],
    ['rate(1.5 hours)', 'rate(5 minutes)'],
    ['rate(2 weeks)', 'rate(5 minutes)'],
    ['rate(30 seconds)', 'rate(5 minutes)'],
    ['cron(99 99 * * ? *)', '0-59 as the minutes'],
    ['cron(0 24 * * ? *)', '0-23 as the hours'],
    ['cron(0 8 0 * ? *)', '1-31 as the day of the month'],
    ['cron(0 8 1 13 ? *)', '1-12 or JAN-DEC as the month'],
    ['cron(0 8 1 JUNE ? *)', '1-12 or JAN-DEC as the month'],
    ['cron(0 8 ? * 0 *)', '1-7 or SUN-SAT as the day of the week'],
    ['cron(0 8 ? * MONDAY *)', '1-7 or SUN-SAT as the day of the week'],
    ['cron(0 8 ? * ABCL *)', '1-7 or SUN-SAT as the day of the week'],
    ['cron(0 8 ? * 2#6 *)', '1-7 or SUN-SAT as the day of the week'],
    ['cron(0 8 * * ? 1969)', '1970-2199 as the year'],
    ['cron(0 ? * * ? *)', '0-23 as the hours'],
    ['cron(0/0 8 * * ? *)', '0-59 as the minutes'],
    ['cron(0/90 8 * * ? *)', '0-59 as the minutes'],
    ['cron(0 22-2 * * ? *)', 'a range that runs backwards'],
    ['cron(0 8, * * ? *)', '0-23 as the hours'],
    ['cron(a b c d e f)', '0-59 as the minutes'],
    ['cron(0 9 * * * *)', '"cron(0 9 * * ? *)"'],
    ['cron(0 9 ? * ? *)', '"cron(0 9 * * ? *)"'],
    ['cron(0 9 * * MON *)', '"cron(0 9 ? * MON *)"'],
    ['cron(0 9 31 2 ? *)', 'never comes'],
    ['cron(0 9 31 4,6,9,11 ? *)', 'never comes'],
    ['cron(0 9 * *)', 'six fields'],
    ['at(2026-01-01T00:00:00)', 'rate(1 hour)'],
    ['hourly', 'rate(1 hour)'],
  ])('%s: %s', (expression, words) => {
    expect(expectedInstead(expression)).toContain(words);
  });

  test.each([
    ['0 9 * * *', 'cron(0 9 * * ? *)'],
    ['cron(0 9 * * *)', 'cron(0 9 * * ? *)'],
    ['*/5 * * * *', 'cron(0/5 * * * ? *)'],
    ['0 8-18/2 * * 1-5', 'cron(0 8-18/2 ? * MON-FRI *)'],
    ['0 9 * * 0', 'cron(0 9 ? * SUN *)'],
    ['0 9 * * 5-7', 'cron(0 9 ? * SUN,FRI,SAT *)'],
    ['0 9 * * mon', 'cron(0 9 ? * MON *)'],
    ['0 0 1 */3 *', 'cron(0 0 1 1/3 ? *)'],
    ['0 9 * * ? *', 'cron(0 9 * * ? *)'],
  ])('%s is translated to %s', (expression, translated) => {
    expect(expectedInstead(expression)).toContain(`"${translated}"`);
  });

  test('five fields with a day of the month and one of the week have no translation', () => {
    expect(expectedInstead('0 9 1 * 1')).toContain('rate(1 hour)');
  });

  test('an expression that a refusal quotes as an example is valid itself', () => {
    const field = fc.constantFrom('*', '?', '0', '1', '5', '7', '1-5', '*/2', '3/4', 'MON', 'JAN', 'L', '99');
    fc.assert(
      fc.property(fc.array(field, { minLength: 4, maxLength: 7 }), fc.boolean(), (fields, isWrapped) => {
        const text = fields.join(' ');
        const example = /"([^"?][^"]*)"/.exec(expectedInstead(isWrapped ? `cron(${text})` : text) ?? '')?.[1];
        if (example !== undefined) expect(expectedInstead(example), example).toBeUndefined();
      }),
    );
  });
});

test('validate names the place of a schedule that EventBridge would refuse', () => {
  const name = 'okki-product-groups-to-crm';
  const { faults } = parseIntegration(
    changedText(name, { 'schedule.expression': 'cron(0 9 * * * *)' }),
    `${name}.json`,
  );
  expect(faults).toEqual([
    expect.objectContaining({
      path: 'schedule.expression',
      found: '"cron(0 9 * * * *)"',
      expected: expect.stringContaining('"cron(0 9 * * ? *)"'),
      position: expect.anything(),
    }),
  ]);
});
