import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { dynamoTokenStore } from '../../lib/aws/dynamodb/connections.ts';
import { MalformedItemError } from '../../lib/aws/dynamodb/table.ts';
import { startDynamo } from '../contracts/embedded-dynamodb.ts';

const dynamo = await startDynamo();

describe('tokens in DynamoDB', () => {
  it('names the item that is not one of its own, and not what it holds', async () => {
    const table = await dynamo.createTable();
    const Item = { pk: { S: 'token#okki' }, sk: { S: 'token' }, obtainedAtMs: { N: '1' }, accessToken: { N: '777' } };
    await dynamo.client.send(new PutItemCommand({ TableName: table.TableName, Item }));
    const reading = dynamoTokenStore(table).read('okki');
    await expect(reading).rejects.toThrow(MalformedItemError);
    await expect(reading).rejects.toThrow(/token#okki/);
    await expect(reading).rejects.not.toThrow(/777/);
  });
});
