import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { dynamoClient, sqsClient } from '../../lib/aws/clients.ts';
import { dynamoAuditLog } from '../../lib/aws/dynamodb/audit-log.ts';
import { dynamoIdStore } from '../../lib/aws/dynamodb/id-store.ts';
import { dynamoRunStore } from '../../lib/aws/dynamodb/runs/store.ts';
import { resource } from '../../lib/aws/lambda/environment.ts';
import { sqsQueue } from '../../lib/aws/sqs/queue.ts';
import type { IdStore } from '../../lib/idcheck/store.ts';
import type { ReadableQueue } from '../../lib/messages/queue.ts';
import type { RunStore, Watermarks } from '../../lib/runs/store.ts';
import type { AuditLog } from '../../lib/stores/audit.ts';

/** The stores and queues of a stack, as the command line uses them beside its functions. */
export type Stores = {
  dynamo: DynamoDBClient;
  idStore: IdStore;
  runs: RunStore & Watermarks;
  audit: AuditLog;
  records: ReadableQueue;
  deadLetters: ReadableQueue;
  /** Where runs are asked for. */
  runRequests: ReadableQueue;
  close(): void;
};

/** Table names and queue URLs under the variables in which the functions get them. */
export type ResourceNames = Readonly<Record<string, string>>;

export const storesOf = (dynamo: DynamoDBClient, sqs: SQSClient, names: ResourceNames): Stores => ({
  dynamo,
  idStore: dynamoIdStore(dynamo, resource('IDCHECK_TABLE', names)),
  runs: dynamoRunStore(dynamo, resource('RUNS_TABLE', names)),
  audit: dynamoAuditLog(dynamo, resource('RUNS_TABLE', names)),
  records: sqsQueue(sqs, resource('RECORDS_QUEUE_URL', names)),
  deadLetters: sqsQueue(sqs, resource('DEAD_LETTER_QUEUE_URL', names)),
  runRequests: sqsQueue(sqs, resource('RUNS_QUEUE_URL', names)),
  close: () => {
    dynamo.destroy();
    sqs.destroy();
  },
});

/** The stores of an embedded stack, by the environment that it gives its functions. */
export const openEmbeddedStores = (env: ResourceNames): Stores => {
  const shared = {
    region: env.AWS_REGION ?? '',
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID ?? '', secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '' },
  };
  const dynamo = dynamoClient({ ...shared, endpoint: env.AWS_ENDPOINT_URL_DYNAMODB ?? '' });
  const sqs = sqsClient({ ...shared, endpoint: env.AWS_ENDPOINT_URL_SQS ?? '', useQueueUrlAsEndpoint: false });
  return storesOf(dynamo, sqs, env);
};
