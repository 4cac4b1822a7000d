import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { loadBatch } from '../lib/load/load-batch.ts';
import { lambdaHandler } from '../lib/runtime/handler.ts';
import { openLoad } from '../lib/runtime/open-load.ts';

/** Loads a batch of records and names the deliveries that must come again (ReportBatchItemFailures). */
export const handler = lambdaHandler(async (event, remainingMs): Promise<SQSBatchResponse> => {
  const deliveries = (event as SQSEvent).Records.map(({ messageId, body }) => ({ messageId, body }));
  const { failedMessageIds } = await loadBatch(deliveries, openLoad(), remainingMs);
  return { batchItemFailures: failedMessageIds.map((itemIdentifier) => ({ itemIdentifier })) };
});
