import { createRequire } from 'node:module';
import { CreateTableCommand, DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, expect, test } from 'vitest';
import { deployTables, startDynamoDbServer } from '../../../local/stack/dynamodb-server.ts';
import { createGate } from '../../../local/stack/gate.ts';
import { closeFixtures, freshDir } from './fixtures/fixture-stack.ts';

afterEach(closeFixtures);

const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
const query = new QueryCommand({
  TableName: 'rows',
  KeyConditionExpression: 'pk = :pk',
  ExpressionAttributeValues: { ':pk': { S: 'all' } },
});

// dynalite throws beside every caller where its database is closed under a request: the run of the tests would fail.
test('closes after the last request is answered, whether or not somebody still waits for it', async () => {
  for (let waitMs = 1; waitMs <= 10; waitMs++) {
    const server = await startDynamoDbServer(freshDir(), createGate(credentials).doors);
    const client = new DynamoDBClient({ endpoint: server.endpoint, region: 'local', credentials, maxAttempts: 1 });
    await client.send(
      new CreateTableCommand({
        TableName: 'rows',
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'S' },
        ],
      }),
    );
    const put = (sk: string) =>
      client.send(new PutItemCommand({ TableName: 'rows', Item: { pk: { S: 'all' }, sk: { S: sk } } }));
    await expect.poll(() => put('first')).toBeDefined();
    await Promise.all(Array.from({ length: 60 }, (_, n) => put(String(n))));
    const asked = Promise.allSettled(Array.from({ length: 30 }, () => client.send(query)));
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    if (waitMs % 2 === 0) client.destroy();
    await server.close();
    await asked;
    client.destroy();
  }
});

test('a table that a killed process was creating is created by the next start', async () => {
  const dir = freshDir();
  type Level = { open(): Promise<void>; put(key: string, value: object): Promise<void>; close(): Promise<void> };
  const { create } = createRequire(import.meta.url)('dynalite/db') as { create(of: { path: string }): { db: Level } };
  const { db } = create({ path: dir });
  await db.open();
  await db.put('table~rows', {
    TableName: 'rows',
    TableStatus: 'CREATING',
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  });
  await db.close();
  const server = await startDynamoDbServer(dir, createGate(credentials).doors);
  const client = new DynamoDBClient({ endpoint: server.endpoint, region: 'local', credentials, maxAttempts: 1 });
  const rows = {
    logicalId: 'Rows',
    name: 'rows',
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' as const }],
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' as const }],
  };
  await deployTables(client, [rows]);
  await client.send(new PutItemCommand({ TableName: 'rows', Item: { pk: { S: 'all' } } }));
  client.destroy();
  await server.close();
});
