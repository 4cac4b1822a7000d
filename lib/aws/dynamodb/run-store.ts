import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { type Lease, type RunStore, sameLease } from '../../runs/store.ts';
import { mapBounded } from '../../runtime/bounded.ts';
import { reachMs } from '../../runtime/clock.ts';
import { dynamoEnds, dynamoLine } from './ends.ts';
import { chunkKey, dynamoLedger } from './ledger.ts';
import { dynamoRunRecords, runKey } from './run-records.ts';
import { getItem, type Item, keyName, number, readItem, succeeds, type Table, text } from './table.ts';

const DAY_SEC = 24 * 60 * 60;

/**
 * Runs, ledgers and leases in one DynamoDB table with keys `pk` and `sk`:
 *
 *     NAME           lease           who runs it now; kept for ever
 *     NAME           run#RUN         the run's record as JSON, its use of the target beside it
 *     NAME           ends            whose state it is, as JSON; kept for ever
 *     NAME           line            what of its runs waits to be sent, as JSON; kept for ever
 *     STATE          watermark       up to where an incremental list is loaded; kept for ever
 *     NAME#RUN       chunk#000001    entries and memory, packed
 *
 * Runs and chunks leave by TTL (`expiresAtSec`) `retentionDays` after their start; who starts a run decides it. While a
 * run is open, that is moved on.
 */
export const dynamoRunStore = (table: Table, { retentionDays = 90 }: { retentionDays?: number } = {}): RunStore => {
  const expiresAtSec = (startMs: number) => Math.floor(startMs / 1000) + retentionDays * DAY_SEC;
  return {
    ...leases(table),
    ...dynamoRunRecords(table, expiresAtSec),
    ...dynamoLedger(table, expiresAtSec),
    ...watermarks(table),
    keepOpen: keepingOpen(table, expiresAtSec),
    ...dynamoEnds(table),
    ...dynamoLine(table),
  };
};

/** A ledger's chunks that are written at once. */
const KEPT_AT_ONCE = 8;

/** Moves on when an open run and its chunks leave. The run's record goes last: until then it is done again. */
const keepingOpen =
  ({ client, TableName }: Table, expiresAtSec: (startMs: number) => number): RunStore['keepOpen'] =>
  async ({ integration, runId, startedMs }, ledgers, nowMs) => {
    const untilSec = expiresAtSec(nowMs);
    const halfMs = (untilSec * 1000 - nowMs) / 2;
    if (nowMs < startedMs + halfMs) return;
    const key = runKey(integration, runId);
    const stored = await getItem({ client, TableName }, key);
    const isKept =
      stored !== undefined && readItem(stored, keyName(stored)).number('expiresAtSec') * 1000 > nowMs + halfMs;
    if (stored === undefined || isKept) return;
    const keep = (Key: Item) =>
      succeeds(
        client.send(
          new UpdateItemCommand({
            TableName,
            Key,
            UpdateExpression: 'SET expiresAtSec = :untilSec',
            ConditionExpression: 'attribute_exists(pk)',
            ExpressionAttributeValues: { ':untilSec': number(untilSec) },
          }),
        ),
      );
    const keys = Object.entries(ledgers).flatMap(([name, chunks]) =>
      Array.from({ length: chunks }, (_, place) => chunkKey(integration, name, place + 1)),
    );
    await mapBounded(keys, KEPT_AT_ONCE, keep);
    await keep(key);
  };

const NO_LEASE = 'attribute_not_exists(pk)';
const LEASE_AS_READ = '#owner = :owner AND runId = :runId AND untilMs = :untilMs';
const LEASE_STILL_OURS = '#owner = :owner AND runId = :runId';

const leaseValues = ({ owner, runId, untilMs }: Lease): Item => ({
  ':owner': text(owner),
  ':runId': text(runId),
  ':untilMs': number(untilMs),
});

/** A lease of another run or owner, or nothing, must not be overwritten. */
const onLease = (previous: Lease | undefined) =>
  previous
    ? {
        ConditionExpression: LEASE_AS_READ,
        ExpressionAttributeNames: { '#owner': 'owner' },
        ExpressionAttributeValues: leaseValues(previous),
      }
    : { ConditionExpression: NO_LEASE };

const toLease = (item: Item, integration: string): Lease => {
  const reader = readItem(item, keyName(item));
  return { integration, runId: reader.text('runId'), owner: reader.text('owner'), untilMs: reader.number('untilMs') };
};

const leaseKey = (integration: string): Item => ({ pk: text(integration), sk: text('lease') });

/** Who runs an integration now: one item each, kept for ever. */
const leases = (table: Table): Pick<RunStore, 'lease' | 'takeLease' | 'endLease'> => {
  const { client, TableName } = table;
  const lease = async (integration: string): Promise<Lease | undefined> => {
    const item = await getItem(table, leaseKey(integration));
    return item && toLease(item, integration);
  };
  return {
    lease,
    takeLease: async (wanted, previous) => {
      const { integration, runId, owner, untilMs } = wanted;
      const Item = { ...leaseKey(integration), runId: text(runId), owner: text(owner), untilMs: number(untilMs) };
      if (await succeeds(client.send(new PutItemCommand({ TableName, Item, ...onLease(previous) })))) return 'taken';
      // The SDK repeats a write whose answer was lost, and then meets its own first try.
      const stored = await lease(integration);
      return stored && sameLease(stored, wanted) ? 'taken' : 'conflict';
    },
    endLease: async ({ integration, runId, owner }, nowMs) => {
      await succeeds(
        client.send(
          new UpdateItemCommand({
            TableName,
            Key: leaseKey(integration),
            UpdateExpression: 'SET untilMs = :nowMs',
            ConditionExpression: LEASE_STILL_OURS,
            ExpressionAttributeNames: { '#owner': 'owner' },
            ExpressionAttributeValues: { ':owner': text(owner), ':runId': text(runId), ':nowMs': number(nowMs) },
          }),
        ),
      );
    },
  };
};

const WATERMARK_IS_LOWER = 'attribute_not_exists(untilMs) OR untilMs < :untilMs OR untilMs > :wrongMs';

const watermarkKey = (name: string): Item => ({ pk: text(name), sk: text('watermark') });

/** Up to where incremental lists are loaded: one item each, kept for ever. */
const watermarks = (table: Table): Pick<RunStore, 'watermark' | 'moveWatermark'> => {
  const { client, TableName } = table;
  return {
    watermark: async (name) => {
      const item = await getItem(table, watermarkKey(name));
      return item && readItem(item, keyName(item)).number('untilMs');
    },
    moveWatermark: async (name, untilMs) => {
      await succeeds(
        client.send(
          new UpdateItemCommand({
            TableName,
            Key: watermarkKey(name),
            UpdateExpression: 'SET untilMs = :untilMs',
            ConditionExpression: WATERMARK_IS_LOWER,
            ExpressionAttributeValues: {
              ':untilMs': number(untilMs),
              ':wrongMs': number(untilMs + reachMs.lateRun),
            },
          }),
        ),
      );
    },
  };
};
