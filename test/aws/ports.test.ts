import { describe, expect, test } from 'vitest';
import { resource, runRetentionDays } from '../../lib/aws/ports.ts';
import { ConfigurationError } from '../../lib/runtime/fault.ts';

describe('a resource of the stack', () => {
  test('is what its variable says', () => {
    expect(resource('RUNS_TABLE', { RUNS_TABLE: 'okki-sync-dev-runs' })).toBe('okki-sync-dev-runs');
  });

  test.each([{}, { RUNS_TABLE: '' }])('that %j does not name is a fault of the configuration', (env) => {
    expect(() => resource('RUNS_TABLE', env)).toThrow(ConfigurationError);
  });
});

describe('runs are kept', () => {
  test.each([
    [undefined, 90],
    ['', 90],
    ['14', 14],
    ['3650', 3_650],
  ])('RUN_RETENTION_DAYS=%j: %d days', (setting, days) => {
    expect(runRetentionDays({ RUN_RETENTION_DAYS: setting })).toBe(days);
  });

  test.each(['0', '-1', '1.5', 'ninety', '1e3'])('RUN_RETENTION_DAYS=%j is a fault of the configuration', (setting) => {
    expect(() => runRetentionDays({ RUN_RETENTION_DAYS: setting })).toThrow(ConfigurationError);
  });
});
