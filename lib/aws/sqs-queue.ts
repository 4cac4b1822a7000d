import {
  type BatchResultErrorEntry,
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import {
  MAX_DELAY_SEC,
  type Outgoing,
  QueueUnreachableError,
  type ReadableQueue,
  type Received,
  type SendEnd,
} from '../messages/queue.ts';
import { type Backoff, backoffMs } from '../runtime/backoff.ts';
import { mapBounded } from '../runtime/bounded.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import { type Random, systemRandom } from '../runtime/random.ts';

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
type FailedEntry = { index: number; senderFault: boolean };

/** Sends one batch; throws when the request as a whole fails. */
type SendBatch = (indexes: readonly number[]) => Promise<FailedEntry[]>;

/** Splits the entries that are still to be sent into batches. */
type Split = (pending: readonly number[]) => number[][];

type BatchEnd = { unsent: number[]; retryable: number[]; refused: number[] };

/**
 * Sends all of `count` entries in batches, some at a time, and again, backed off, those that failed through no fault of
 * the sender. After a request that failed as a whole nothing more is started: the caller's invocation is too short to
 * wait for a dead queue batch by batch. What is in none of the batches is refused. Throws
 * `QueueUnreachableError` when a request was lost and no entry was accepted at all.
 */
const settleBatches = async (
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
  if (lost && unsent.size === count) {
    throw new QueueUnreachableError(`the queue cannot be reached: ${String(lost.cause)}`, lost);
  }
  return { failed: [...unsent], ...(refused.length > 0 && { refused: refused.sort((a, b) => a - b) }) };
};

/** A short poll asks a sample of SQS's servers and can miss messages that are there; a long poll asks all of them. */
const LONG_POLL_SEC = 1;

/** Errors of a whole batch request that are the fault of one body in it, or of their sum. */
const BODY_FAULTS = new Set(['BatchRequestTooLong', 'InvalidMessageContents', 'InvalidParameterValue']);

const isBodyFault = (error: unknown): boolean => error instanceof Error && BODY_FAULTS.has(error.name);

/** The entries' ids are their indexes. A batch can half fail inside HTTP 200. */
const failedEntries = (failed: readonly BatchResultErrorEntry[] = []): FailedEntry[] =>
  failed.map(({ Id, SenderFault }) => ({ index: Number(Id), senderFault: SenderFault === true }));

const toEntry = ({ body, delaySec, group }: Outgoing, index: number): SendMessageBatchRequestEntry => ({
  Id: String(index),
  MessageBody: body,
  ...(delaySec !== undefined && { DelaySeconds: Math.min(Math.ceil(delaySec), MAX_DELAY_SEC) }),
  ...defined({ MessageGroupId: group }),
});

const toReceived = ({ MessageId = '', ReceiptHandle = '', Body = '', Attributes }: Message): Received => ({
  messageId: MessageId,
  handle: ReceiptHandle,
  body: Body,
  sentMs: Number(Attributes?.SentTimestamp),
  receiveCount: Number(Attributes?.ApproximateReceiveCount),
});

const pick = <Value>(values: readonly Value[], indexes: readonly number[]): { value: Value; index: number }[] =>
  indexes.flatMap((index) => {
    const value = values[index];
    return value === undefined ? [] : [{ value, index }];
  });

const tens: Split = (pending) => packBatches(pending, () => 0);

type SqsQueueOptions = { clock?: Clock; random?: Random };

/** An SQS standard queue. `receive` waits up to a second for messages. */
export const sqsQueue = (
  client: SQSClient,
  queueUrl: string,
  { clock = systemClock, random = systemRandom }: SqsQueueOptions = {},
): ReadableQueue => {
  const QueueUrl = queueUrl;

  const send = async (entries: SendMessageBatchRequestEntry[]): Promise<FailedEntry[]> => {
    try {
      const { Failed } = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries: entries }));
      return failedEntries(Failed);
    } catch (error) {
      if (!isBodyFault(error)) throw error;
      if (entries.length === 1) return entries.map(({ Id }) => ({ index: Number(Id), senderFault: true }));
      // One body must not hold up the others: each goes alone, and the faulty one fails alone.
      const alone: FailedEntry[] = [];
      for (const entry of entries) alone.push(...(await send([entry])));
      return alone;
    }
  };

  return {
    sendAll: (messages) => {
      const sizes = messages.map(({ body }) => Buffer.byteLength(body));
      const split: Split = (pending) => packBatches(pending, (index) => sizes[index] ?? 0);
      const sendBatch: SendBatch = (indexes) =>
        send(pick(messages, indexes).map(({ value, index }) => toEntry(value, index)));
      return settleBatches(messages.length, split, sendBatch, clock, random);
    },
    receive: async (max, hideSec) => {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MaxNumberOfMessages: max,
          VisibilityTimeout: hideSec,
          WaitTimeSeconds: LONG_POLL_SEC,
          MessageSystemAttributeNames: ['SentTimestamp', 'ApproximateReceiveCount'],
        }),
      );
      return Messages.map(toReceived);
    },
    delete: (handles) => {
      const sendBatch: SendBatch = async (indexes) => {
        const Entries = pick(handles, indexes).map(({ value, index }) => ({ Id: String(index), ReceiptHandle: value }));
        const { Failed } = await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
        return failedEntries(Failed);
      };
      return settleBatches(handles.length, tens, sendBatch, clock, random);
    },
    release: async (handles, sec) => {
      const sendBatch: SendBatch = async (indexes) => {
        const Entries = pick(handles, indexes).map(({ value, index }) => ({
          Id: String(index),
          ReceiptHandle: value,
          VisibilityTimeout: sec,
        }));
        const { Failed } = await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
        return failedEntries(Failed);
      };
      await settleBatches(handles.length, tens, sendBatch, clock, random);
    },
    depth: async () => {
      const { Attributes } = await client.send(
        new GetQueueAttributesCommand({
          QueueUrl,
          AttributeNames: [
            'ApproximateNumberOfMessages',
            'ApproximateNumberOfMessagesNotVisible',
            'ApproximateNumberOfMessagesDelayed',
          ],
        }),
      );
      return {
        visible: Number(Attributes?.ApproximateNumberOfMessages ?? 0),
        inFlight: Number(Attributes?.ApproximateNumberOfMessagesNotVisible ?? 0),
        delayed: Number(Attributes?.ApproximateNumberOfMessagesDelayed ?? 0),
      };
    },
  };
};
