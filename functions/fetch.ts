import type { SQSBatchResponse } from 'aws-lambda';
import { lambdaHandler } from '../lib/aws/lambda/handler.ts';
import { dynamoClient, runRequestsOf, sqsClient } from '../lib/aws/ports.ts';
import { flowStores } from '../lib/aws/stores.ts';
import { functionLog } from '../lib/aws/telemetry/function-log.ts';
import type { FetchEnd } from '../lib/fetch/fetch-run.ts';
import { fetchFlow, openSources } from '../lib/flows/flows.ts';
import { openCatalog } from '../lib/integration/catalog.ts';
import { isQueueEvent, readFetchEvent } from '../lib/messages/run-request.ts';
import { once } from '../lib/runtime/once.ts';
import { systemRuntime } from '../lib/stores/stores.ts';

/** Opened once per execution environment, with the stores that this function may use (serverless/roles.yml). */
const opened = once(() => {
  const { env } = process;
  const sqs = sqsClient();
  const stores = { ...flowStores(dynamoClient(), sqs, env), runRequests: runRequestsOf(sqs, env) };
  const runtime = systemRuntime(env, functionLog);
  return fetchFlow(stores, openSources(openCatalog(env), stores, runtime), runtime);
});

/**
 * Starts, resumes or continues runs: for a schedule's event, or for word on the runs queue. What fails is thrown: the
 * queue's batch is one message, so the whole batch is what failed.
 */
export const handler = lambdaHandler(async (event, remainingMs): Promise<FetchEnd[] | SQSBatchResponse> => {
  const requests = readFetchEvent(event);
  const fetchRun = opened();
  const ends: FetchEnd[] = [];
  for (const request of requests) ends.push(await fetchRun(request, remainingMs));
  return isQueueEvent(event) ? { batchItemFailures: [] } : ends;
});
