import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { parsedOrUndefined } from '../../lib/json/json.ts';
import type { DataDir } from './data-dir.ts';
import type { TableSpec } from './declared-resources.ts';
import { DataDirUnreadableError } from './errors.ts';

// LevelDB opens a log that was cut, overwritten or emptied as if it had always been so. Records that were loaded would
// then be sent again, without a word. So a number is counted up in the tables, and after each step in a file beside
// them. Tables with a lower number than the file have lost what was written since.

const EVERY_MS = 1_000;
const Key = { pk: { S: 'mark' } };

/** A table for the mark alone. */
export const markTable: TableSpec = {
  logicalId: 'StateMark',
  name: 'okki-sync-state-mark',
  AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
};

type Mark = { count: number; at: string };

const readFile = (file: string): Mark | undefined => {
  try {
    const { count, at } = (parsedOrUndefined(readFileSync(file, 'utf8')) ?? {}) as Partial<Mark>;
    return typeof count === 'number' && typeof at === 'string' ? { count, at } : undefined;
  } catch {
    return undefined;
  }
};

/** Whole or not at all, and on the disk when it returns. */
const writeFile = (file: string, mark: Mark): void => {
  const written = openSync(`${file}.new`, 'w');
  writeSync(written, JSON.stringify(mark));
  fsyncSync(written);
  closeSync(written);
  renameSync(`${file}.new`, file);
};

/**
 * Compares the tables with the file beside them, and keeps both counting while they are in use; `stop` counts once
 * more. `hasLost`: LevelDB dropped records when it opened. Throws DataDirUnreadableError where the tables have lost
 * something.
 */
export const watchState = async (
  dir: DataDir,
  client: DynamoDBClient,
  hasLost: boolean,
): Promise<{ stop(): Promise<void> }> => {
  const file = dir.tablesMark;
  const { Item } = await client.send(new GetItemCommand({ TableName: markTable.name, Key, ConsistentRead: true }));
  // Written to the file, so that the next start reports it, too: LevelDB reports it only once.
  if (hasLost) writeFile(file, { count: Number.MAX_SAFE_INTEGER, at: new Date().toISOString() });
  const noted = readFile(file);
  let count = Number(Item?.count?.N ?? 0);
  if (noted !== undefined && count < noted.count) {
    const lost = new Error(
      `what was written until ${noted.at} is missing in part: records would be sent again; to go on with what is left, delete ${file}`,
    );
    throw new DataDirUnreadableError(dir.root, 'tables', lost);
  }
  const note = async (): Promise<void> => {
    count += 1;
    await client.send(new PutItemCommand({ TableName: markTable.name, Item: { ...Key, count: { N: String(count) } } }));
    writeFile(file, { count, at: new Date().toISOString() });
  };
  await note();
  let noting: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    // A disk that is full is told of by whoever writes there what counts.
    noting = noting.then(note).catch(() => {});
  }, EVERY_MS);
  timer.unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await noting;
      await note().catch(() => {});
    },
  };
};
