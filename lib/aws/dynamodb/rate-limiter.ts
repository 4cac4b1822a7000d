import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { bookedAtOnce, bookPlaces, receive } from '../../connection/limit/line.ts';
import type { RateLimit, RateLimiter } from '../../connection/limit/rate-limit.ts';
import { grantsText, readGrants } from '../../connection/limit/stored-log.ts';
import {
  type LimiterState,
  leasePermits,
  pausedUntilMs,
  pauseGainMs,
  unusedLimiter,
} from '../../connection/limit/window.ts';
import { type Backoff, backoffMs } from '../../runtime/backoff.ts';
import { type Clock, isRecent, reachMs, systemClock } from '../../runtime/clock.ts';
import { defined } from '../../runtime/defined.ts';
import { type Random, systemRandom } from '../../runtime/random.ts';
import {
  getItem,
  type Item,
  isConditionFailed,
  MalformedItemError,
  number,
  readItem,
  succeeds,
  type Table,
  text,
} from './table.ts';

/**
 * A write holds only on the state that it was computed from. Builds before the window log know no `rev`, and neither
 * they nor a pause change it: their own attributes are part of the condition.
 */
const NOTHING_STORED = 'attribute_not_exists(pk)';
const NO_REV_STORED = 'attribute_not_exists(rev) AND tatMs = :readTatMs AND pausedUntilMs = :readPausedUntilMs';
const STATE_AS_READ = 'rev = :readRev AND tatMs = :readTatMs AND pausedUntilMs = :readPausedUntilMs';
const PAUSE_IS_LONGER =
  'attribute_not_exists(pausedUntilMs) OR pausedUntilMs < :untilMs OR pausedUntilMs > :longestUntilMs OR pausedAtMs > :latestAtMs';

/** Without a limit of its own a worker asks DynamoDB for pauses once a second, not once a request. */
const PAUSE_CACHE_MS = 1_000;
/** A round trip is a few ms: the losers of a race come back spread over some of them. */
const CONTENTION_BACKOFF: Backoff = { baseMs: 20, capMs: 500 };
const MAX_TRIES = 12;
/** Who lost every race asks again after this. */
const LOST_RACES_MS = 1_000;
/** With the log the item must stay below 1 KB, one write unit: up to three bytes a character. */
const MAX_WHY = 100;

const stateOf = (item: Item | undefined, connection: string): LimiterState => {
  if (!item) return unusedLimiter;
  const key = `limit#${connection}`;
  const reader = readItem(item, key);
  const own = {
    tatMs: reader.number('tatMs'),
    pausedUntilMs: reader.number('pausedUntilMs'),
    ...(reader.has('pausedAtMs') && { pausedAtMs: reader.number('pausedAtMs') }),
  };
  if (!reader.has('rev')) return { ...unusedLimiter, ...own };
  const grants = readGrants(reader.text('grants'));
  if (grants === undefined) throw new MalformedItemError(key, 'grants must be a log of permits');
  return {
    ...own,
    rev: reader.number('rev'),
    grants,
    rate: reader.text('rate'),
    ownTatMs: reader.number('ownTatMs'),
    ...(reader.has('lineMs') && { line: { startMs: reader.number('lineMs'), used: reader.number('lineUsed') } }),
  };
};

/** The condition that the item is still what was read. */
const onState = ({ rev, tatMs, pausedUntilMs }: LimiterState, isStored: boolean) => {
  if (!isStored) return { ConditionExpression: NOTHING_STORED, values: {} };
  const values = { ':readTatMs': number(tatMs), ':readPausedUntilMs': number(pausedUntilMs) };
  return rev === 0
    ? { ConditionExpression: NO_REV_STORED, values }
    : { ConditionExpression: STATE_AS_READ, values: { ...values, ':readRev': number(rev) } };
};

/** The write of a state; it never changes the pause, whose end is in its condition. */
const updateOf = ({ rev, grants, rate, tatMs, ownTatMs, pausedUntilMs, line }: LimiterState, limit: RateLimit) => ({
  UpdateExpression:
    'SET rev = :rev, grants = :grants, rate = :rate, tatMs = :tatMs, ownTatMs = :ownTatMs, pausedUntilMs = :pausedUntilMs' +
    (line === undefined ? ' REMOVE lineMs, lineUsed' : ', lineMs = :lineMs, lineUsed = :lineUsed'),
  values: {
    ':rev': number(rev),
    ':grants': text(grantsText(grants, limit)),
    ':rate': text(rate ?? ''),
    ':tatMs': number(tatMs),
    ':ownTatMs': number(ownTatMs ?? tatMs),
    ':pausedUntilMs': number(pausedUntilMs),
    ...(line && { ':lineMs': number(line.startMs), ':lineUsed': number(line.used) }),
  },
});

/**
 * A rate limiter over one DynamoDB item per connection (`pk` = `limit#CONNECTION`, `sk` = `limit`). Whatever is given,
 * permits or appointments, costs one read and one write, a pause one write, no use nothing. Clocks of the workers must
 * agree within some ms (Lambda's do). Who loses every race against others is answered as by a used-up limit.
 */
export const dynamoRateLimiter = (
  table: Table,
  { clock = systemClock, random = systemRandom }: { clock?: Clock; random?: Random } = {},
): RateLimiter => {
  const { client, TableName } = table;
  const pauses = new Map<string, { readMs: number; state: Promise<LimiterState> }>();

  const keyOf = (connection: string): Item => ({ pk: text(`limit#${connection}`), sk: text('limit') });

  const read = async (connection: string): Promise<{ state: LimiterState; isStored: boolean }> => {
    const item = await getItem(table, keyOf(connection));
    return { state: stateOf(item, connection), isStored: item !== undefined };
  };

  const readCached = (connection: string): Promise<LimiterState> => {
    const cached = pauses.get(connection);
    if (cached && isRecent(cached.readMs, clock.nowMs(), PAUSE_CACHE_MS)) return cached.state;
    const state = read(connection).then((found) => found.state);
    pauses.set(connection, { readMs: clock.nowMs(), state });
    // A failed read is thrown to those who wait for it, and not kept.
    state.catch(() => pauses.delete(connection));
    return state;
  };

  /** Writes a state over the one that was read; undefined: done, else what was in the way. */
  const store = async (
    connection: string,
    { state, isStored }: { state: LimiterState; isStored: boolean },
    next: LimiterState,
    limit: RateLimit,
  ) => {
    const { ConditionExpression, values } = onState(state, isStored);
    const update = updateOf(next, limit);
    try {
      await client.send(
        new UpdateItemCommand({
          TableName,
          Key: keyOf(connection),
          UpdateExpression: update.UpdateExpression,
          ConditionExpression,
          ExpressionAttributeValues: { ...values, ...update.values },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      return undefined;
    } catch (error) {
      if (!isConditionFailed(error)) throw error;
      return error.Item ? { state: stateOf(error.Item, connection), isStored: true } : await read(connection);
    }
  };

  /** Computes on what is stored and writes what comes of it; undefined: others were faster each time. */
  const change = async <Result extends { state: LimiterState }>(
    connection: string,
    limit: RateLimit,
    compute: (state: LimiterState) => Result,
  ): Promise<Result | undefined> => {
    let found = await read(connection);
    for (let tries = 1; ; tries++) {
      const result = compute(found.state);
      if (result.state === found.state) return result;
      const other = await store(connection, found, result.state, limit);
      if (other === undefined) return result;
      if (tries === MAX_TRIES) return undefined;
      await clock.sleep(backoffMs(tries, random.fraction(), CONTENTION_BACKOFF));
      found = other;
    }
  };

  return {
    acquire: async (connection, limit, count, deadlineMs) => {
      const lease = (state: LimiterState) => leasePermits(state, limit, count, clock.nowMs(), deadlineMs);
      const leased = limit ? await change(connection, limit, lease) : lease(await readCached(connection));
      if (leased === undefined) return { permits: [], retryAtMs: clock.nowMs() + LOST_RACES_MS };
      return { permits: leased.permits, retryAtMs: leased.retryAtMs };
    },
    receive: async (connection, limit, arrived, deadlineMs) => {
      const take = (state: LimiterState) => receive(state, connection, limit, arrived, clock.nowMs(), deadlineMs);
      const received = limit ? await change(connection, limit, take) : take(await readCached(connection));
      if (received === undefined) return { permits: [], appointments: [], retryAtMs: clock.nowMs() + LOST_RACES_MS };
      const { permits, appointments, retryAtMs } = received;
      return { permits, appointments, retryAtMs };
    },
    book: async (connection, limit, count, untilMs) => {
      if (!limit) return bookedAtOnce(await readCached(connection), count, clock.nowMs(), untilMs);
      const place = { connection, limit };
      const booked = await change(connection, limit, (state) =>
        bookPlaces(state, place, count, clock.nowMs(), untilMs),
      );
      if (booked === undefined) return { appointments: [], endMs: clock.nowMs() };
      return { appointments: booked.appointments, endMs: booked.endMs };
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
              'SET pausedUntilMs = :untilMs, pausedAtMs = :atMs, pausedWhy = :why, tatMs = if_not_exists(tatMs, :unusedTatMs)',
            ConditionExpression: PAUSE_IS_LONGER,
            ExpressionAttributeValues: {
              ':untilMs': number(untilMs),
              ':longestUntilMs': number(nowMs + reachMs.pause),
              ':atMs': number(nowMs),
              ':latestAtMs': number(nowMs + reachMs.written),
              ':why': text(why.slice(0, MAX_WHY).toWellFormed()),
              ':unusedTatMs': number(unusedLimiter.tatMs),
            },
            ReturnValues: 'ALL_OLD',
          }),
        );
        gainMs = pauseGainMs(pausedUntilMs(stateOf(Attributes, connection), nowMs), untilMs, nowMs);
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
        UpdateExpression: 'SET pausedUntilMs = :unpausedMs REMOVE pausedWhy, pausedAtMs',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeValues: { ':unpausedMs': number(unusedLimiter.pausedUntilMs) },
      });
      // Without an item nothing was ever paused.
      await succeeds(client.send(update));
      pauses.delete(connection);
    },
    pauseOf: async (connection) => {
      const item = await getItem(table, keyOf(connection));
      const untilMs = pausedUntilMs(stateOf(item, connection), clock.nowMs());
      const why = item?.pausedWhy?.S;
      return untilMs > 0 ? { untilMs, ...defined({ why }) } : undefined;
    },
  };
};
