import type { SQSBatchResponse } from 'aws-lambda';
import { lambdaHandler } from '../lib/aws/lambda/handler.ts';
import { dynamoClient, sqsClient } from '../lib/aws/ports.ts';
import { flowStores } from '../lib/aws/stores.ts';
import { functionLog } from '../lib/aws/telemetry/function-log.ts';
import { loadFlow, openTargets } from '../lib/flows/flows.ts';
import { openCatalog } from '../lib/integration/catalog.ts';
import { readLoadEvent } from '../lib/load/deliveries.ts';
import { once } from '../lib/runtime/once.ts';
import { systemRuntime } from '../lib/stores/stores.ts';

/** Opened once per execution environment, with the stores that this function may use (serverless/roles.yml). */
const opened = once(() => {
  const { env } = process;
  const stores = flowStores(dynamoClient(), sqsClient(), env);
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
