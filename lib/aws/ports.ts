import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Env } from '../connection/secrets.ts';
import { systemClock } from '../runtime/clock.ts';
import { ConfigurationError } from '../runtime/fault.ts';
import { systemRandom } from '../runtime/random.ts';
import type { Stores } from '../stores/stores.ts';
import { dynamoAuditLog } from './dynamodb/audit-log.ts';
import { dynamoIdStore } from './dynamodb/id-store.ts';
import { dynamoRateLimiter } from './dynamodb/rate-limiter.ts';
import { dynamoRunStore } from './dynamodb/runs/store.ts';
import { dynamoTokenStore } from './dynamodb/token-store.ts';
import { sqsQueue } from './sqs/queue.ts';

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

type Port<Name extends keyof Stores, Client> = (client: Client, env: Env) => Stores[Name];
type Table<Name extends keyof Stores> = Port<Name, DynamoDBClient>;
type SqsQueue<Name extends keyof Stores> = Port<Name, SQSClient>;

// Each store by its variable. One function for each, so that a Lambda function holds the code of what it opens and of
// nothing else (decision 0010). All throw ConfigurationError.

export const idStoreOf: Table<'idStore'> = (dynamo, env) => dynamoIdStore(dynamo, resource('IDCHECK_TABLE', env));

export const runsOf: Table<'runs'> = (dynamo, env) =>
  dynamoRunStore(dynamo, resource('RUNS_TABLE', env), runRetentionDays(env));

export const auditOf: Table<'audit'> = (dynamo, env) => dynamoAuditLog(dynamo, resource('RUNS_TABLE', env));

export const limiterOf: Table<'limiter'> = (dynamo, env) =>
  dynamoRateLimiter(dynamo, resource('CONNECTIONS_TABLE', env), systemClock, systemRandom);

export const tokensOf: Table<'tokens'> = (dynamo, env) => dynamoTokenStore(dynamo, resource('CONNECTIONS_TABLE', env));

export const recordsOf: SqsQueue<'records'> = (sqs, env) => sqsQueue(sqs, resource('RECORDS_QUEUE_URL', env));

export const runRequestsOf: SqsQueue<'runRequests'> = (sqs, env) => sqsQueue(sqs, resource('RUNS_QUEUE_URL', env));

export const deadLettersOf: SqsQueue<'deadLetters'> = (sqs, env) =>
  sqsQueue(sqs, resource('DEAD_LETTER_QUEUE_URL', env));
