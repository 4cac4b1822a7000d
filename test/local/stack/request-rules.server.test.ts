import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closeFixtures, dynamoDbClientFor, type Fixture, startFixture, variableOf } from './fixtures/fixture-stack.ts';

// Requests that AWS refuses, and that the rehearsal must refuse, too: by the embedded servers themselves, or by
// local/stack/request-rules.ts. docs/decisions/0003 lists them.
let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(closeFixtures);

const entries = (count: number) => Array.from({ length: count }, (_, n) => ({ Id: String(n), MessageBody: 'x' }));
const handles = (count: number) => Array.from({ length: count }, (_, n) => ({ Id: String(n), ReceiptHandle: 'h' }));

describe('SQS', () => {
  const QueueUrl = () => variableOf(fixture.stack, 'PAIRS_QUEUE_URL');
  const longest = 'x'.repeat(1_048_576);

  test.each([
    [
      'a delay of more than 900 s',
      () => new SendMessageCommand({ QueueUrl: QueueUrl(), MessageBody: 'x', DelaySeconds: 901 }),
    ],
    ['a delay below 0', () => new SendMessageCommand({ QueueUrl: QueueUrl(), MessageBody: 'x', DelaySeconds: -1 })],
    [
      'a delay of more than 900 s in a batch',
      () =>
        new SendMessageBatchCommand({
          QueueUrl: QueueUrl(),
          Entries: [{ Id: '0', MessageBody: 'x', DelaySeconds: 901 }],
        }),
    ],
    ['11 entries', () => new SendMessageBatchCommand({ QueueUrl: QueueUrl(), Entries: entries(11) })],
    ['no entry', () => new SendMessageBatchCommand({ QueueUrl: QueueUrl(), Entries: [] })],
    [
      'an entry id of 81 letters',
      () => new SendMessageBatchCommand({ QueueUrl: QueueUrl(), Entries: [{ Id: 'i'.repeat(81), MessageBody: 'x' }] }),
    ],
    [
      'two entries of one id',
      () => new SendMessageBatchCommand({ QueueUrl: QueueUrl(), Entries: [...entries(1), ...entries(1)] }),
    ],
    ['a body above 1 MiB', () => new SendMessageCommand({ QueueUrl: QueueUrl(), MessageBody: `${longest}x` })],
    [
      'a batch above 1 MiB',
      () =>
        new SendMessageBatchCommand({
          QueueUrl: QueueUrl(),
          Entries: [...entries(1), { Id: 'l', MessageBody: longest }],
        }),
    ],
    ['a character that XML has not', () => new SendMessageCommand({ QueueUrl: QueueUrl(), MessageBody: '\u0001' })],
    [
      'a group of 129 letters',
      () => new SendMessageCommand({ QueueUrl: QueueUrl(), MessageBody: 'x', MessageGroupId: 'g'.repeat(129) }),
    ],
    [
      'a group that is not ASCII',
      () =>
        new SendMessageBatchCommand({
          QueueUrl: QueueUrl(),
          Entries: [{ Id: '0', MessageBody: 'x', MessageGroupId: '组' }],
        }),
    ],
    ['11 handles to delete', () => new DeleteMessageBatchCommand({ QueueUrl: QueueUrl(), Entries: handles(11) })],
    ['11 messages at once', () => new ReceiveMessageCommand({ QueueUrl: QueueUrl(), MaxNumberOfMessages: 11 })],
    ['a long poll of 21 s', () => new ReceiveMessageCommand({ QueueUrl: QueueUrl(), WaitTimeSeconds: 21 })],
    [
      '11 visibilities',
      () =>
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl: QueueUrl(),
          Entries: handles(11).map((entry) => ({ ...entry, VisibilityTimeout: 1 })),
        }),
    ],
  ])('refuses %s', async (_, command) => {
    const send: (command: never) => Promise<unknown> = fixture.sqs.send.bind(fixture.sqs);
    await expect(send(command() as never)).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
  });

  test('takes what is just not too much', async () => {
    const Entries = entries(10).map((entry) => ({ ...entry, Id: entry.Id.padStart(80, '0'), DelaySeconds: 900 }));
    const sent = await fixture.sqs.send(new SendMessageBatchCommand({ QueueUrl: QueueUrl(), Entries }));
    expect(sent.Successful).toHaveLength(10);
  });
});

describe('DynamoDB', () => {
  const TableName = () => variableOf(fixture.stack, 'ITEMS_TABLE');
  const key = (pk: string) => ({ pk: { S: pk } });
  const keys = (count: number) => Array.from({ length: count }, (_, n) => key(String(n)));

  test.each([
    [
      'a reserved word in a condition',
      () =>
        new PutItemCommand({
          TableName: TableName(),
          Item: key('a'),
          ConditionExpression: 'attribute_not_exists(owner)',
        }),
    ],
    [
      'a reserved word in an update',
      () =>
        new UpdateItemCommand({
          TableName: TableName(),
          Key: key('a'),
          UpdateExpression: 'SET ttl = :t',
          ExpressionAttributeValues: { ':t': { N: '1' } },
        }),
    ],
    [
      'a reserved word in a projection',
      () => new GetItemCommand({ TableName: TableName(), Key: key('a'), ProjectionExpression: 'status' }),
    ],
    [
      'a value that no expression uses',
      () =>
        new QueryCommand({
          TableName: TableName(),
          KeyConditionExpression: 'pk = :p',
          ExpressionAttributeValues: { ':p': { S: 'a' }, ':unused': { S: 'b' } },
        }),
    ],
    ['a key above 2,048 bytes', () => new PutItemCommand({ TableName: TableName(), Item: key('k'.repeat(2_049)) })],
    ['an empty key', () => new PutItemCommand({ TableName: TableName(), Item: key('') })],
    [
      'an item above 400 KB',
      () => new PutItemCommand({ TableName: TableName(), Item: { ...key('a'), text: { S: 'x'.repeat(409_600) } } }),
    ],
    ['101 keys to read', () => new BatchGetItemCommand({ RequestItems: { [TableName()]: { Keys: keys(101) } } })],
    [
      'one key twice in a batch',
      () => new BatchGetItemCommand({ RequestItems: { [TableName()]: { Keys: [key('a'), key('a')] } } }),
    ],
    [
      '26 items to write',
      () =>
        new BatchWriteItemCommand({
          RequestItems: { [TableName()]: keys(26).map((Item) => ({ PutRequest: { Item } })) },
        }),
    ],
  ])('refuses %s', async (_, command) => {
    const client = dynamoDbClientFor(fixture.stack);
    const send: (command: never) => Promise<unknown> = client.send.bind(client);
    await expect(send(command() as never)).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
    client.destroy();
  });
});
