import type { SQSBatchResponse } from 'aws-lambda';
import { isQueueEvent, readFetchEvent } from '../lib/run/fetch-event.ts';
import { type FetchEnd, fetchRun } from '../lib/run/fetch-run.ts';
import { lambdaHandler } from '../lib/runtime/handler.ts';
import { openFetch } from '../lib/runtime/open-fetch.ts';

/**
 * Starts, resumes or continues runs: for a schedule's event, or for word on the runs queue. What fails is thrown: the
 * queue's batch is one message, so the whole batch is what failed.
 */
export const handler = lambdaHandler(async (event, remainingMs): Promise<FetchEnd[] | SQSBatchResponse> => {
  const requests = readFetchEvent(event);
  const { deps, open } = openFetch();
  const ends: FetchEnd[] = [];
  for (const request of requests) {
    ends.push(await fetchRun(request, open(request.integration), deps, remainingMs));
  }
  return isQueueEvent(event) ? { batchItemFailures: [] } : ends;
});
