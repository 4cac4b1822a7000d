import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  type Item,
  type ItemReader,
  isConditionFailed,
  MalformedItemError,
  number,
  readItem,
  text,
} from '../runtime/dynamodb-item.ts';
import { packChunk, unpackChunk } from './dynamodb-chunk.ts';
import { parseRunRecord } from './dynamodb-run.ts';
import type { LedgerChunk } from './ledger.ts';
import { isHit, type LimitHits, noHits } from './limits.ts';
import type { RunRecord } from './record.ts';
import {
  ChunkTooLargeError,
  type Lease,
  MissingChunkError,
  type RunStore,
  sameLease,
  type Watermarks,
} from './store.ts';

/** DynamoDB: an item has up to 400 KB, names and keys included. */
const MAX_ITEM_BYTES = 400 * 1024;
/** Keys, numbers and the attributes' names of a chunk. */
const CHUNK_FRAME_BYTES = 2_048;
const MAX_PACKED_BYTES = MAX_ITEM_BYTES - CHUNK_FRAME_BYTES;
const DAY_SEC = 24 * 60 * 60;

const NO_LEASE = 'attribute_not_exists(pk)';
const LEASE_AS_READ = '#owner = :owner AND runId = :runId AND untilMs = :untilMs';
const LEASE_STILL_OURS = '#owner = :owner AND runId = :runId';
const WATERMARK_IS_LOWER = 'attribute_not_exists(untilMs) OR untilMs < :untilMs';
const RUN_EXISTS = 'attribute_exists(pk)';

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

const keyName = (item: Item): string => `${item.pk?.S} ${item.sk?.S}`;

const toLease = (item: Item, integration: string): Lease => {
  const reader = readItem(item, keyName(item));
  return { integration, runId: reader.text('runId'), owner: reader.text('owner'), untilMs: reader.number('untilMs') };
};

const toRun = (item: Item): RunRecord => {
  const key = keyName(item);
  const reader = readItem(item, key);
  const { limits, ...run } = parseRunRecord(reader.text('record'), key);
  const source = limits?.source ?? noHits();
  const target = targetHits(reader);
  return {
    ...run,
    requests: { ...run.requests, target: reader.number('targetRequests') },
    ...((isHit(source) || isHit(target)) && { limits: { source, target } }),
  };
};

/** Counted apart from the record; none of them is there before a batch was counted. */
const targetHits = (reader: ItemReader): LimitHits => {
  const count = (name: string) => (reader.has(name) ? reader.number(name) : 0);
  return { heldMs: count('targetHeldMs'), throttled: count('targetThrottled'), putOff: count('targetPutOff') };
};

const toChunk = async (item: Item, runId: string, index: number): Promise<LedgerChunk> => {
  const key = keyName(item);
  const reader = readItem(item, key);
  const versionMs = reader.number('versionMs');
  const packed = reader.bytes('entries');
  try {
    return { runId, index, versionMs, ...(await unpackChunk(packed)) };
  } catch (cause) {
    throw new MalformedItemError(key, 'entries cannot be unpacked', { cause });
  }
};

/**
 * Runs, ledgers and leases in one DynamoDB table with keys `pk` and `sk`:
 *
 *     NAME           lease           who runs it now; kept for ever
 *     NAME           run#RUN         the run's record as JSON, its use of the target beside it
 *     NAME           watermark       up to where an incremental list is loaded; kept for ever
 *     NAME#RUN       chunk#000001    entries and memory, packed
 *
 * Runs and chunks leave by TTL (`expiresAtSec`) `retentionDays` after their start; who starts a run decides it.
 */
export const dynamoRunStore = (client: DynamoDBClient, table: string, retentionDays = 90): RunStore & Watermarks => {
  const TableName = table;
  const expiresAtSec = (startMs: number) => number(Math.floor(startMs / 1000) + retentionDays * DAY_SEC);
  const leaseKey = (integration: string): Item => ({ pk: text(integration), sk: text('lease') });
  const watermarkKey = (integration: string): Item => ({ pk: text(integration), sk: text('watermark') });
  const runKey = (integration: string, runId: string): Item => ({ pk: text(integration), sk: text(`run#${runId}`) });
  // Six digits: a million records in pages of ten are 100,000 chunks, and the keys must sort as the numbers do.
  const chunkName = (index: number) => text(`chunk#${String(index).padStart(6, '0')}`);

  const get = async (key: Item): Promise<Item | undefined> =>
    (await client.send(new GetItemCommand({ TableName, Key: key, ConsistentRead: true }))).Item;

  /** Whether a conditional write went through. */
  const succeeds = async (write: Promise<unknown>): Promise<boolean> => {
    try {
      await write;
      return true;
    } catch (error) {
      if (isConditionFailed(error)) return false;
      throw error;
    }
  };

  async function* query(pk: string, from: Item, to: Item): AsyncGenerator<Item> {
    let startKey: Item | undefined;
    do {
      const answer = await client.send(
        new QueryCommand({
          TableName,
          ConsistentRead: true,
          KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
          ExpressionAttributeValues: { ':pk': text(pk), ...from, ...to },
          ExclusiveStartKey: startKey,
        }),
      );
      yield* answer.Items ?? [];
      startKey = answer.LastEvaluatedKey;
    } while (startKey);
  }

  const lease = async (integration: string): Promise<Lease | undefined> => {
    const item = await get(leaseKey(integration));
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
    run: async (integration, runId) => {
      const item = await get(runKey(integration, runId));
      return item && toRun(item);
    },
    runs: async (integration, limit) => {
      const found: RunRecord[] = [];
      let startKey: Item | undefined;
      do {
        const answer = await client.send(
          new QueryCommand({
            TableName,
            ConsistentRead: true,
            KeyConditionExpression: 'pk = :pk AND begins_with(sk, :run)',
            ExpressionAttributeValues: { ':pk': text(integration), ':run': text('run#') },
            ScanIndexForward: false,
            Limit: limit - found.length,
            ExclusiveStartKey: startKey,
          }),
        );
        found.push(...(answer.Items ?? []).map(toRun));
        startKey = answer.LastEvaluatedKey;
      } while (startKey && found.length < limit);
      return found;
    },
    saveRun: async (run) => {
      await client.send(
        new UpdateItemCommand({
          TableName,
          Key: runKey(run.integration, run.runId),
          UpdateExpression:
            'SET #record = :record, expiresAtSec = if_not_exists(expiresAtSec, :expiresAtSec), targetRequests = if_not_exists(targetRequests, :none)',
          ExpressionAttributeNames: { '#record': 'record' },
          ExpressionAttributeValues: {
            ':record': text(JSON.stringify(run)),
            ':expiresAtSec': expiresAtSec(run.startedMs),
            ':none': number(0),
          },
        }),
      );
    },
    addTargetUse: async (integration, runId, { requests, heldMs, throttled, putOff }) => {
      await succeeds(
        client.send(
          new UpdateItemCommand({
            TableName,
            Key: runKey(integration, runId),
            UpdateExpression:
              'ADD targetRequests :requests, targetHeldMs :heldMs, targetThrottled :throttled, targetPutOff :putOff',
            ConditionExpression: RUN_EXISTS,
            ExpressionAttributeValues: {
              ':requests': number(requests),
              ':heldMs': number(heldMs),
              ':throttled': number(throttled),
              ':putOff': number(putOff),
            },
          }),
        ),
      );
    },
    watermark: async (integration) => {
      const item = await get(watermarkKey(integration));
      return item && readItem(item, keyName(item)).number('untilMs');
    },
    moveWatermark: async (integration, untilMs) => {
      await succeeds(
        client.send(
          new UpdateItemCommand({
            TableName,
            Key: watermarkKey(integration),
            UpdateExpression: 'SET untilMs = :untilMs',
            ConditionExpression: WATERMARK_IS_LOWER,
            ExpressionAttributeValues: { ':untilMs': number(untilMs) },
          }),
        ),
      );
    },
    saveChunk: async (integration, { runId, index, versionMs, ...content }) => {
      const packed = await packChunk(content);
      if (packed.length > MAX_PACKED_BYTES) {
        throw new ChunkTooLargeError(runId, index, packed.length, MAX_PACKED_BYTES);
      }
      const Item: Item = {
        pk: text(`${integration}#${runId}`),
        sk: chunkName(index),
        versionMs: number(versionMs),
        entries: { B: packed },
        expiresAtSec: expiresAtSec(versionMs),
      };
      await client.send(new PutItemCommand({ TableName, Item }));
    },
    async *chunks(integration, runId, upTo) {
      if (upTo < 1) return;
      let index = 0;
      const items = query(`${integration}#${runId}`, { ':from': chunkName(1) }, { ':to': chunkName(upTo) });
      for await (const item of items) {
        index += 1;
        if (item.sk?.S !== chunkName(index).S) throw new MissingChunkError(runId, index);
        yield await toChunk(item, runId, index);
      }
      if (index < upTo) throw new MissingChunkError(runId, index + 1);
    },
  };
};
