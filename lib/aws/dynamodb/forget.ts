import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { mapBounded } from '../../runtime/bounded.ts';
import { idCheckPartitions } from './id-store.ts';
import { chunkPartition } from './ledger.ts';
import { type Item, queryPages, type Table, text } from './table.ts';

const DELETE_CONCURRENCY = 16;
const AUDIT = 'audit#';
const RUN = 'run#';

/**
 * Deletes what is known of an integration: its idCheck items, runs, ledgers, lease and watermark. Its audit log stays.
 * Nothing may work on the integration meanwhile.
 */
export const forgetIntegration = async (
  integration: string,
  { idCheck, runs }: { idCheck: Table; runs: Table },
): Promise<void> => {
  for (const partition of idCheckPartitions(integration)) await deleteItems(idCheck, partition);
  // A run's ledger first: without the run nobody would find it.
  for await (const page of partitionPages(runs, integration)) {
    for (const { sk } of page) {
      const runId = sk?.S?.startsWith(RUN) ? sk.S.slice(RUN.length) : undefined;
      if (runId !== undefined) await deleteItems(runs, chunkPartition(integration, runId));
    }
  }
  await deleteItems(runs, integration, ({ sk }) => !sk?.S?.startsWith(AUDIT));
};

const partitionPages = (table: Table, partition: string): AsyncGenerator<Item[]> =>
  queryPages(table, {
    ConsistentRead: true,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': text(partition) },
    ProjectionExpression: 'pk, sk',
  });

const deleteItems = async (
  table: Table,
  partition: string,
  isMeant: (item: Item) => boolean = () => true,
): Promise<void> => {
  const { client, TableName } = table;
  for await (const page of partitionPages(table, partition)) {
    await mapBounded(page.filter(isMeant), DELETE_CONCURRENCY, (Key) =>
      client.send(new DeleteItemCommand({ TableName, Key })),
    );
  }
};
