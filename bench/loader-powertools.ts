import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import type { Context, SQSRecord } from 'aws-lambda';
import { dynamoClient } from '../lib/aws/ports.ts';
import { readMessage } from '../lib/messages/record-message.ts';
import { DYNAMO_MS, TARGET_MS } from './latency-servers.ts';
import type { Loader } from './loader-contract.ts';

/** Its items expire; this is as long as a record of ours may stay unchanged. */
const TEN_YEARS_SEC = 10 * 365 * 24 * 3600;
const INVOCATION_MS = 60_000;
const ANSWER_MS = 15_000;

/**
 * The handler that one would write with Powertools Batch and Idempotency: each record under a key of integration, id
 * and content; a conditional put, the POST, an update. Batch starts all records of a batch at once; our own gate holds
 * it to `concurrency`.
 */
export const powertoolsHandler = ({ concurrency }: { concurrency: number }): Loader => ({
  name: `Powertools Batch + Idempotency, ${concurrency} at a time`,
  tables: ['idempotency:id'],
  idealMs: (records) => Math.ceil(records / concurrency) * (DYNAMO_MS + TARGET_MS + DYNAMO_MS),
  open: async ({ dynamo, target }) => {
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const client = dynamoClient({ endpoint: dynamo, region: 'us-east-1', credentials });
    const processor = new BatchProcessor(EventType.SQS);
    const config = new IdempotencyConfig({
      eventKeyJmesPath: '[integration, id, hash]',
      throwOnNoIdempotencyKey: true,
      expiresAfterSeconds: TEN_YEARS_SEC,
    });
    const persistenceStore = new DynamoDBPersistenceLayer({ tableName: 'idempotency', awsSdkV3Client: client });
    const post = makeIdempotent(
      async ({ integration, id, hash, body }: { integration: string; id: string; hash: string; body: unknown }) => {
        const response = await fetch(new URL('/execute', target), {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': `${integration}:${id}:${hash}` },
          body: JSON.stringify(body),
          signal: AbortSignal.timeout(ANSWER_MS),
        });
        const answer = (await response.json()) as { success?: boolean };
        if (!response.ok || answer.success !== true) throw new Error(`the target answered ${response.status}`);
        return { status: response.status };
      },
      { persistenceStore, config },
    );
    const inTurn = gate(concurrency);
    const recordHandler = async ({ body }: SQSRecord): Promise<void> => {
      const read = readMessage(body);
      if (read.kind === 'unreadable') throw new Error(read.why);
      await inTurn(() => post(read.message));
    };
    return {
      load: async (batch) => {
        const context = invocationContext();
        config.registerLambdaContext(context);
        const event = { Records: batch.map(({ record }) => record) };
        const { batchItemFailures } = await processPartialResponse(event, recordHandler, processor, { context });
        if (batchItemFailures.length > 0) throw new Error(`${batchItemFailures.length} records failed`);
      },
      close: () => client.destroy(),
    };
  },
});

/** Lets so many tasks run at a time. */
const gate = (places: number) => {
  let free = places;
  const waiting: (() => void)[] = [];
  return async (task: () => Promise<unknown>): Promise<void> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      await task();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
};

const invocationContext = (): Context => {
  const endMs = Date.now() + INVOCATION_MS;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: 'load',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:load',
    memoryLimitInMB: '512',
    awsRequestId: 'bench',
    logGroupName: '/aws/lambda/load',
    logStreamName: 'bench',
    getRemainingTimeInMillis: () => endMs - Date.now(),
    done: () => {},
    fail: () => {},
    succeed: () => {},
  };
};
