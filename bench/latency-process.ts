// An embedded DynamoDB and a target on loopback, each answering no sooner than its injected latency. A process of its
// own, so that their CPU time does not count for what is measured. Started by latency-servers.ts.
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { askingForCapacity, billedFor } from './capacity.ts';
import { afterLatency, listen, startForwarder, textOf } from './forwarder.ts';
import type { Counts, Order } from './latency-servers.ts';

const [dynamoMs, targetMs, ...tables] = process.argv.slice(2);
const dynalite = createRequire(import.meta.url)('dynalite') as (options: { createTableMs: number }) => Server;

const TARGET_ANSWER = '{"success":true,"code":0}';

let counts: Counts = { posts: 0, reads: 0, writes: 0, readUnits: 0, writeUnits: 0 };

const count = ({ target, answer }: { target: string; answer: string }): void => {
  const { kind, units } = billedFor(target, answer);
  counts[kind === 'read' ? 'reads' : 'writes'] += 1;
  counts[kind === 'read' ? 'readUnits' : 'writeUnits'] += units;
};

const store = await listen(dynalite({ createTableMs: 0 }));
const dynamo = await startForwarder({ latencyMs: Number(dynamoMs), prepare: askingForCapacity, onExchange: count });
dynamo.to(store);
const target = await listen(
  createServer(async (incoming, response) => {
    const beganMs = performance.now();
    await textOf(incoming);
    counts.posts += 1;
    afterLatency(beganMs, Number(targetMs), () => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': TARGET_ANSWER.length });
      response.end(TARGET_ANSWER);
    });
  }),
);

const client = new DynamoDBClient({
  endpoint: store,
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
});
const keyed = (TableName: string, keys: readonly string[]) => ({
  TableName,
  BillingMode: 'PAY_PER_REQUEST' as const,
  AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
  KeySchema: keys.map((AttributeName, index) => ({
    AttributeName,
    KeyType: index === 0 ? ('HASH' as const) : ('RANGE' as const),
  })),
});
for (const table of tables) {
  const [name = '', ...keys] = table.split(':');
  await client.send(new CreateTableCommand(keyed(name, keys)));
  const status = async () => (await client.send(new DescribeTableCommand({ TableName: name }))).Table?.TableStatus;
  while ((await status()) !== 'ACTIVE');
}
client.destroy();

process.on('message', (order: Order) => {
  process.send?.({ counts });
  if (order === 'reset') counts = { posts: 0, reads: 0, writes: 0, readUnits: 0, writeUnits: 0 };
});
// Whoever measures may end before it closes us.
process.on('disconnect', () => process.exit());
process.send?.({ dynamo: dynamo.url, target });
