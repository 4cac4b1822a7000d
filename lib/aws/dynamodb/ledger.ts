import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants } from 'node:zlib';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { parseJson } from '../../json/json.ts';
import { type ExtractOutcome, extractOutcomes, type LedgerChunk, type LedgerEntry } from '../../runs/ledger.ts';
import { ChunkTooLargeError, MissingChunkError, type RunStore } from '../../runs/store.ts';
import { defined } from '../../runtime/defined.ts';
import { type Item, keyName, MalformedItemError, number, queryPages, readItem, type Table, text } from './table.ts';

const compress = promisify(brotliCompress);
const decompress = promisify(brotliDecompress);

// Column by column like values stand together and compress best: one letter per entry for its outcome, then ids,
// then reasons and hashes of those entries that have one (null where not). An entry with a random 10-digit id and a
// random 22-letter hash comes to about 23 bytes, which is what their randomness holds. Few entries have a parent: those
// with their place, [place, parent id]. Entries that wait for an earlier one name it by its number in a list, in their
// order. Chunks of earlier commits have no such columns.
const columns = z.object({
  v: z.literal(1),
  outcomes: z.string(),
  ids: z.array(z.string()),
  reasons: z.array(z.nullable(z.string())),
  hashes: z.array(z.nullable(z.string())),
  parents: z.exactOptional(z.array(z.tuple([z.number(), z.string()]))),
  behind: z.exactOptional(z.object({ of: z.array(z.tuple([z.string(), z.number()])), each: z.array(z.number()) })),
  memory: z.array(z.string()),
  /** The records that are postponed. */
  held: z.exactOptional(z.array(z.string())),
  deletions: z.exactOptional(z.array(z.object({ id: z.string(), hash: z.string() }))),
});

type Columns = z.infer<typeof columns>;
type ChunkContent = Pick<LedgerChunk, 'entries' | 'memory' | 'postponed' | 'deletions'>;

const LETTERS: Record<ExtractOutcome, string> = {
  filtered: 'f',
  invalid: 'i',
  merged: 'm',
  unchanged: 'u',
  skipped: 's',
  waiting: 'w',
  enqueued: 'e',
};
const OUTCOMES = new Map(extractOutcomes.map((outcome) => [LETTERS[outcome], outcome]));

const toColumns = ({ entries, memory, postponed: held, deletions }: ChunkContent): Columns => ({
  v: 1,
  outcomes: entries.map(({ outcome }) => LETTERS[outcome]).join(''),
  ids: entries.map(({ id }) => id),
  reasons: entries.map(({ reason = null }) => reason),
  hashes: entries.map(({ hash = null }) => hash),
  parents: entries.flatMap(({ parentId }, place): [number, string][] =>
    parentId === undefined ? [] : [[place, parentId]],
  ),
  ...defined({ behind: behindColumn(entries) }),
  memory,
  ...defined({ held }),
  ...defined({ deletions }),
});

/** For each entry that waits the number of the one that it waits for, -1: none. */
const behindColumn = (entries: readonly LedgerEntry[]): Columns['behind'] => {
  const numbers = new Map<string, number>();
  const of: [string, number][] = [];
  const each = entries.flatMap(({ outcome, behind }) => {
    if (outcome !== 'waiting') return [];
    if (behind === undefined) return [-1];
    const key = `${behind.runId} ${behind.versionMs}`;
    const known = numbers.get(key);
    if (known !== undefined) return [known];
    numbers.set(key, of.length);
    return [of.push([behind.runId, behind.versionMs]) - 1];
  });
  return of.length === 0 ? undefined : { of, each };
};

/** Earlier commits kept the parent in the words of the reason only. */
const parentInWords = (outcome: ExtractOutcome, reason: string | null | undefined): string | undefined =>
  outcome === 'skipped' ? /^parent (.*) was rejected$/s.exec(reason ?? '')?.[1] : undefined;

const toEntries = ({ outcomes, ids, reasons, hashes, parents, behind }: Columns): LedgerEntry[] => {
  if ([outcomes, reasons, hashes].some(({ length }) => length !== ids.length)) {
    throw new RangeError('columns of unequal length');
  }
  const parentAt = parents && new Map(parents);
  let waiting = 0;
  return ids.map((id, index) => {
    const outcome = OUTCOMES.get(outcomes.charAt(index));
    if (!outcome) throw new RangeError(`unknown outcome ${outcomes.charAt(index)}`);
    const [reason, hash] = [reasons[index], hashes[index]];
    const ahead = outcome === 'waiting' ? behind?.of[behind.each[waiting++] ?? -1] : undefined;
    const parentId = parentAt ? parentAt.get(index) : parentInWords(outcome, reason);
    return {
      id,
      outcome,
      ...(typeof reason === 'string' && { reason }),
      ...(typeof hash === 'string' && { hash }),
      ...(parentId !== undefined && { parentId }),
      ...(ahead && { behind: { runId: ahead[0], versionMs: ahead[1] } }),
    };
  });
};

/** A chunk's entries and memory as compressed JSON. */
export const packChunk = (content: ChunkContent): Promise<Buffer> => {
  const json = Buffer.from(JSON.stringify(toColumns(content)));
  return compress(json, {
    params: {
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_QUALITY]: 5,
      [constants.BROTLI_PARAM_SIZE_HINT]: json.length,
    },
  });
};

/** The reverse of `packChunk`. Throws where the bytes are not a chunk's. */
export const unpackChunk = async (packed: Uint8Array): Promise<ChunkContent> => {
  const stored = columns.parse(parseJson((await decompress(packed)).toString()));
  const { memory, held: postponed, deletions } = stored;
  return { entries: toEntries(stored), memory, ...defined({ postponed }), ...defined({ deletions }) };
};

/** DynamoDB: an item has up to 400 KB, names and keys included. */
const MAX_ITEM_BYTES = 400 * 1024;
/** Keys, numbers and the attributes' names of a chunk. */
const CHUNK_FRAME_BYTES = 2_048;
const MAX_PACKED_BYTES = MAX_ITEM_BYTES - CHUNK_FRAME_BYTES;

const toChunk = async (item: Item, runId: string, index: number): Promise<LedgerChunk> => {
  const key = keyName(item);
  const reader = readItem(item, key);
  const versionMs = reader.number('versionMs');
  const packed = reader.bytes('entries');
  const optional = (name: string) => (reader.has(name) ? reader.number(name) : undefined);
  const times = defined({ sentMs: optional('sentMs'), unsent: optional('unsent') });
  try {
    return { runId, index, versionMs, ...times, ...(await unpackChunk(packed)) };
  } catch (cause) {
    throw new MalformedItemError(key, 'entries cannot be unpacked', { cause });
  }
};

// Six digits: a million records in pages of ten are 100,000 chunks, and the keys must sort as the numbers do.
const chunkName = (index: number) => text(`chunk#${String(index).padStart(6, '0')}`);

/** The partition key of a run's chunks. */
export const chunkPartition = (integration: string, runId: string): string => `${integration}#${runId}`;

export const chunkKey = (integration: string, runId: string, index: number): Item => ({
  pk: text(chunkPartition(integration, runId)),
  sk: chunkName(index),
});

/** Ledgers, chunk by chunk under the run's own partition. */
export const dynamoLedger = (
  table: Table,
  expiresAtSec: (startMs: number) => number,
): Pick<RunStore, 'saveChunk' | 'chunks'> => {
  return {
    saveChunk: async (integration, { runId, index, versionMs, sentMs, unsent, ...content }) => {
      const packed = await packChunk(content);
      if (packed.length > MAX_PACKED_BYTES) {
        throw new ChunkTooLargeError(runId, index, packed.length, MAX_PACKED_BYTES);
      }
      const Item: Item = {
        ...chunkKey(integration, runId, index),
        versionMs: number(versionMs),
        ...(sentMs !== undefined && { sentMs: number(sentMs) }),
        ...(unsent !== undefined && { unsent: number(unsent) }),
        entries: { B: packed },
        expiresAtSec: number(expiresAtSec(versionMs)),
      };
      await table.client.send(new PutItemCommand({ TableName: table.TableName, Item }));
    },
    async *chunks(integration, runId, upTo, from = 1) {
      if (upTo < from) return;
      let index = from - 1;
      const pages = queryPages(table, {
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: {
          ':pk': text(chunkPartition(integration, runId)),
          ':from': chunkName(from),
          ':to': chunkName(upTo),
        },
      });
      for await (const page of pages) {
        for (const item of page) {
          index += 1;
          if (item.sk?.S !== chunkName(index).S) throw new MissingChunkError(runId, index);
          yield await toChunk(item, runId, index);
        }
      }
      if (index < upTo) throw new MissingChunkError(runId, index + 1);
    },
  };
};
