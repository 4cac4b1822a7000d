import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { type LimiterState, leasePermits, pauseGainMs, unusedLimiter } from '../../connection/limit/gcra.ts';
import type { RateLimiter } from '../../connection/limit/rate-limit.ts';
import { type Backoff, backoffMs } from '../../runtime/backoff.ts';
import { type Clock, isRecent, lasts, reachMs, systemClock } from '../../runtime/clock.ts';
import { defined } from '../../runtime/defined.ts';
import { type Random, systemRandom } from '../../runtime/random.ts';
import { getItem, type Item, isConditionFailed, number, readItem, succeeds, type Table, text } from './table.ts';

const NOTHING_STORED = 'attribute_not_exists(pk)';
const STATE_AS_READ = 'tatMs = :readTatMs AND pausedUntilMs = :readPausedUntilMs';
const PAUSE_IS_LONGER =
  'attribute_not_exists(pausedUntilMs) OR pausedUntilMs < :untilMs OR pausedUntilMs > :longestUntilMs';

/** Without a limit of its own a worker asks DynamoDB for pauses once a second, not once a request. */
const PAUSE_CACHE_MS = 1_000;
/** A round trip is a few ms: the losers of a race come back spread over some of them. */
const CONTENTION_BACKOFF: Backoff = { baseMs: 20, capMs: 500 };
const MAX_TRIES = 12;

const stateOf = (item: Item | undefined, connection: string): LimiterState | undefined => {
  if (!item) return undefined;
  const reader = readItem(item, `limit#${connection}`);
  return { tatMs: reader.number('tatMs'), pausedUntilMs: reader.number('pausedUntilMs') };
};

/** Writes the new arrival time only onto the state that the permits were computed from. */
const onState = (read: LimiterState | undefined) =>
  read
    ? {
        ConditionExpression: STATE_AS_READ,
        values: { ':readTatMs': number(read.tatMs), ':readPausedUntilMs': number(read.pausedUntilMs) },
      }
    : { ConditionExpression: NOTHING_STORED, values: { ':readPausedUntilMs': number(unusedLimiter.pausedUntilMs) } };

/**
 * A rate limiter over one DynamoDB item per connection (`pk` = `limit#CONNECTION`, `sk` = `limit`). A lease of k
 * permits costs one read and one write, a pause one write, no use nothing. Clocks of the workers must agree within
 * some ms (Lambda's do). A lease that loses every race against others is answered like a used-up limit.
 */
export const dynamoRateLimiter = (
  table: Table,
  { clock = systemClock, random = systemRandom }: { clock?: Clock; random?: Random } = {},
): RateLimiter => {
  const { client, TableName } = table;
  const pauses = new Map<string, { readMs: number; state: Promise<LimiterState | undefined> }>();

  const keyOf = (connection: string): Item => ({ pk: text(`limit#${connection}`), sk: text('limit') });

  const read = async (connection: string): Promise<LimiterState | undefined> =>
    stateOf(await getItem(table, keyOf(connection)), connection);

  const readCached = (connection: string): Promise<LimiterState | undefined> => {
    const cached = pauses.get(connection);
    if (cached && isRecent(cached.readMs, clock.nowMs(), PAUSE_CACHE_MS)) return cached.state;
    const state = read(connection);
    pauses.set(connection, { readMs: clock.nowMs(), state });
    // A failed read is thrown to those who wait for it, and not kept.
    state.catch(() => pauses.delete(connection));
    return state;
  };

  /** Stores the new arrival time. `conflict` comes with the state in the way, where DynamoDB tells. */
  const store = async (connection: string, was: LimiterState | undefined, tatMs: number) => {
    const { ConditionExpression, values } = onState(was);
    try {
      await client.send(
        new UpdateItemCommand({
          TableName,
          Key: keyOf(connection),
          UpdateExpression: 'SET tatMs = :tatMs, pausedUntilMs = :readPausedUntilMs',
          ConditionExpression,
          ExpressionAttributeValues: { ...values, ':tatMs': number(tatMs) },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      return { kind: 'stored' } as const;
    } catch (error) {
      if (isConditionFailed(error)) return { kind: 'conflict', now: stateOf(error.Item, connection) } as const;
      throw error;
    }
  };

  return {
    acquire: async (connection, limit, count, deadlineMs) => {
      let state = await (limit ? read(connection) : readCached(connection));
      for (let tries = 1; ; tries++) {
        const lease = leasePermits(state ?? unusedLimiter, limit, count, clock.nowMs(), deadlineMs);
        if (!limit || lease.permits.length === 0) return { permits: lease.permits, retryAtMs: lease.retryAtMs };
        const outcome = await store(connection, state, lease.tatMs);
        if (outcome.kind === 'stored') return { permits: lease.permits, retryAtMs: lease.retryAtMs };
        if (tries === MAX_TRIES) return { permits: [], retryAtMs: lease.retryAtMs };
        await clock.sleep(backoffMs(tries, random.fraction(), CONTENTION_BACKOFF));
        state = outcome.now ?? (await read(connection));
      }
    },
    pause: async (connection, untilMs, why) => {
      const nowMs = clock.nowMs();
      let gainMs = 0;
      try {
        const { Attributes } = await client.send(
          new UpdateItemCommand({
            TableName,
            Key: keyOf(connection),
            UpdateExpression:
              'SET pausedUntilMs = :untilMs, pausedWhy = :why, tatMs = if_not_exists(tatMs, :unusedTatMs)',
            ConditionExpression: PAUSE_IS_LONGER,
            ExpressionAttributeValues: {
              ':untilMs': number(untilMs),
              ':longestUntilMs': number(nowMs + reachMs.pause),
              ':why': text(why),
              ':unusedTatMs': number(unusedLimiter.tatMs),
            },
            ReturnValues: 'UPDATED_OLD',
          }),
        );
        const before = Attributes?.pausedUntilMs?.N;
        const pausedUntilMs = before === undefined ? unusedLimiter.pausedUntilMs : Number(before);
        gainMs = pauseGainMs(pausedUntilMs, untilMs, nowMs);
      } catch (error) {
        if (!isConditionFailed(error)) throw error;
      }
      pauses.delete(connection);
      return gainMs;
    },
    endPause: async (connection) => {
      const update = new UpdateItemCommand({
        TableName,
        Key: keyOf(connection),
        UpdateExpression: 'SET pausedUntilMs = :unpausedMs REMOVE pausedWhy',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeValues: { ':unpausedMs': number(unusedLimiter.pausedUntilMs) },
      });
      // Without an item nothing was ever paused.
      await succeeds(client.send(update));
      pauses.delete(connection);
    },
    pauseOf: async (connection) => {
      const item = await getItem(table, keyOf(connection));
      const untilMs = stateOf(item, connection)?.pausedUntilMs ?? 0;
      const why = item?.pausedWhy?.S;
      return lasts(untilMs, clock.nowMs(), reachMs.pause) ? { untilMs, ...defined({ why }) } : undefined;
    },
  };
};
