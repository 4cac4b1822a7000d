import type { SQSBatchResponse } from 'aws-lambda';
import { lambdaHandler } from '../lib/aws/lambda/handler.ts';
import { openFetch } from '../lib/aws/lambda/open-fetch.ts';
import { type FetchEnd, fetchRun } from '../lib/fetch/fetch-run.ts';
import { isQueueEvent, readFetchEvent } from '../lib/messages/run-request.ts';

/**
 * Starts, resumes or continues runs: for a schedule's event, or for word on the runs queue. What fails is thrown: the
 * queue's batch is one message, so the whole batch is what failed.
 */
export const handler = lambdaHandler(async (event, remainingMs): Promise<FetchEnd[] | SQSBatchResponse> => {
  const requests = readFetchEvent(event);
  const { deps, open } = openFetch();
  const ends: FetchEnd[] = [];
  for (const request of requests) {
    ends.push(await fetchRun(request, await open(request.integration), deps, remainingMs));
  }
  return isQueueEvent(event) ? { batchItemFailures: [] } : ends;
});
