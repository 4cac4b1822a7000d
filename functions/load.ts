import type { SQSBatchResponse } from 'aws-lambda';
import { lambdaHandler } from '../lib/aws/lambda/handler.ts';
import { openLoad } from '../lib/aws/lambda/open-load.ts';
import { loadBatch } from '../lib/load/load-batch.ts';
import { readLoadEvent } from '../lib/load/load-event.ts';

/** Loads a batch of records and names the deliveries that must come again (ReportBatchItemFailures). */
export const handler = lambdaHandler(async (event, remainingMs): Promise<SQSBatchResponse> => {
  const { failedMessageIds } = await loadBatch(readLoadEvent(event), openLoad(), remainingMs);
  return { batchItemFailures: failedMessageIds.map((itemIdentifier) => ({ itemIdentifier })) };
});
