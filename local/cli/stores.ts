import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { ReadableQueue } from '../../lib/dispatch/queue.ts';
import { sqsQueue } from '../../lib/dispatch/sqs-queue.ts';
import { dynamoIdStore } from '../../lib/idcheck/dynamodb-store.ts';
import type { IdStore } from '../../lib/idcheck/store.ts';
import { resource } from '../../lib/lambda/environment.ts';
import type { AuditLog } from '../../lib/replay/audit.ts';
import { dynamoAuditLog } from '../../lib/replay/dynamodb-audit.ts';
import { dynamoRunStore } from '../../lib/run/dynamodb/store.ts';
import type { RunStore, Watermarks } from '../../lib/run/store.ts';
import { dynamoClient, sqsClient } from '../../lib/runtime/aws.ts';

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

/** All that a queue holds, as it estimates. */
export const messagesIn = ({ visible, inFlight, delayed }: Awaited<ReturnType<ReadableQueue['depth']>>): number =>
  visible + inFlight + delayed;

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
