import { type DynamoDBClient, GetItemCommand, QueryCommand, type QueryCommandInput } from '@aws-sdk/client-dynamodb';
import { type Item, isConditionFailed } from './attributes.ts';

/** A table with keys `pk` and `sk`, as all adapters reach theirs. */
export type Table = { client: DynamoDBClient; TableName: string };

/** An item's key, for people. */
export const keyName = (item: Item): string => `${item.pk?.S} ${item.sk?.S}`;

/** Reads one item, strongly consistent. */
export const getItem = async ({ client, TableName }: Table, Key: Item): Promise<Item | undefined> =>
  (await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }))).Item;

/** All items of a query, page by page: DynamoDB ends a page at 1 MB, or at the query's `Limit`. Empty pages are left out. */
export async function* queryPages(
  { client, TableName }: Table,
  query: Omit<QueryCommandInput, 'TableName' | 'ExclusiveStartKey'>,
): AsyncGenerator<Item[]> {
  let startKey: Item | undefined;
  do {
    const answer = await client.send(new QueryCommand({ ...query, TableName, ExclusiveStartKey: startKey }));
    if (answer.Items && answer.Items.length > 0) yield answer.Items;
    startKey = answer.LastEvaluatedKey;
  } while (startKey);
}

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
