// A process of its own, so that the CPU time of what is measured is nobody else's: an embedded DynamoDB and a target on
// loopback, each answering no sooner than its injected latency. Started by latency-servers.ts.
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Counts, Order } from './latency-servers.ts';

const [dynamoMs, targetMs, ...tables] = process.argv.slice(2);
const dynalite = createRequire(import.meta.url)('dynalite') as (options: { createTableMs: number }) => Server;

let counts: Counts = { posts: 0, reads: 0, writes: 0, readUnits: 0, writeUnits: 0 };

const listen = async (server: Server): Promise<string> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const textOf = async (incoming: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
};

/** Sends an answer when it is ready, and no sooner than `latencyMs` after its request came. */
const answerAfter = (
  beganMs: number,
  latencyMs: number,
  response: ServerResponse,
  body: string,
  status = 200,
): void => {
  const send = () => {
    response.writeHead(status, {
      'content-type': 'application/x-amz-json-1.0',
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  };
  const leftMs = beganMs + latencyMs - performance.now();
  if (leftMs <= 0) send();
  else setTimeout(send, leftMs);
};

const READS = /\.(GetItem|BatchGetItem|Query)$/;
type Capacity = { CapacityUnits?: number };

const count = (operation: string, answer: string): void => {
  const isRead = READS.test(operation);
  const { ConsumedCapacity } = JSON.parse(answer) as { ConsumedCapacity?: Capacity | Capacity[] };
  const units = [ConsumedCapacity ?? []].flat().reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0);
  counts[isRead ? 'reads' : 'writes'] += 1;
  counts[isRead ? 'readUnits' : 'writeUnits'] += units;
};

const store = await listen(dynalite({ createTableMs: 0 }));
const dynamo = await listen(
  createServer(async (incoming, response) => {
    const beganMs = performance.now();
    const operation = String(incoming.headers['x-amz-target']);
    const body = JSON.stringify({ ...JSON.parse(await textOf(incoming)), ReturnConsumedCapacity: 'TOTAL' });
    const { host: _host, 'content-length': _length, ...headers } = incoming.headers;
    const passed = request(store, {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    });
    passed.end(body);
    const [answer] = (await once(passed, 'response')) as [IncomingMessage];
    const text = await textOf(answer);
    count(operation, text);
    answerAfter(beganMs, Number(dynamoMs), response, text, answer.statusCode);
  }),
);
const target = await listen(
  createServer(async (incoming, response) => {
    const beganMs = performance.now();
    await textOf(incoming);
    counts.posts += 1;
    answerAfter(beganMs, Number(targetMs), response, '{"success":true,"code":0}');
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
process.send?.({ dynamo, target });
