import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { stateName } from '../../idcheck/item.ts';
import { forgottenEnds, noEnds } from '../../runs/ends.ts';
import { mapBounded } from '../../runtime/bounded.ts';
import { dynamoEnds } from './ends.ts';
import { idCheckPartitions } from './id-store.ts';
import { chunkPartition } from './ledger.ts';
import { type Item, queryPages, type Table, text } from './table.ts';

const DELETE_CONCURRENCY = 16;
const AUDIT = 'audit#';
const RUN = 'run#';
const ENDS = 'ends';

/**
 * Deletes what is known of an integration: its idCheck items, runs, ledgers and lease. Its audit log stays, and so does
 * whose generation it was: messages under way are of one that has ended. Nothing may work on the integration meanwhile.
 */
export const forgetIntegration = async (
  integration: string,
  { idCheck, runs }: { idCheck: Table; runs: Table },
): Promise<void> => {
  const store = dynamoEnds(runs);
  const ends = (await store.ends(integration)) ?? noEnds();
  // First, and at once: whatever breaks after it, nothing is known any more.
  if ((await store.saveEnds(integration, forgottenEnds(ends))) === 'conflict') {
    throw new Error(`the state of ${integration} is being changed by another; try again`);
  }
  for (let generation = 0; generation <= ends.generation; generation++) {
    for (const partition of idCheckPartitions(stateName(integration, generation))) {
      await deleteItems(idCheck, partition);
    }
  }
  // A run's ledger first: without the run nobody would find it.
  for await (const page of partitionPages(runs, integration)) {
    for (const { sk } of page) {
      const runId = sk?.S?.startsWith(RUN) ? sk.S.slice(RUN.length) : undefined;
      if (runId !== undefined) await deleteItems(runs, chunkPartition(integration, runId));
    }
  }
  await deleteItems(runs, integration, ({ sk }) => !sk?.S?.startsWith(AUDIT) && sk?.S !== ENDS);
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
