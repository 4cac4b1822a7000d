import { PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { dynamoIdStore, ID_CHECK_SHARDS, KeysLeftUnprocessedError } from '../../lib/aws/dynamodb/id-store.ts';
import { MalformedItemError, type Table } from '../../lib/aws/dynamodb/table.ts';
import type { IdCheck } from '../../lib/idcheck/item.ts';
import { collect } from '../contracts/collect.ts';
import { startDynamo } from '../contracts/embedded-dynamodb.ts';
import { countCapacity, intercept } from '../contracts/intercept.ts';
import { hastyClock } from '../fakes/fake-clock.ts';
import { seededRandom } from '../fakes/seeded-random.ts';

const dynamo = await startDynamo();

const INTEGRATION = 'okki-product-groups-to-qingyiyun';

describe('the idCheck store in DynamoDB', () => {
  let table: Table;
  beforeEach(async () => {
    table = await dynamo.createTable();
  });

  const clock = hastyClock();
  const random = seededRandom(1);
  const store = () => dynamoIdStore(table, { clock, random });
  const loaded = (id: string): IdCheck => ({
    id,
    rev: 2,
    loaded: { hash: 'AbCdEfGhIjKlMnOpQrStUv', versionMs: 1_767_571_200_000, atMs: 1_767_571_201_234 },
  });
  const ids = (count: number) => Array.from({ length: count }, (_, index) => String(5_203_300_000 + index));
  const fill = async (count: number) => {
    await Promise.all(ids(count).map((id) => store().write(INTEGRATION, loaded(id), { absent: true })));
  };

  it('costs at most 0.05 read units per record in a scan', async () => {
    await fill(1_000);
    const units = countCapacity(dynamo.client);
    let records = 0;
    for await (const page of store().scan(INTEGRATION)) records += page.length;
    expect(records).toBe(1_000);
    expect((units.get('QueryCommand') ?? 0) / records).toBeLessThanOrEqual(0.05);
  });

  it('costs one write unit per write of a typical record, which has less than 250 bytes', async () => {
    const units = countCapacity(dynamo.client);
    await fill(20);
    expect(units.get('PutItemCommand')).toBe(20);
    const { Items = [] } = await dynamo.client.send(new ScanCommand({ TableName: table.TableName }));
    for (const item of Items) {
      // What JSON adds in quotes, braces and type letters makes this an upper bound of DynamoDB's own count.
      expect(JSON.stringify(item).length).toBeLessThan(250);
    }
  });

  it('spreads ids that follow one another evenly over the shards', async () => {
    await fill(400);
    const { Items = [] } = await dynamo.client.send(new ScanCommand({ TableName: table.TableName }));
    const perShard = Map.groupBy(Items, (item) => item.pk?.S ?? '');
    expect([...perShard.keys()].sort()).toEqual(
      Array.from({ length: ID_CHECK_SHARDS }, (_, shard) => `${INTEGRATION}#${shard}`),
    );
    for (const items of perShard.values()) expect(items.length).toBeGreaterThan(60);
  });

  it('keeps an id on its shard for ever: the key is part of what is stored', async () => {
    await store().write(INTEGRATION, loaded('5203300076'), { absent: true });
    const { Items = [] } = await dynamo.client.send(new ScanCommand({ TableName: table.TableName }));
    expect(Items[0]?.pk).toEqual({ S: `${INTEGRATION}#2` });
  });

  it('reads consistently by id, and follows a scan over its pages', async () => {
    const seen: string[] = [];
    intercept(dynamo.client, async ({ command, input }, next) => {
      if (command === 'BatchGetItemCommand')
        seen.push(JSON.stringify(input.RequestItems).match(/"ConsistentRead":\w+/)?.[0] ?? '');
      if (command === 'QueryCommand') input.Limit = 7;
      return next();
    });
    await fill(100);
    await store().read(INTEGRATION, ids(3));
    expect(seen).toEqual(['"ConsistentRead":true']);
    const scanned: string[] = [];
    for await (const page of store().scan(INTEGRATION)) {
      expect(page.length).toBeLessThanOrEqual(7);
      scanned.push(...page.map(({ id }) => id));
    }
    expect(scanned.sort()).toEqual(ids(100));
  });

  it('asks again for keys that were left unprocessed', async () => {
    await fill(250);
    let batches = 0;
    // Each request is answered for its first 40 keys only.
    intercept(dynamo.client, async ({ command, input }, next) => {
      if (command !== 'BatchGetItemCommand') return next();
      batches += 1;
      const request = (input.RequestItems as Record<string, { Keys: unknown[] }>)[table.TableName];
      const left = request?.Keys.splice(40) ?? [];
      const answer = await next();
      return {
        ...answer,
        UnprocessedKeys: left.length > 0 ? { [table.TableName]: { Keys: left, ConsistentRead: true } } : {},
      };
    });
    expect([...(await store().read(INTEGRATION, ids(250))).keys()].sort()).toEqual(ids(250));
    expect(batches).toBe(3 + 3 + 2);
  });

  it('throws when keys are left unprocessed again and again, after backing off', async () => {
    intercept(dynamo.client, async ({ input }) => ({ Responses: {}, UnprocessedKeys: input.RequestItems }));
    const startMs = clock.nowMs();
    await expect(store().read(INTEGRATION, ids(3))).rejects.toBeInstanceOf(KeysLeftUnprocessedError);
    expect(clock.nowMs() - startMs).toBeGreaterThan(500);
  });

  it('throws what DynamoDB throws: an outage is not a conflict', async () => {
    intercept(dynamo.client, async () => {
      throw new Error('outage');
    });
    await expect(store().write(INTEGRATION, loaded('1'), { absent: true })).rejects.toThrow('outage');
    await expect(store().read(INTEGRATION, ['1'])).rejects.toThrow('outage');
    await expect(collect(store().scan(INTEGRATION))).rejects.toThrow('outage');
  });

  it.each([
    { fault: 'no rev', attributes: {} },
    { fault: 'rev as text', attributes: { rev: { S: '1' } } },
    { fault: 'loaded is not a map', attributes: { rev: { N: '1' }, loaded: { S: 'yes' } } },
    { fault: 'loaded without a hash', attributes: { rev: { N: '1' }, loaded: { M: { versionMs: { N: '1' } } } } },
    {
      fault: 'trouble of no known kind',
      attributes: {
        rev: { N: '1' },
        trouble: {
          M: {
            kind: { S: 'toString' },
            hash: { S: 'h' },
            versionMs: { N: '1' },
            sinceMs: { N: '1' },
            reason: { S: '' },
          },
        },
      },
    },
  ])('throws with the key where an item is malformed: $fault', async ({ attributes }) => {
    const pk = `${INTEGRATION}#0`;
    await dynamo.client.send(
      new PutItemCommand({ TableName: table.TableName, Item: { pk: { S: pk }, sk: { S: 'broken' }, ...attributes } }),
    );
    const error = await collect(store().scan(INTEGRATION)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MalformedItemError);
    expect(String(error)).toContain(`${pk} broken`);
  });
});
