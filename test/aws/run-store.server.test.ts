import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { dynamoRunStore } from '../../lib/aws/dynamodb/run-store.ts';
import { MalformedItemError, type Table } from '../../lib/aws/dynamodb/table.ts';
import type { LedgerChunk } from '../../lib/runs/ledger.ts';
import { ChunkTooLargeError, type Lease } from '../../lib/runs/store.ts';
import { collect } from '../contracts/collect.ts';
import { startDynamo } from '../contracts/embedded-dynamodb.ts';
import { countCapacity, intercept } from '../contracts/intercept.ts';
import { run } from '../contracts/run-store.contract.ts';
import { seededRandom } from '../fakes/seeded-random.ts';

const dynamo = await startDynamo();

describe('the run store in DynamoDB', () => {
  let table: Table;
  beforeEach(async () => {
    table = await dynamo.createTable();
  });

  const store = () => dynamoRunStore(table, { retentionDays: 30 });

  const random = seededRandom(7);
  const letters = (length: number) =>
    Buffer.from(Array.from({ length: Math.ceil(length * 0.75) }, () => Math.floor(random.fraction() * 256)))
      .toString('base64url')
      .slice(0, length);
  const digits = () => String(2 ** 31 + Math.floor(random.fraction() * 7e9)).padStart(10, '9');
  const bigChunk = (entries: number, changes: Partial<LedgerChunk> = {}): LedgerChunk => ({
    runId: 'run-1',
    index: 1,
    versionMs: 1_767_571_201_000,
    entries: Array.from({ length: entries }, () => ({ id: digits(), outcome: 'enqueued', hash: letters(22) })),
    memory: [],
    ...changes,
  });

  it.each([
    { entries: 5_000, memory: 0, maxUnits: 0.03 },
    { entries: 500, memory: 0, maxUnits: 0.03 },
    // The cleaning may remember a key as long as a hash for every record.
    { entries: 5_000, memory: 5_000, maxUnits: 0.05 },
  ])(
    'writes $entries entries with random ids and hashes, and $memory keys, for at most $maxUnits units per record',
    async ({ entries, memory, maxUnits }) => {
      const chunk = bigChunk(entries, { memory: Array.from({ length: memory }, () => letters(22)) });
      const units = countCapacity(dynamo.client);
      await store().saveChunk('groups', chunk);
      expect((units.get('PutItemCommand') ?? 0) / entries).toBeLessThanOrEqual(maxUnits);
      const read = await collect(store().chunks('groups', 'run-1', 1));
      expect(read).toEqual([chunk]);
    },
  );

  it('refuses a chunk that no item can hold, and names it', async () => {
    const chunk = bigChunk(5_000, { memory: Array.from({ length: 5_000 }, () => letters(100)) });
    const error = await store()
      .saveChunk('groups', chunk)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ChunkTooLargeError);
    expect(String(error)).toMatch(/chunk 1 of run run-1 has \d+ bytes/);
  });

  it('holds a chunk of just under the limit', async () => {
    // 4,000 keys of 120 random letters: 360 kB of randomness.
    const chunk = bigChunk(0, { memory: Array.from({ length: 4_000 }, () => letters(120)) });
    await store().saveChunk('groups', chunk);
    expect(await collect(store().chunks('groups', 'run-1', 1))).toEqual([chunk]);
  });

  it('lets runs and chunks leave by TTL after the retention, and leases never', async () => {
    await store().saveRun(run('run-1', { startedMs: 1_767_571_200_999 }));
    await store().saveChunk('groups', bigChunk(1, { versionMs: 1_767_571_200_999 }));
    await store().takeLease({ integration: 'groups', runId: 'run-1', owner: 'a', untilMs: 1 }, undefined);
    const expiresAtSec = async (pk: string, sk: string) => {
      const Key = { pk: { S: pk }, sk: { S: sk } };
      const { Item } = await dynamo.client.send(new GetItemCommand({ TableName: table.TableName, Key }));
      expect(Item).toBeDefined();
      return Item?.expiresAtSec;
    };
    const expected = { N: String(1_767_571_200 + 30 * 86_400) };
    expect(await expiresAtSec('groups', 'run#run-1')).toEqual(expected);
    expect(await expiresAtSec('groups#run-1', 'chunk#000001')).toEqual(expected);
    expect(await expiresAtSec('groups', 'lease')).toBeUndefined();
    // Whoever saves it later need not know how long runs are kept.
    const saved = await dynamoRunStore(table, { retentionDays: 5 }).run('groups', 'run-1');
    if (saved) await dynamoRunStore(table, { retentionDays: 5 }).saveRun(saved);
    expect(await expiresAtSec('groups', 'run#run-1')).toEqual(expected);
  });

  it('keeps a run that is still open, and its ledger, when half of its time is over, for as long again', async () => {
    const startedMs = 1_767_571_200_000;
    const opened = run('run-1', { startedMs });
    await store().saveRun(opened);
    for (const index of [1, 2]) await store().saveChunk('groups', bigChunk(1, { index, versionMs: startedMs }));
    const leaves = async () => {
      const keys = [
        ['groups', 'run#run-1'],
        ['groups#run-1', 'chunk#000001'],
        ['groups#run-1', 'chunk#000002'],
      ] as const;
      const items = keys.map(([pk, sk]) => ({ pk: { S: pk }, sk: { S: sk } }));
      const read = items.map((Key) => dynamo.client.send(new GetItemCommand({ TableName: table.TableName, Key })));
      return (await Promise.all(read)).map(({ Item }) => Number(Item?.expiresAtSec?.N) - startedMs / 1000);
    };
    const day = 86_400;
    const keepAt = (days: number) => store().keepOpen(opened, { 'run-1': 2 }, startedMs + days * day * 1000);
    await keepAt(14);
    expect(await leaves()).toEqual([30 * day, 30 * day, 30 * day]);
    await keepAt(16);
    expect(await leaves()).toEqual([46 * day, 46 * day, 46 * day]);
    const units = countCapacity(dynamo.client);
    await keepAt(17);
    expect(units.get('UpdateItemCommand')).toBeUndefined();
    expect(await leaves()).toEqual([46 * day, 46 * day, 46 * day]);
    await keepAt(40);
    expect(await leaves()).toEqual([70 * day, 70 * day, 70 * day]);
  });

  it('knows its own lease when the write had been applied before its answer was lost', async () => {
    const lease: Lease = { integration: 'groups', runId: 'run-1', owner: 'a', untilMs: 1_000 };
    intercept(dynamo.client, async ({ command }, next) => {
      // As the SDK's own retry does it: the same conditional write a second time.
      if (command === 'PutItemCommand') await next();
      return next();
    });
    expect(await store().takeLease(lease, undefined)).toBe('taken');
    expect(await store().takeLease({ ...lease, untilMs: 2_000 }, lease)).toBe('taken');
    expect(await store().takeLease({ ...lease, owner: 'b' }, lease)).toBe('conflict');
  });

  it('follows ledgers and lists of runs over the pages of a query', async () => {
    intercept(dynamo.client, async ({ command, input }, next) => {
      if (command === 'QueryCommand') input.Limit = 2;
      return next();
    });
    const runIds = ['run-1', 'run-2', 'run-3', 'run-4', 'run-5'];
    for (const [index, runId] of runIds.entries()) {
      await store().saveRun(run(runId));
      await store().saveChunk('groups', bigChunk(1, { index: index + 1 }));
    }
    expect((await store().runs('groups', 4)).map(({ runId }) => runId)).toEqual(['run-5', 'run-4', 'run-3', 'run-2']);
    const indexes = (await collect(store().chunks('groups', 'run-1', 5))).map(({ index }) => index);
    expect(indexes).toEqual([1, 2, 3, 4, 5]);
  });

  it('reads nothing but consistently', async () => {
    const loose: string[] = [];
    intercept(dynamo.client, async ({ command, input }, next) => {
      if (/Get|Query/.test(command) && input.ConsistentRead !== true) loose.push(command);
      return next();
    });
    await store().lease('groups');
    await store().run('groups', 'run-1');
    await store().runs('groups', 5);
    await collect(store().chunks('groups', 'run-1', 0));
    expect(loose).toEqual([]);
  });

  it.each([
    { fault: 'not JSON', record: '{' },
    { fault: 'not a run', record: '{"runId":"run-1"}' },
    { fault: 'unknown status', record: JSON.stringify({ ...run('run-1'), status: 'done' }) },
  ])('throws with the key where a run is malformed: $fault', async ({ record }) => {
    const Item = {
      pk: { S: 'groups' },
      sk: { S: 'run#run-1' },
      record: { S: record },
      targetRequests: { N: '0' },
    };
    await dynamo.client.send(new PutItemCommand({ TableName: table.TableName, Item }));
    const error = await store()
      .run('groups', 'run-1')
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MalformedItemError);
    expect(String(error)).toContain('groups run#run-1');
  });

  it.each([
    { fault: 'not compressed', entries: { B: Buffer.from('plain') } },
    { fault: 'missing', entries: { S: '' } },
  ])('throws with the key where a chunk is malformed: $fault', async ({ entries }) => {
    const Item = { pk: { S: 'groups#run-1' }, sk: { S: 'chunk#000001' }, versionMs: { N: '1' }, entries };
    await dynamo.client.send(new PutItemCommand({ TableName: table.TableName, Item }));
    const error = await collect(store().chunks('groups', 'run-1', 1)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MalformedItemError);
    expect(String(error)).toContain('groups#run-1 chunk#000001');
  });
});
