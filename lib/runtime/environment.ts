import type { Env } from '../connection/secrets.ts';
import { ConfigurationError } from '../integration/fault.ts';

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
