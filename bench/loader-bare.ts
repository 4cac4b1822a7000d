import { BatchGetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { dynamoClient } from '../lib/aws/ports.ts';
import { mapBounded } from '../lib/runtime/bounded.ts';
import { DYNAMO_MS, TARGET_MS } from './latency-servers.ts';
import type { Loader } from './loader-contract.ts';

/**
 * The calls of the critical path and nothing else. It shows what this machine, the SDK and the servers take for them;
 * what deciding, mapping and accounting add comes on top.
 */
export const bareCalls = ({ concurrency }: { concurrency: number }): Loader => ({
  name: `the bare calls, ${concurrency} at a time`,
  tables: ['idcheck:pk:sk', 'runs:pk:sk'],
  idealMs: (records) => DYNAMO_MS * 2 + Math.ceil(records / concurrency) * (DYNAMO_MS + TARGET_MS + DYNAMO_MS),
  open: async ({ dynamo, target }) => {
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const client = dynamoClient({ endpoint: dynamo, region: 'us-east-1', credentials });
    const keyOf = (id: string) => ({ pk: { S: `bench#${id.at(-1)}` }, sk: { S: id } });
    const write = (id: string, content: string) =>
      client.send(new PutItemCommand({ TableName: 'idcheck', Item: { ...keyOf(id), content: { S: content } } }));
    return {
      load: async (batch) => {
        const Keys = batch.map(({ message: { id } }) => keyOf(id));
        await client.send(new BatchGetItemCommand({ RequestItems: { idcheck: { Keys, ConsistentRead: true } } }));
        await mapBounded(batch, concurrency, async ({ message: { id, body } }) => {
          await write(id, 'claimed');
          const headers = { 'content-type': 'application/json' };
          const posted = await fetch(new URL('/execute', target), {
            method: 'POST',
            headers,
            body: JSON.stringify(body),
          });
          await posted.arrayBuffer();
          await write(id, 'loaded');
        });
        await client.send(
          new UpdateItemCommand({
            TableName: 'runs',
            Key: { pk: { S: 'bench' }, sk: { S: 'run' } },
            UpdateExpression: 'ADD requests :requests',
            ExpressionAttributeValues: { ':requests': { N: String(batch.length) } },
          }),
        );
      },
      close: () => client.destroy(),
    };
  },
});
