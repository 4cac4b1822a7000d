import type { SQSBatchResponse } from 'aws-lambda';
import { lambdaHandler } from '../lib/aws/lambda/handler.ts';
import { dynamoClient, runRequestsOf, sqsClient } from '../lib/aws/ports.ts';
import { flowStores } from '../lib/aws/stores.ts';
import { functionLog } from '../lib/aws/telemetry/function-log.ts';
import type { FetchEnd } from '../lib/fetch/fetch-run.ts';
import { dispatchFlow, fetchFlow, openSources } from '../lib/flows/flows.ts';
import { openCatalog } from '../lib/integration/catalog.ts';
import { isDispatchEvent, isQueueEvent, readFetchEvent } from '../lib/messages/run-request.ts';
import { once } from '../lib/runtime/once.ts';
import { systemRuntime } from '../lib/stores/stores.ts';

/** Opened once per execution environment, with the stores that this function may use (serverless/roles.yml). */
const opened = once(() => {
  const { env } = process;
  const sqs = sqsClient();
  const stores = { ...flowStores(dynamoClient(), sqs, env), runRequests: runRequestsOf(sqs, env) };
  const runtime = systemRuntime(env, functionLog);
  const catalog = openCatalog(env);
  return {
    catalog,
    fetchRun: fetchFlow(stores, openSources(catalog, stores, runtime), runtime),
    dispatch: dispatchFlow(stores, runtime),
  };
});

/**
 * Starts, resumes or continues runs: for a schedule's event, or for word on the runs queue. For the tick's event it sends
 * what waits in ledgers. What fails is thrown: the
 * queue's batch is one message, so the whole batch is what failed.
 */
export const handler = lambdaHandler(
  async (event, remainingMs): Promise<FetchEnd[] | SQSBatchResponse | { left: number }> => {
    const { catalog, fetchRun, dispatch } = opened();
    if (isDispatchEvent(event)) return dispatch(await catalog.all(), remainingMs);
    const requests = readFetchEvent(event);
    const ends: FetchEnd[] = [];
    for (const request of requests) ends.push(await fetchRun(request, remainingMs));
    return isQueueEvent(event) ? { batchItemFailures: [] } : ends;
  },
);
