import type { SQSBatchResponse } from 'aws-lambda';
import { lambdaHandler } from '../lib/aws/lambda/handler.ts';
import {
  deadLettersOf,
  dynamoClient,
  healthOf,
  idStoreOf,
  limiterOf,
  recordsOf,
  runsOf,
  sqsClient,
  tokensOf,
} from '../lib/aws/ports.ts';
import { awsSecretStore } from '../lib/aws/secrets/secret-store.ts';
import { functionLog } from '../lib/aws/telemetry/function-log.ts';
import { loadFlow, openTargets } from '../lib/flows/load.ts';
import { openCatalog } from '../lib/integration/catalog.ts';
import { readLoadEvent } from '../lib/load/deliveries.ts';
import { once } from '../lib/runtime/once.ts';
import { systemRuntime } from '../lib/stores/stores.ts';

/** Opened once per execution environment, with the stores that this function may use (serverless/roles.yml). */
const opened = once(() => {
  const { env } = process;
  const dynamo = dynamoClient();
  const sqs = sqsClient();
  const stores = {
    idStore: idStoreOf(dynamo, env),
    runs: runsOf(dynamo, env),
    limiter: limiterOf(dynamo, env),
    health: healthOf(dynamo, env),
    tokens: tokensOf(dynamo, env),
    secrets: awsSecretStore,
    records: recordsOf(sqs, env),
    deadLetters: deadLettersOf(sqs, env),
  };
  const runtime = systemRuntime(env, functionLog);
  return loadFlow(stores, openTargets(openCatalog(env), stores, runtime), runtime);
});

/** Loads a batch of records and names the deliveries that must come again (ReportBatchItemFailures). */
export const handler = lambdaHandler(async (event, remainingMs): Promise<SQSBatchResponse> => {
  const deliveries = readLoadEvent(event);
  const loadBatch = opened();
  const { failedMessageIds } = await loadBatch(deliveries, remainingMs);
  return { batchItemFailures: failedMessageIds.map((itemIdentifier) => ({ itemIdentifier })) };
});
