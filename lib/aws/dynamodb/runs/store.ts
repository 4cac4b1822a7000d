import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { RunStore, Watermarks } from '../../../runs/store.ts';
import { dynamoLeases } from './leases.ts';
import { dynamoLedger } from './ledger.ts';
import { dynamoRuns } from './runs.ts';
import { dynamoWatermarks } from './watermarks.ts';

const DAY_SEC = 24 * 60 * 60;

/**
 * Runs, ledgers and leases in one DynamoDB table with keys `pk` and `sk`:
 *
 *     NAME           lease           who runs it now; kept for ever
 *     NAME           run#RUN         the run's record as JSON, its use of the target beside it
 *     NAME           watermark       up to where an incremental list is loaded; kept for ever
 *     NAME#RUN       chunk#000001    entries and memory, packed
 *
 * Runs and chunks leave by TTL (`expiresAtSec`) `retentionDays` after their start; who starts a run decides it.
 */
export const dynamoRunStore = (
  client: DynamoDBClient,
  TableName: string,
  retentionDays = 90,
): RunStore & Watermarks => {
  const table = { client, TableName };
  const expiresAtSec = (startMs: number) => Math.floor(startMs / 1000) + retentionDays * DAY_SEC;
  return {
    ...dynamoLeases(table),
    ...dynamoRuns(table, expiresAtSec),
    ...dynamoLedger(table, expiresAtSec),
    ...dynamoWatermarks(table),
  };
};
