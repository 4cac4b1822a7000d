import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { type Item, isConditionFailed } from '../attributes.ts';

/** The runs table as its items are reached. */
export type RunsTable = { client: DynamoDBClient; TableName: string };

/** An item's key, for people. */
export const keyName = (item: Item): string => `${item.pk?.S} ${item.sk?.S}`;

/** Reads one item, strongly consistent. */
export const getItem = async ({ client, TableName }: RunsTable, Key: Item): Promise<Item | undefined> =>
  (await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }))).Item;

/** Whether a conditional write went through. */
export const succeeds = async (write: Promise<unknown>): Promise<boolean> => {
  try {
    await write;
    return true;
  } catch (error) {
    if (isConditionFailed(error)) return false;
    throw error;
  }
};
