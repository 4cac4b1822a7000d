import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Env } from '../connection/secrets.ts';
import type { OpenStores } from '../stores/stores.ts';
import {
  auditOf,
  deadLettersOf,
  dynamoClient,
  forgetOf,
  healthOf,
  idStoreOf,
  limiterOf,
  recordsOf,
  runRequestsOf,
  runsOf,
  sqsClient,
  tokensOf,
} from './ports.ts';
import { awsSecretStore } from './secrets/secret-store.ts';

/** The stores, and a way to forget one integration: for people, no function may delete an item. */
export type AwsStores = OpenStores & { forget(integration: string): Promise<void> };

/** The stores that fetch and load both work with. Throws ConfigurationError. */
export const flowStores = (dynamo: DynamoDBClient, sqs: SQSClient, env: Env) =>
  ({
    idStore: idStoreOf(dynamo, env),
    runs: runsOf(dynamo, env),
    records: recordsOf(sqs, env),
    deadLetters: deadLettersOf(sqs, env),
    limiter: limiterOf(dynamo, env),
    health: healthOf(dynamo, env),
    tokens: tokensOf(dynamo, env),
    secrets: awsSecretStore,
  }) satisfies Partial<OpenStores>;

/** All stores of a stack on AWS. Throws ConfigurationError. */
export const awsStores = (dynamo: DynamoDBClient, sqs: SQSClient, env: Env): AwsStores => ({
  ...flowStores(dynamo, sqs, env),
  runRequests: runRequestsOf(sqs, env),
  audit: auditOf(dynamo, env),
  forget: forgetOf(dynamo, env),
  close: () => {
    dynamo.destroy();
    sqs.destroy();
  },
});

/** The stores of a stack of which `env` gives the endpoints and credentials as well: the embedded one. */
export const awsStoresAt = (env: Env): AwsStores => {
  const shared = {
    region: env.AWS_REGION ?? '',
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID ?? '', secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '' },
  };
  const dynamo = dynamoClient({ ...shared, endpoint: env.AWS_ENDPOINT_URL_DYNAMODB ?? '' });
  const sqs = sqsClient({ ...shared, endpoint: env.AWS_ENDPOINT_URL_SQS ?? '', useQueueUrlAsEndpoint: false });
  return awsStores(dynamo, sqs, env);
};
