import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteMessageBatchCommand, type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { MappingSpec } from './declared-functions.ts';
import type { FunctionRuntime, Invocation } from './function-runtime.ts';
import { hopsOf, longestOf, MAX_HOPS } from './lineage.ts';
import { LOCAL_REGION } from './local-account.ts';
import { toSqsRecord, traceOf } from './sqs-event.ts';

/** What became of one batch; `fault` says why messages of it come back. */
export type BatchEnd = { functionName: string; queueName: string; size: number; deleted: number; fault?: string };

/** Polls one queue for one function. */
export type EventSource = {
  start(): void;
  /** Takes no more messages; ends when the batches under way have ended. */
  stop(): Promise<void>;
  /** How many batches are being gathered or worked on. */
  holding(): number;
};

type EventSourceOptions = {
  mapping: MappingSpec;
  queueUrl: string;
  client: SQSClient;
  /** The most batches under way at once. */
  maxPollers: number;
  invoke: FunctionRuntime['invoke'];
  /** Messages that wait in the queue. */
  visible: () => number;
  /** Makes the server answer long polls now. */
  wakeLongPolls: () => void;
  onBatch: (end: BatchEnd) => void;
  /** The queue could not be read or written; polling goes on. */
  onFault: (error: unknown) => void;
};

/** The most that one ReceiveMessage or DeleteMessageBatch takes (SQS API reference). */
const SQS_BATCH = 10;
/** The longest long poll that SQS allows. */
const LONG_POLL_SEC = 20;
/** A poller beside the first one ends when it finds nothing for so long. */
const EXTRA_POLL_SEC = 1;
/**
 * SQS's long polls last whole seconds. In the last second of a batching window the queue is polled this often instead.
 */
const WINDOW_LOOK_MS = 100;
const SCALE_EVERY_MS = 100;
const FAULT_PAUSE_MS = 200;

/**
 * An event source mapping from a queue to a function: batch size and window, several batches at once, and deletion by
 * the function's answer. Rules: Lambda developer guide, "Using Lambda with Amazon SQS". A failed message is left in the
 * queue. It comes back when its visibility timeout ends, and SQS itself moves it to the dead-letter queue.
 */
export function createEventSource(options: EventSourceOptions): EventSource {
  const { mapping, queueUrl, client } = options;
  const pollers = new Set<Promise<void>>();
  /** The batches under way, and when their handlers began. The time to load a handler says nothing about a batch. */
  const batchStartsMs = new Map<symbol, number | undefined>();
  /** The batches that pollers hold, gathered or not. */
  const held = new Set<symbol>();
  let lastBatchMs = 0;
  let polling = false;
  let scaleTimer: NodeJS.Timeout | undefined;

  const receive = async (max: number, waitSec: number): Promise<Message[]> => {
    const command = new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: Math.min(max, SQS_BATCH),
      WaitTimeSeconds: waitSec,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    });
    return (await client.send(command)).Messages ?? [];
  };

  // The window starts with the first message and ends early when the batch is full.
  const fill = async (batch: Message[]): Promise<void> => {
    const windowEndMs = performance.now() + mapping.windowMs;
    while (polling && batch.length < mapping.batchSize) {
      const leftMs = windowEndMs - performance.now();
      if (leftMs <= 0) break;
      const waitSec = Math.min(Math.floor(leftMs / 1000), LONG_POLL_SEC);
      const more = await receive(mapping.batchSize - batch.length, waitSec);
      batch.push(...more);
      if (more.length === 0 && waitSec === 0) await sleep(Math.min(leftMs, WINDOW_LOOK_MS));
    }
  };

  const deleteMessages = async (messages: readonly Message[]): Promise<void> => {
    for (let start = 0; start < messages.length; start += SQS_BATCH) {
      const entries = messages.slice(start, start + SQS_BATCH);
      await client.send(
        new DeleteMessageBatchCommand({
          QueueUrl: queueUrl,
          Entries: entries.map((message, index) => ({ Id: String(index), ReceiptHandle: message.ReceiptHandle })),
        }),
      );
    }
  };

  const processBatch = async (batch: readonly Message[], onStart: () => void): Promise<void> => {
    const { functionName, queueName, deployedName, recursiveLoop } = mapping;
    const traceHeader = longestOf(batch.map(traceOf), deployedName);
    const hops = hopsOf(traceHeader, deployedName);
    if (recursiveLoop === 'Terminate' && hops >= MAX_HOPS) {
      // A message that is not deleted is received again, until the queue's maxReceiveCount.
      const fault = `RecursiveInvocationException: ${hops} times through ${deployedName} in one chain of messages`;
      return options.onBatch({ functionName, queueName, size: batch.length, deleted: 0, fault });
    }
    const queue = { arn: mapping.queueArn, region: LOCAL_REGION };
    const event = { Records: batch.map((message) => toSqsRecord(message, queue)) };
    const invocation = await options.invoke(event, { onStart, traceHeader });
    lastBatchMs = invocation.durationMs;
    const { done, fault } = split(batch, invocation, mapping.reportBatchItemFailures);
    await deleteMessages(done);
    const end = { functionName, queueName, size: batch.length, deleted: done.length };
    options.onBatch(fault === undefined ? end : { ...end, fault });
  };

  /** Whether there was something to do. */
  const poll = async (waitSec: number): Promise<boolean> => {
    const key = Symbol();
    try {
      const batch = await receive(mapping.batchSize, waitSec);
      if (batch.length === 0) return false;
      held.add(key);
      await fill(batch);
      batchStartsMs.set(key, undefined);
      await processBatch(batch, () => batchStartsMs.set(key, performance.now()));
    } catch (error) {
      if (!polling) return false;
      options.onFault(error);
      await sleep(FAULT_PAUSE_MS);
    } finally {
      batchStartsMs.delete(key);
      held.delete(key);
    }
    scale();
    return true;
  };
  const pollAlways = async (): Promise<void> => {
    while (polling) await poll(LONG_POLL_SEC);
  };
  const pollWhileBusy = async (): Promise<void> => {
    while (polling && (await poll(EXTRA_POLL_SEC)));
  };
  const addPoller = (run: () => Promise<void>): void => {
    const poller = run().finally(() => pollers.delete(poller));
    pollers.add(poller);
  };

  const scale = (): void => {
    if (!polling) return;
    const nowMs = performance.now();
    const wanted = pollersFor({
      visible: options.visible(),
      batchSize: mapping.batchSize,
      batchMs: Math.max(lastBatchMs, ...[...batchStartsMs.values()].map((startMs = nowMs) => nowMs - startMs)),
      busy: batchStartsMs.size,
      max: options.maxPollers,
    });
    while (pollers.size < wanted) addPoller(pollWhileBusy);
  };

  return {
    start() {
      if (polling) return;
      polling = true;
      addPoller(pollAlways);
      scaleTimer = setInterval(scale, SCALE_EVERY_MS);
    },
    async stop() {
      polling = false;
      clearInterval(scaleTimer);
      // Again and again: a long poll may be on its way to the server just now.
      const wake = setInterval(options.wakeLongPolls, 10);
      await Promise.all(pollers);
      clearInterval(wake);
    },
    holding: () => held.size,
  };
}

function split(
  batch: readonly Message[],
  invocation: Invocation,
  reportBatchItemFailures: boolean,
): { done: readonly Message[]; fault?: string } {
  if (invocation.outcome === 'error') return { done: [], fault: invocation.error.message };
  if (!reportBatchItemFailures) return { done: batch };
  const ids = new Set(batch.map((message) => message.MessageId ?? ''));
  const answer = readBatchAnswer(invocation.result, ids);
  if (answer.kind === 'all-failed') return { done: [], fault: `unusable batch answer: ${answer.reason}` };
  const done = batch.filter((message) => !answer.failed.has(message.MessageId ?? ''));
  return answer.failed.size === 0 ? { done } : { done, fault: `${answer.failed.size} reported as failed` };
}

/** What decides how many pollers a queue gets. */
export type Backlog = {
  /** Messages that wait to be received. */
  visible: number;
  batchSize: number;
  /** How long a batch takes, ms: at least as long as the batches under way have taken so far. */
  batchMs: number;
  /** Batches under way. */
  busy: number;
  max: number;
};

/** Another environment is worth it only if the present ones need longer than this for the backlog. */
const TARGET_MS = 500;

/**
 * How many pollers a queue's backlog is worth, from 1 to `max`: enough to finish it in about half a second, but no more
 * than there are batches. AWS starts with five and adds more while messages wait. On one machine every environment
 * costs a cold start, so one worker keeps a backlog that it finishes before a second one has started.
 */
export function pollersFor({ visible, batchSize, batchMs, busy, max }: Backlog): number {
  const batches = Math.ceil(visible / batchSize);
  const wanted = Math.min(Math.ceil((batches * batchMs) / TARGET_MS), busy + batches);
  return Math.min(Math.max(wanted, 1), max);
}

/** Why a batch counts as failed as a whole. */
type WholeBatchFailure = 'not-an-object' | 'not-a-list' | 'no-identifier' | 'unknown-identifier';

/** Which messages of a batch failed: none, some, or all. All where the answer is not valid. */
type BatchAnswer = { kind: 'partial'; failed: ReadonlySet<string> } | { kind: 'all-failed'; reason: WholeBatchFailure };

const NONE_FAILED: BatchAnswer = { kind: 'partial', failed: new Set() };

/**
 * Reads the answer of a function whose mapping has ReportBatchItemFailures.
 *
 * Lambda developer guide, "Handling errors for an SQS event source in Lambda", success and failure conditions: an
 * empty or null answer, and an empty or null `batchItemFailures`, mean success; an answer that is not valid, and an
 * `itemIdentifier` that is an empty string, null, under a wrong key, or not of this batch, mean that all failed.
 */
export function readBatchAnswer(answer: unknown, messageIds: ReadonlySet<string>): BatchAnswer {
  if (answer === null || answer === undefined) return NONE_FAILED;
  if (typeof answer !== 'object' || Array.isArray(answer)) return { kind: 'all-failed', reason: 'not-an-object' };
  const failures: unknown = 'batchItemFailures' in answer ? answer.batchItemFailures : null;
  if (failures === null || failures === undefined) return NONE_FAILED;
  if (!Array.isArray(failures)) return { kind: 'all-failed', reason: 'not-a-list' };
  const failed = new Set<string>();
  for (const failure of failures) {
    const id: unknown = typeof failure === 'object' && failure !== null ? failure.itemIdentifier : undefined;
    if (typeof id !== 'string' || id === '') return { kind: 'all-failed', reason: 'no-identifier' };
    if (!messageIds.has(id)) return { kind: 'all-failed', reason: 'unknown-identifier' };
    failed.add(id);
  }
  return { kind: 'partial', failed };
}
