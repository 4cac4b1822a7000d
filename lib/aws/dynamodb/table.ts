import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  type QueryCommandInput,
} from '@aws-sdk/client-dynamodb';

export type Item = Record<string, AttributeValue>;

/** A stored item is not what this program writes: made by hand, or by a newer version. */
export class MalformedItemError extends Error {
  override readonly name = 'MalformedItemError';
  readonly code = 'malformed-item';

  constructor(key: string, fault: string, options?: ErrorOptions) {
    super(`item ${key} is malformed: ${fault}`, options);
  }
}

/** Reads attributes with their types; throws `MalformedItemError` with the item's key where one is not as expected. */
export type ItemReader = {
  has(name: string): boolean;
  text(name: string): string;
  number(name: string): number;
  bytes(name: string): Uint8Array;
  /** A nested map, or undefined where there is none. */
  map(name: string): ItemReader | undefined;
};

/** `key` names the item in errors. */
export const readItem = (item: Item, key: string): ItemReader => {
  const fault = (name: string, expected: string) => new MalformedItemError(key, `${name} must be ${expected}`);
  return {
    has: (name) => item[name] !== undefined,
    text: (name) => {
      const value = item[name]?.S;
      if (value === undefined) throw fault(name, 'a string');
      return value;
    },
    number: (name) => {
      const value = item[name]?.N;
      if (value === undefined) throw fault(name, 'a number');
      return Number(value);
    },
    bytes: (name) => {
      const value = item[name]?.B;
      if (value === undefined) throw fault(name, 'binary');
      return value;
    },
    map: (name) => {
      const value = item[name];
      if (value === undefined) return undefined;
      if (value.M === undefined) throw fault(name, 'a map');
      return readItem(value.M, `${key} ${name}`);
    },
  };
};

export const text = (value: string): AttributeValue => ({ S: value });
export const number = (value: number): AttributeValue => ({ N: String(value) });

/** Whether a conditional write was refused because its condition did not hold. */
export const isConditionFailed = (error: unknown): error is ConditionalCheckFailedException =>
  error instanceof ConditionalCheckFailedException;

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

/**
 * Reads several paged lists at once, at most `concurrency` of them, and gives their pages as they come. Each list is
 * at most one page ahead of the consumer. The first failure is thrown; leaving early closes the lists.
 */
export async function* mergePages<Page>(
  lists: readonly (() => AsyncGenerator<Page>)[],
  concurrency: number,
): AsyncGenerator<Page> {
  type Arrival = { list: AsyncGenerator<Page>; result: IteratorResult<Page> };
  const waiting = lists.values();
  const open = new Map<AsyncGenerator<Page>, Promise<Arrival>>();
  const readOn = (list: AsyncGenerator<Page>) => {
    const arrival = list.next().then((result) => ({ list, result }));
    // Two lists can fail at once, and only the first failure is awaited.
    arrival.catch(() => {});
    open.set(list, arrival);
  };
  const openNext = () => {
    const { value: start } = waiting.next();
    if (start) readOn(start());
  };
  for (let opened = 0; opened < concurrency; opened++) openNext();
  try {
    while (open.size > 0) {
      const { list, result } = await Promise.race(open.values());
      if (result.done) {
        open.delete(list);
        openNext();
      } else {
        readOn(list);
        yield result.value;
      }
    }
  } finally {
    for (const list of open.keys()) list.return(undefined).catch(() => {});
  }
}
