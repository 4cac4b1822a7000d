import { GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { dynamoRateLimiter } from '../../lib/aws/dynamodb/rate-limiter.ts';
import { MalformedItemError, type Table } from '../../lib/aws/dynamodb/table.ts';
import { startDynamo } from '../contracts/embedded-dynamodb.ts';
import { intercept } from '../contracts/intercept.ts';
import { hastyClock } from '../fakes/fake-clock.ts';
import { seededRandom } from '../fakes/seeded-random.ts';

const dynamo = await startDynamo();

const TEN_A_SECOND = { requests: 10, intervalMs: 1_000 };

describe('the rate limiter in DynamoDB', () => {
  let table: Table;
  beforeEach(async () => {
    table = await dynamo.createTable();
  });

  const clock = hastyClock();
  const limiter = (seed = 1) => dynamoRateLimiter(table, { clock, random: seededRandom(seed) });
  const countCommands = () => {
    const commands: string[] = [];
    intercept(dynamo.client, async ({ command }, next) => {
      commands.push(command);
      return next();
    });
    return commands;
  };

  it('costs one read and one write, however many permits and appointments', async () => {
    const commands = countCommands();
    const soonMs = clock.nowMs() + 2_000;
    const arrived = { due: 5, fresh: 60, together: 50 };
    const { permits, appointments } = await limiter().receive('okki', TEN_A_SECOND, arrived, soonMs);
    expect(permits.length).toBeGreaterThan(10);
    expect(permits.length + appointments.length).toBe(65);
    await limiter(2).book('okki', TEN_A_SECOND, 100, clock.nowMs() + 890_000);
    expect(commands).toEqual(['GetItemCommand', 'UpdateItemCommand', 'GetItemCommand', 'UpdateItemCommand']);
  });

  it.each([
    { requests: 600, intervalMs: 60_000, burst: 1 },
    { requests: 100_000, intervalMs: 86_400_000 },
  ])('keeps the item of a connection below 1 KB, one write unit: %j', async (limit) => {
    const worker = limiter();
    const connection = 'a-connection-with-quite-a-long-name-of-its-own-in-the-file';
    await worker.pause(connection, clock.nowMs() + 1, '请求过于频繁'.repeat(50));
    clock.advance(1);
    for (let asked = 0; asked < 150; asked++) {
      const arrived = { due: 1 + (asked % 7), fresh: 3, together: 20 };
      await worker.receive(connection, limit, arrived, clock.nowMs() + 2_000);
      clock.advance(Math.round(limit.intervalMs / 137));
    }
    await worker.book(connection, limit, 20, clock.nowMs() + 890_000);
    const Key = { pk: { S: `limit#${connection}` }, sk: { S: 'limit' } };
    const { Item } = await dynamo.client.send(new GetItemCommand({ TableName: table.TableName, Key }));
    expect(Item?.lineMs).toBeDefined();
    // A number takes about a byte for two digits (DynamoDB, item sizes); counted here as text it is more.
    const sizeBytes = Object.entries(Item ?? {}).reduce(
      (sum, [name, value]) => sum + Buffer.byteLength(name + (value.S ?? value.N?.slice(0, 8) ?? '')),
      0,
    );
    expect(sizeBytes).toBeLessThan(1_024);
  });

  it('reads what a build before the window log has stored, and holds when such a build writes in between', async () => {
    const earlier = (tatMs: number) =>
      dynamo.client.send(
        new UpdateItemCommand({
          TableName: table.TableName,
          Key: { pk: { S: 'limit#okki' }, sk: { S: 'limit' } },
          UpdateExpression: 'SET tatMs = :tatMs, pausedUntilMs = :pausedUntilMs',
          ExpressionAttributeValues: { ':tatMs': { N: `${tatMs}` }, ':pausedUntilMs': { N: '0' } },
        }),
      );
    const startMs = clock.nowMs();
    await earlier(startMs + 500);
    const first = await limiter().acquire('okki', TEN_A_SECOND, 1, startMs + 60_000);
    expect(first.permits[0]?.notBeforeMs).toBeGreaterThanOrEqual(startMs + 500);
    await earlier(startMs + 5_000);
    const next = await limiter(2).acquire('okki', TEN_A_SECOND, 1, startMs + 60_000);
    expect(next.permits[0]?.notBeforeMs).toBeGreaterThanOrEqual(startMs + 5_000 - 100);
    const Key = { pk: { S: 'limit#okki' }, sk: { S: 'limit' } };
    const { Item } = await dynamo.client.send(new GetItemCommand({ TableName: table.TableName, Key }));
    // What it reads next lies behind all that was granted.
    expect(Number(Item?.tatMs?.N)).toBeGreaterThan(next.permits[0]?.notBeforeMs ?? Number.POSITIVE_INFINITY);
  });

  it('writes nothing when it leases nothing', async () => {
    await limiter().acquire('okki', TEN_A_SECOND, 50, clock.nowMs() + 60_000);
    const commands = countCommands();
    await limiter().acquire('okki', TEN_A_SECOND, 50, clock.nowMs() + 1);
    expect(commands).toEqual(['GetItemCommand']);
  });

  it('without a limit reads once a second, also for calls at the same moment, and never writes', async () => {
    const commands = countCommands();
    const worker = limiter();
    const ask = () => worker.acquire('okki', undefined, 1, clock.nowMs() + 1);
    await Promise.all([ask(), ask(), ask()]);
    clock.advance(999);
    await ask();
    expect(commands).toEqual(['GetItemCommand']);
    clock.advance(1);
    await ask();
    expect(commands).toEqual(['GetItemCommand', 'GetItemCommand']);
  });

  it('does not keep a read that failed', async () => {
    const worker = limiter();
    const release = intercept(dynamo.client, async () => {
      throw new Error('outage');
    });
    await expect(worker.acquire('okki', undefined, 1, clock.nowMs() + 1)).rejects.toThrow('outage');
    release();
    expect((await worker.acquire('okki', undefined, 1, clock.nowMs() + 1)).permits).toHaveLength(1);
  });

  it('computes its permits anew when another worker came first, also where DynamoDB tells the new state', async () => {
    const other = limiter(2);
    const deadlineMs = clock.nowMs() + 60_000;
    let interrupted = false;
    const before: number[] = [];
    intercept(dynamo.client, async ({ command }, next) => {
      if (command === 'UpdateItemCommand' && !interrupted) {
        interrupted = true;
        const { permits } = await other.acquire('okki', TEN_A_SECOND, 5, deadlineMs);
        before.push(...permits.map(({ notBeforeMs }) => notBeforeMs));
      }
      return next();
    });
    const { permits } = await limiter().acquire('okki', TEN_A_SECOND, 1, deadlineMs);
    expect(before).toHaveLength(5);
    expect(permits[0]?.notBeforeMs).toBeGreaterThan(before.at(-1) ?? Number.POSITIVE_INFINITY);
  });

  it('holds the loser of a race to the pause that came first', async () => {
    await limiter(3).acquire('okki', TEN_A_SECOND, 1, clock.nowMs() + 1_000);
    const untilMs = clock.nowMs() + 300_000;
    let interrupted = false;
    intercept(dynamo.client, async ({ command }, next) => {
      if (command === 'UpdateItemCommand' && !interrupted) {
        interrupted = true;
        await limiter(2).pause('okki', untilMs, 'status 429');
      }
      return next();
    });
    const end = await limiter().acquire('okki', TEN_A_SECOND, 3, clock.nowMs() + 10_000);
    expect(end).toEqual({ permits: [], retryAtMs: untilMs });
    // Nor has the loser's write undone the pause.
    const next = await limiter(4).acquire('okki', TEN_A_SECOND, 1, clock.nowMs() + 10_000);
    expect(next).toEqual({ permits: [], retryAtMs: untilMs });
  });

  it('answers like a used-up limit when it loses every race', async () => {
    let races = 0;
    intercept(dynamo.client, async ({ command, input }, next) => {
      if (command !== 'UpdateItemCommand') return next();
      races += 1;
      return next().then(() => {
        // The same conditional write once more fails, as after another's.
        input.ConditionExpression = 'attribute_not_exists(pk)';
        input.UpdateExpression = 'SET tatMs = :tatMs';
        input.ExpressionAttributeValues = { ':tatMs': { N: '0' } };
        return next();
      });
    });
    const { permits, retryAtMs } = await limiter().acquire('okki', TEN_A_SECOND, 1, clock.nowMs() + 60_000);
    expect(permits).toEqual([]);
    expect(retryAtMs).toBeGreaterThan(clock.nowMs() - 60_000);
    expect(races).toBeGreaterThan(5);
    expect(races).toBeLessThan(30);
  });

  it('throws with the key where the item is malformed', async () => {
    const Item = { pk: { S: 'limit#okki' }, sk: { S: 'limit' }, tatMs: { S: 'soon' } };
    await dynamo.client.send(new PutItemCommand({ TableName: table.TableName, Item }));
    const lease = limiter().acquire('okki', TEN_A_SECOND, 1, clock.nowMs() + 1_000);
    await expect(lease).rejects.toBeInstanceOf(MalformedItemError);
    await expect(lease).rejects.toThrow('limit#okki');
  });
});
