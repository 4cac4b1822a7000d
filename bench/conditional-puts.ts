import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { isConditionFailed, number, text } from '../lib/aws/dynamodb/table.ts';
import { mapBounded } from '../lib/runtime/bounded.ts';

const CONCURRENCY = 16;
const NEW_OR_CHANGED = 'attribute_not_exists(pk) OR #hash <> :hash';

/** The usual way to find what is new or changed: one conditional put for each record. Gives how many there are. */
export const putEach = async (
  client: DynamoDBClient,
  table: string,
  records: readonly { id: string; hash: string }[],
): Promise<number> => {
  const written = await mapBounded(records, CONCURRENCY, async ({ id, hash }) => {
    const Item = { pk: text(`puts#${id.at(-1)}`), sk: text(id), hash: text(hash), atMs: number(Date.now()) };
    try {
      await client.send(
        new PutItemCommand({
          TableName: table,
          Item,
          ConditionExpression: NEW_OR_CHANGED,
          ExpressionAttributeNames: { '#hash': 'hash' },
          ExpressionAttributeValues: { ':hash': text(hash) },
        }),
      );
      return true;
    } catch (error) {
      if (isConditionFailed(error)) return false;
      throw error;
    }
  });
  return written.filter(Boolean).length;
};
