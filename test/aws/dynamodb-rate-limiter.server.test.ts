import { PutItemCommand } from '@aws-sdk/client-dynamodb';
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

  it('costs one read and one write per lease, however many permits', async () => {
    const commands = countCommands();
    await limiter().acquire('okki', TEN_A_SECOND, 50, clock.nowMs() + 60_000);
    expect(commands).toEqual(['GetItemCommand', 'UpdateItemCommand']);
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
        input.ExpressionAttributeValues = { ':tatMs': { N: '0' }, ':readPausedUntilMs': { N: '0' } };
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
