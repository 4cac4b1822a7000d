import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import type { Env } from '../connection/secrets.ts';
import { ConfigurationError } from '../runtime/fault.ts';
import type { Stores } from '../stores/stores.ts';
import { dynamoAuditLog } from './dynamodb/audit-log.ts';
import { dynamoHealthStore, dynamoTokenStore } from './dynamodb/connections.ts';
import { dynamoEnds } from './dynamodb/ends.ts';
import { forgetIntegration } from './dynamodb/forget.ts';
import { dynamoIdStore } from './dynamodb/id-store.ts';
import { dynamoRateLimiter } from './dynamodb/rate-limiter.ts';
import { dynamoRunStore } from './dynamodb/run-store.ts';
import type { Table } from './dynamodb/table.ts';
import { sqsQueue } from './sqs-queue.ts';

/**
 * Every call here is small and answered within some ms (an SQS long poll: 1 s), so a slow one is a lost one.
 * Without `throwOnRequestTimeout` the SDK only logs a warning and waits on. Agents keep connections alive by default
 * in SDK v3, but with 50 sockets a client: enough for all bounded loops of this project.
 */
const shared = {
  requestHandler: {
    connectionTimeout: 1_000,
    requestTimeout: 5_000,
    throwOnRequestTimeout: true,
    httpAgent: { keepAlive: true, maxSockets: 50 },
    httpsAgent: { keepAlive: true, maxSockets: 50 },
  },
  retryMode: 'standard',
  maxAttempts: 4,
} satisfies DynamoDBClientConfig & SQSClientConfig;

/** A DynamoDB client; region, credentials and endpoint come from the SDK's own environment unless given. */
export const dynamoClient = (config: DynamoDBClientConfig = {}): DynamoDBClient =>
  new DynamoDBClient({ ...shared, ...config });

/**
 * An SQS client; region, credentials and endpoint come from the SDK's own environment unless given.
 * With `AWS_ENDPOINT_URL_SQS` set that endpoint is used, and not the host inside the queue's URL, as the SDK would.
 */
export const sqsClient = (config: SQSClientConfig = {}): SQSClient =>
  new SQSClient({
    ...shared,
    ...(process.env.AWS_ENDPOINT_URL_SQS ? { useQueueUrlAsEndpoint: false } : {}),
    ...config,
  });

const variables = [
  'IDCHECK_TABLE',
  'RUNS_TABLE',
  'CONNECTIONS_TABLE',
  'RECORDS_QUEUE_URL',
  'RUNS_QUEUE_URL',
  'DEAD_LETTER_QUEUE_URL',
] as const;

/** Names of tables and URLs of queues, as `serverless.yml` hands them to the functions. */
type ResourceVariable = (typeof variables)[number];

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
type DynamoPort<Name extends keyof Stores> = Port<Name, DynamoDBClient>;
type SqsPort<Name extends keyof Stores> = Port<Name, SQSClient>;

const tableOf = (client: DynamoDBClient, variable: ResourceVariable, env: Env): Table => ({
  client,
  TableName: resource(variable, env),
});

// Each store by its variable. One function for each, so that a Lambda function holds the code of what it opens and of
// nothing else (decision 0010). All throw ConfigurationError.

export const idStoreOf: DynamoPort<'idStore'> = (dynamo, env) => dynamoIdStore(tableOf(dynamo, 'IDCHECK_TABLE', env));

export const runsOf: DynamoPort<'runs'> = (dynamo, env) =>
  dynamoRunStore(tableOf(dynamo, 'RUNS_TABLE', env), { retentionDays: runRetentionDays(env) });

export const auditOf: DynamoPort<'audit'> = (dynamo, env) => dynamoAuditLog(tableOf(dynamo, 'RUNS_TABLE', env));

/** Whose state it is, alone: for who only looks. */
export const endsOf = (dynamo: DynamoDBClient, env: Env): Pick<Stores['runs'], 'ends'> =>
  dynamoEnds(tableOf(dynamo, 'RUNS_TABLE', env));

/** Forgets what is known of an integration but its audit log. */
export const forgetOf =
  (dynamo: DynamoDBClient, env: Env): ((integration: string) => Promise<void>) =>
  (integration) =>
    forgetIntegration(integration, {
      idCheck: tableOf(dynamo, 'IDCHECK_TABLE', env),
      runs: tableOf(dynamo, 'RUNS_TABLE', env),
    });

export const limiterOf: DynamoPort<'limiter'> = (dynamo, env) =>
  dynamoRateLimiter(tableOf(dynamo, 'CONNECTIONS_TABLE', env));

export const healthOf: DynamoPort<'health'> = (dynamo, env) =>
  dynamoHealthStore(tableOf(dynamo, 'CONNECTIONS_TABLE', env));

export const tokensOf: DynamoPort<'tokens'> = (dynamo, env) =>
  dynamoTokenStore(tableOf(dynamo, 'CONNECTIONS_TABLE', env));

export const recordsOf: SqsPort<'records'> = (sqs, env) => sqsQueue(sqs, resource('RECORDS_QUEUE_URL', env));

export const runRequestsOf: SqsPort<'runRequests'> = (sqs, env) => sqsQueue(sqs, resource('RUNS_QUEUE_URL', env));

export const deadLettersOf: SqsPort<'deadLetters'> = (sqs, env) =>
  sqsQueue(sqs, resource('DEAD_LETTER_QUEUE_URL', env));
