import { QueueUnreachableError, type SendEnd } from '../../messages/queue.ts';
import { type Backoff, backoffMs } from '../../runtime/backoff.ts';
import { mapBounded } from '../../runtime/bounded.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';

/** A batch request takes up to this many entries (SQS API Reference). */
export const MAX_BATCH_ENTRIES = 10;
/** One message, and all messages of a batch together, may have up to 1 MiB (SQS API Reference, SendMessageBatch). */
export const MAX_BATCH_BYTES = 1_048_576;

/**
 * Splits entries into batches that SQS accepts, in order. An entry that is larger than `MAX_BATCH_BYTES` by itself is
 * in none of them.
 */
export const packBatches = (entries: readonly number[], sizeBytes: (entry: number) => number): number[][] => {
  const batches: number[][] = [];
  let batch: number[] = [];
  let batchBytes = 0;
  for (const entry of entries) {
    const entryBytes = sizeBytes(entry);
    if (entryBytes > MAX_BATCH_BYTES) continue;
    if (batch.length === 0 || batch.length === MAX_BATCH_ENTRIES || batchBytes + entryBytes > MAX_BATCH_BYTES) {
      batch = [];
      batchBytes = 0;
      batches.push(batch);
    }
    batch.push(entry);
    batchBytes += entryBytes;
  }
  return batches;
};

const BATCH_CONCURRENCY = 4;
/** Entries that failed inside an HTTP 200 are sent again this often; whole requests the SDK repeats by itself. */
const MAX_RESENDS = 4;
const RESEND_BACKOFF: Backoff = { baseMs: 100, capMs: 2_000 };

/** An entry that a batch request did not take; with `senderFault` it never will (SQS: BatchResultErrorEntry). */
export type FailedEntry = { index: number; senderFault: boolean };

/** Sends one batch; throws when the request as a whole fails. */
export type SendBatch = (indexes: readonly number[]) => Promise<FailedEntry[]>;

/** Splits the entries that are still to be sent into batches. */
export type Split = (pending: readonly number[]) => number[][];

type BatchEnd = { unsent: number[]; retryable: number[]; refused: number[] };

/**
 * Sends all of `count` entries in batches, some at a time, and again, backed off, those that failed through no fault of
 * the sender. After a request that failed as a whole nothing more is started: the caller's invocation is too short to
 * wait for a dead queue batch by batch. What is in none of the batches is refused. Throws
 * `QueueUnreachableError` when a request was lost and no entry was accepted at all.
 */
export const settleBatches = async (
  count: number,
  split: Split,
  send: SendBatch,
  clock: Clock,
  random: Random,
): Promise<SendEnd> => {
  let lost: { cause: unknown } | undefined;

  const settle = async (indexes: number[]): Promise<BatchEnd> => {
    if (lost) return { unsent: indexes, retryable: [], refused: [] };
    try {
      const failed = await send(indexes);
      return {
        unsent: failed.map(({ index }) => index),
        retryable: failed.filter(({ senderFault }) => !senderFault).map(({ index }) => index),
        refused: failed.filter(({ senderFault }) => senderFault).map(({ index }) => index),
      };
    } catch (cause) {
      lost ??= { cause };
      return { unsent: indexes, retryable: [], refused: [] };
    }
  };

  const all = Array.from({ length: count }, (_, index) => index);
  const unsent = new Set(all);
  const fitting = new Set(split(all).flat());
  const refused = all.filter((index) => !fitting.has(index));
  let pending = [...fitting];
  for (let resends = 0; pending.length > 0 && resends <= MAX_RESENDS && !lost; resends++) {
    if (resends > 0) await clock.sleep(backoffMs(resends - 1, random.fraction(), RESEND_BACKOFF));
    const batches = split(pending);
    const ends = await mapBounded(batches, BATCH_CONCURRENCY, settle);
    const stillUnsent = new Set(ends.flatMap((end) => end.unsent));
    for (const index of batches.flat()) if (!stillUnsent.has(index)) unsent.delete(index);
    pending = ends.flatMap((end) => end.retryable);
    refused.push(...ends.flatMap((end) => end.refused));
  }
  if (lost && unsent.size === count) throw new QueueUnreachableError('the queue cannot be reached', lost);
  return { failed: [...unsent], ...(refused.length > 0 && { refused: refused.sort((a, b) => a - b) }) };
};
