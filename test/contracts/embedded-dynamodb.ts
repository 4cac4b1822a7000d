import { once } from 'node:events';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { CreateTableCommand, DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll } from 'vitest';
import type { Table } from '../../lib/aws/dynamodb/table.ts';
import { dynamoClient } from '../../lib/aws/ports.ts';

// dynalite brings no types.
const dynalite = createRequire(import.meta.url)('dynalite') as (options: { createTableMs: number }) => Server;

/** DynamoDB in this process, in memory, on a free port of the loopback interface, until the calling file's tests end. */
export const startDynamo = async (): Promise<{ client: DynamoDBClient; createTable(): Promise<Table> }> => {
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = dynamoClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    // The server lives in this process: a connection that takes a busy event loop seconds is not lost.
    requestHandler: { connectionTimeout: 20_000, requestTimeout: 20_000, throwOnRequestTimeout: true },
  });
  afterAll(async () => {
    client.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  let tables = 0;
  return {
    client,
    createTable: async () => {
      const TableName = `table-${++tables}`;
      await client.send(
        new CreateTableCommand({
          TableName,
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
      // With `createTableMs: 0` the table is still active only a turn of the event loop after the answer.
      const status = async () => {
        const { Table } = await client.send(new DescribeTableCommand({ TableName }));
        return Table?.TableStatus;
      };
      while ((await status()) !== 'ACTIVE');
      return { client, TableName };
    },
  };
};
