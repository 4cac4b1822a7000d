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
import { MAX_DELAY_SEC, type Outgoing, type ReadableQueue, type Received } from '../../messages/queue.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { type Random, systemRandom } from '../../runtime/random.ts';
import { type FailedEntry, packBatches, type SendBatch, type Split, settleBatches } from './settle-batches.ts';

/** A short poll asks a sample of SQS's servers and can miss messages that are there; a long poll asks all of them. */
const LONG_POLL_SEC = 1;

/** Errors of a whole batch request that are the fault of one body in it, or of their sum. */
const BODY_FAULTS = new Set(['BatchRequestTooLong', 'InvalidMessageContents', 'InvalidParameterValue']);

const isBodyFault = (error: unknown): boolean => error instanceof Error && BODY_FAULTS.has(error.name);

/** The entries' ids are their indexes. A batch can half fail inside HTTP 200. */
const failedEntries = (failed: readonly BatchResultErrorEntry[] = []): FailedEntry[] =>
  failed.map(({ Id, SenderFault }) => ({ index: Number(Id), senderFault: SenderFault === true }));

const toEntry = ({ body, delaySec }: Outgoing, index: number): SendMessageBatchRequestEntry => ({
  Id: String(index),
  MessageBody: body,
  ...(delaySec !== undefined && { DelaySeconds: Math.min(Math.ceil(delaySec), MAX_DELAY_SEC) }),
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

export type SqsQueueOptions = { clock?: Clock; random?: Random };

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
