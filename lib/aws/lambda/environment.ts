import type { Env } from '../../connection/secrets.ts';
import { ConfigurationError } from '../../runtime/fault.ts';

const variables = [
  'IDCHECK_TABLE',
  'RUNS_TABLE',
  'CONNECTIONS_TABLE',
  'RECORDS_QUEUE_URL',
  'RUNS_QUEUE_URL',
  'DEAD_LETTER_QUEUE_URL',
] as const;

/** Names of tables and URLs of queues, as `serverless.yml` hands them to the functions. */
export type ResourceVariable = (typeof variables)[number];

/** The value of a variable that the stack sets. Throws ConfigurationError naming it. */
export const resource = (name: ResourceVariable, env: Env): string => {
  const value = env[name];
  if (value !== undefined && value !== '') return value;
  const expected = 'the name or URL of a resource of the stack (serverless.yml sets it)';
  throw new ConfigurationError([{ file: 'environment', path: name, expected, found: 'nothing' }]);
};

const RETENTION_DAYS = 90;

/**
 * How long runs and their ledgers are kept, in days: `RUN_RETENTION_DAYS`, 90 where it is not set.
 * Throws ConfigurationError for anything but a whole number of days.
 */
export const runRetentionDays = (env: Env): number => {
  const setting = env.RUN_RETENTION_DAYS ?? '';
  if (setting === '') return RETENTION_DAYS;
  if (/^[1-9]\d{0,4}$/.test(setting)) return Number(setting);
  const fault = { path: 'RUN_RETENTION_DAYS', expected: 'a whole number of days', found: JSON.stringify(setting) };
  throw new ConfigurationError([{ file: 'environment', ...fault }]);
};
