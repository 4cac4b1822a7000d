import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';

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
