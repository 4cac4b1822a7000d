import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { LedgerChunk } from '../../runs/ledger.ts';
import { ChunkTooLargeError, MissingChunkError, type RunStore } from '../../runs/store.ts';
import { type Item, MalformedItemError, number, readItem, text } from './attributes.ts';
import { packChunk, unpackChunk } from './ledger-chunk.ts';
import { keyName, queryPages, type Table } from './table.ts';

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
  try {
    return { runId, index, versionMs, ...(await unpackChunk(packed)) };
  } catch (cause) {
    throw new MalformedItemError(key, 'entries cannot be unpacked', { cause });
  }
};

// Six digits: a million records in pages of ten are 100,000 chunks, and the keys must sort as the numbers do.
const chunkName = (index: number) => text(`chunk#${String(index).padStart(6, '0')}`);

/** The partition key of a run's chunks. */
export const chunkPartition = (integration: string, runId: string): string => `${integration}#${runId}`;

/** Ledgers, chunk by chunk under the run's own partition. */
export const dynamoLedger = (
  table: Table,
  expiresAtSec: (startMs: number) => number,
): Pick<RunStore, 'saveChunk' | 'chunks'> => {
  return {
    saveChunk: async (integration, { runId, index, versionMs, ...content }) => {
      const packed = await packChunk(content);
      if (packed.length > MAX_PACKED_BYTES) {
        throw new ChunkTooLargeError(runId, index, packed.length, MAX_PACKED_BYTES);
      }
      const Item: Item = {
        pk: text(chunkPartition(integration, runId)),
        sk: chunkName(index),
        versionMs: number(versionMs),
        entries: { B: packed },
        expiresAtSec: number(expiresAtSec(versionMs)),
      };
      await table.client.send(new PutItemCommand({ TableName: table.TableName, Item }));
    },
    async *chunks(integration, runId, upTo) {
      if (upTo < 1) return;
      let index = 0;
      const pages = queryPages(table, {
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: {
          ':pk': text(chunkPartition(integration, runId)),
          ':from': chunkName(1),
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
