import { closeSync, openSync, readdirSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, describe, expect, test } from 'vitest';
import { DataDirUnreadableError } from '../../../local/stack/errors.ts';
import { startStack } from '../../../local/stack/stack.ts';
import { closeFixtures, dynamoDbClientFor, serviceDir, startFixture, variableOf } from './fixtures/fixture-stack.ts';

afterEach(closeFixtures);

/** A data directory with items in its tables, closed. */
const used = async (): Promise<string> => {
  const { stack, dataDir } = await startFixture();
  const client = dynamoDbClientFor(stack);
  const note = { S: 'n'.repeat(300) };
  for (let index = 0; index < 200; index += 1) {
    const Item = { pk: { S: `item-${index}` }, note };
    await client.send(new PutItemCommand({ TableName: variableOf(stack, 'ITEMS_TABLE'), Item }));
  }
  await stack.close();
  return dataDir;
};

const logOf = (dataDir: string): string => {
  const logs = readdirSync(join(dataDir, 'tables')).filter((name) => name.endsWith('.log'));
  return join(dataDir, 'tables', logs.toSorted().at(-1) ?? '');
};
const garbage = (file: string): void => {
  const opened = openSync(file, 'r+');
  writeSync(opened, Buffer.alloc(4_096, 0x5a), 0, 4_096, Math.floor(statSync(file).size / 2));
  closeSync(opened);
};
const open = (dataDir: string, fresh = false) => startStack({ dataDir, serviceDir, fresh });

describe('tables that have lost something are not taken for whole:', () => {
  test.each<[string, (log: string) => void]>([
    ['a log that was cut', (log) => truncateSync(log, Math.floor(statSync(log).size / 2))],
    ['a log that was emptied', (log) => truncateSync(log, 0)],
    ['a log with garbage in it', garbage],
    ['a log that is gone', (log) => rmSync(log)],
  ])('%s', async (_, damage) => {
    const dataDir = await used();
    damage(logOf(dataDir));
    // The second start says it as well.
    for (const start of [1, 2]) {
      await expect(open(dataDir), `start ${start}`).rejects.toThrow(DataDirUnreadableError);
    }
    const begunAnew = await open(dataDir, true);
    await begunAnew.close();
  });

  test('who deletes the mark goes on with what is left', async () => {
    const dataDir = await used();
    truncateSync(logOf(dataDir), Math.floor(statSync(logOf(dataDir)).size / 2));
    await expect(open(dataDir)).rejects.toThrow('tables.mark');
    rmSync(join(dataDir, 'tables.mark'));
    const stack = await open(dataDir);
    await stack.close();
  });
});

describe('queues that are gone beside tables that were in use', () => {
  test.each<[string, (file: string) => void]>([
    ['emptied', (file) => truncateSync(file, 0)],
    ['deleted', (file) => rmSync(file)],
  ])('are not taken for new ones: %s', async (_, damage) => {
    const dataDir = await used();
    const file = join(dataDir, 'queues', 'fauxqs.db');
    damage(file);
    // The second start says it as well.
    for (const start of [1, 2]) {
      await expect(open(dataDir), `start ${start}`).rejects.toMatchObject({
        code: 'data-dir-unreadable',
        message: expect.stringContaining('messages and dead letters are gone'),
      });
    }
    rmSync(join(dataDir, 'tables.mark'));
    await (await open(dataDir)).close();
  });
});

test('tables that lost nothing open, also without a mark, as an earlier version left them', async () => {
  const dataDir = await used();
  await (await open(dataDir)).close();
  rmSync(join(dataDir, 'tables.mark'));
  await (await open(dataDir)).close();
});
