import { hash } from 'node:crypto';
import { type AttributeValue, BatchGetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { IdCheck, IdStore, TroubleKind, WriteCondition } from '../../idcheck/item.ts';
import { type Backoff, backoffMs } from '../../runtime/backoff.ts';
import { mapBounded } from '../../runtime/bounded.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { type Random, systemRandom } from '../../runtime/random.ts';
import {
  type Item,
  type ItemReader,
  keyName,
  MalformedItemError,
  mergePages,
  number,
  queryPages,
  readItem,
  succeeds,
  type Table,
  text,
} from './table.ts';

type Kind<Value> = Value extends number ? 'number' : 'text';

/** For every field of a part its attribute type; `?` where it may be absent. The compiler misses none. */
type FieldKinds<Part> = {
  [Name in keyof Part]-?: Record<never, never> extends Pick<Part, Name>
    ? `${Kind<Exclude<Part[Name], undefined>>}?`
    : Kind<Part[Name]>;
};

type Parts = Omit<Required<IdCheck>, 'id' | 'rev' | 'turn'>;

// Names are written out: a typical item still has about 170 bytes, and 409 would be too many to scan a record for
// 0.05 read units (eventually consistent: half a unit per 4 KB).
const PARTS: { [Name in keyof Parts]: FieldKinds<Parts[Name]> } = {
  loaded: { hash: 'text', versionMs: 'number', atMs: 'number', unsureSinceMs: 'number?', saidMs: 'number?' },
  deleted: { hash: 'text', versionMs: 'number', atMs: 'number' },
  claim: { owner: 'text', hash: 'text', versionMs: 'number', sinceMs: 'number', untilMs: 'number' },
  trouble: {
    kind: 'text',
    hash: 'text',
    versionMs: 'number',
    sinceMs: 'number',
    reason: 'text',
    letterMs: 'number?',
    discardedMs: 'number?',
    parentId: 'text?',
  },
  doubt: { hash: 'text', untilMs: 'number' },
  toSend: { atMs: 'number' },
};

type Field = string | number;

const toMap = (part: object): AttributeValue => ({
  M: Object.fromEntries(
    Object.entries<Field>(part as Record<string, Field>).map(([name, value]) => [
      name,
      typeof value === 'number' ? number(value) : text(value),
    ]),
  ),
});

const fromMap = (map: ItemReader, kinds: Record<string, string>): Record<string, Field> => {
  const part: Record<string, Field> = {};
  for (const [name, kind] of Object.entries(kinds)) {
    if (kind.endsWith('?') && !map.has(name)) continue;
    part[name] = kind.startsWith('number') ? map.number(name) : map.text(name);
  }
  return part;
};

const TROUBLE_KINDS: Record<TroubleKind, true> = { rejected: true, uncertain: true, parked: true, exhausted: true };

/** An item's attributes but for the partition key; the sort key `sk` is the id. */
const toAttributes = ({ id, rev, turn, ...parts }: IdCheck): Item => {
  const item: Item = { sk: text(id), rev: number(rev), ...(turn === undefined ? {} : { turn: number(turn) }) };
  for (const [name, part] of Object.entries(parts)) if (part) item[name] = toMap(part);
  return item;
};

/** Reads an item back; throws `MalformedItemError` with the item's key. */
const fromAttributes = (item: Item): IdCheck => {
  const key = keyName(item);
  const reader = readItem(item, key);
  const parts: Record<string, Record<string, Field>> = {};
  for (const [name, kinds] of Object.entries(PARTS)) {
    const map = reader.map(name);
    if (map) parts[name] = fromMap(map, kinds);
  }
  const kind = parts.trouble?.kind;
  if (kind !== undefined && !Object.hasOwn(TROUBLE_KINDS, kind)) {
    throw new MalformedItemError(key, `trouble.kind must be one of ${Object.keys(TROUBLE_KINDS).join(', ')}`);
  }
  // PARTS names every field with its type, so what was read through it is an IdCheck's.
  return {
    id: reader.text('sk'),
    rev: reader.number('rev'),
    ...(reader.has('turn') ? { turn: reader.number('turn') } : {}),
    ...(parts as Omit<IdCheck, 'id' | 'rev' | 'turn'>),
  };
};

/**
 * Partition keys per integration. One partition takes 1,000 write units a second, and a record costs two (claim,
 * settle); a new on-demand table takes 4,000 before it has to grow (DynamoDB Developer Guide, "Burst and adaptive
 * capacity", "On-demand capacity mode"). So 4 shards let one integration use a whole new table, 2,000 records a
 * second, far above what a target takes; more would only add Query calls to every scan.
 * The number is part of every key: changing it loses sight of what is stored.
 */
export const ID_CHECK_SHARDS = 4;

/** BatchGetItem takes up to 100 keys. */
const MAX_BATCH_KEYS = 100;
const READ_CONCURRENCY = 8;
const SCAN_CONCURRENCY = 4;
/** DynamoDB leaves keys unprocessed when it throttles, and answers them later: backed off as its guide asks for. */
const UNPROCESSED_BACKOFF: Backoff = { baseMs: 50, capMs: 2_000 };
const MAX_FRUITLESS_READS = 8;

const NOTHING_STORED = 'attribute_not_exists(pk)';
const REVISION_AS_READ = '#rev = :rev';
const CLAIM_STILL_OURS = '#claim.#owner = :owner';

/** DynamoDB kept leaving keys unprocessed: the table is throttled beyond what waiting helps. */
export class KeysLeftUnprocessedError extends Error {
  override readonly name = 'KeysLeftUnprocessedError';
  readonly code = 'keys-left-unprocessed';
}

const conditionOf = (condition: WriteCondition) => {
  if ('absent' in condition) return { ConditionExpression: NOTHING_STORED };
  if ('rev' in condition) {
    return {
      ConditionExpression: REVISION_AS_READ,
      ExpressionAttributeNames: { '#rev': 'rev' },
      ExpressionAttributeValues: { ':rev': number(condition.rev) },
    };
  }
  return {
    ConditionExpression: CLAIM_STILL_OURS,
    ExpressionAttributeNames: { '#claim': 'claim', '#owner': 'owner' },
    ExpressionAttributeValues: { ':owner': text(condition.owner) },
  };
};

const batchesOf = <Entry>(entries: readonly Entry[], size: number): Entry[][] =>
  Array.from({ length: Math.ceil(entries.length / size) }, (_, index) =>
    entries.slice(index * size, (index + 1) * size),
  );

/** The partition keys under which an integration's items lie. */
export const idCheckPartitions = (integration: string, shards = ID_CHECK_SHARDS): string[] =>
  Array.from({ length: shards }, (_, shard) => `${integration}#${shard}`);

type DynamoIdStoreOptions = { shards?: number; clock?: Clock; random?: Random };

/**
 * idCheck in a DynamoDB table with keys `pk` (`integration#shard`) and `sk` (the id). Reads by id are strongly
 * consistent and throw `KeysLeftUnprocessedError` under lasting throttling; what is stored wrongly throws
 * `MalformedItemError`.
 */
export const dynamoIdStore = (
  table: Table,
  { shards = ID_CHECK_SHARDS, clock = systemClock, random = systemRandom }: DynamoIdStoreOptions = {},
): IdStore => {
  const { client, TableName } = table;
  // A cryptographic hash, since ids that differ in few digits must still spread evenly.
  const shardOf = (id: string): number => hash('sha256', id, 'buffer').readUInt32BE() % shards;
  const keyOf = (integration: string, id: string): Item => ({
    pk: text(`${integration}#${shardOf(id)}`),
    sk: text(id),
  });

  const readBatch = async (keys: Item[]): Promise<Item[]> => {
    const found: Item[] = [];
    let remaining = keys;
    for (let fruitless = 0; remaining.length > 0; ) {
      const answer = await client.send(
        new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: remaining, ConsistentRead: true } } }),
      );
      found.push(...(answer.Responses?.[TableName] ?? []));
      const unprocessed = answer.UnprocessedKeys?.[TableName]?.Keys ?? [];
      fruitless = unprocessed.length < remaining.length ? 0 : fruitless + 1;
      if (fruitless >= MAX_FRUITLESS_READS) {
        throw new KeysLeftUnprocessedError(`${unprocessed.length} keys of ${TableName} were left unprocessed`);
      }
      if (unprocessed.length > 0) await clock.sleep(backoffMs(fruitless, random.fraction(), UNPROCESSED_BACKOFF));
      remaining = unprocessed;
    }
    return found;
  };

  async function* scanShard(integration: string, shard: number): AsyncGenerator<IdCheck[]> {
    const pages = queryPages(table, {
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': text(`${integration}#${shard}`) },
    });
    for await (const page of pages) yield page.map(fromAttributes);
  }

  return {
    read: async (integration, ids) => {
      // BatchGetItem refuses a request that names a key twice.
      const keys = [...new Set(ids)].map((id) => keyOf(integration, id));
      const batches = await mapBounded(batchesOf(keys, MAX_BATCH_KEYS), READ_CONCURRENCY, readBatch);
      return new Map(batches.flat().map((item) => [item.sk?.S ?? '', fromAttributes(item)]));
    },
    write: async (integration, item, condition) => {
      const Item = { ...keyOf(integration, item.id), ...toAttributes(item) };
      const write = client.send(new PutItemCommand({ TableName, Item, ...conditionOf(condition) }));
      return (await succeeds(write)) ? 'written' : 'conflict';
    },
    scan: (integration) =>
      mergePages(
        Array.from({ length: shards }, (_, shard) => () => scanShard(integration, shard)),
        SCAN_CONCURRENCY,
      ),
  };
};
