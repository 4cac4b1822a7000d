/** The longest delay that a message can be sent with (SQS: DelaySeconds). */
export const MAX_DELAY_SEC = 900;

/** A message comes back so long before it is due, at least: delays are whole seconds, and the queue is late by some. */
const BACK_EARLY_MS = 500;

/** The delay of a message that is due at `dueMs`, in whole seconds; 0 or less: it goes out at once. Pure. */
export const delaySecUntil = (dueMs: number, nowMs: number): number =>
  Math.min(MAX_DELAY_SEC, Math.floor((dueMs - BACK_EARLY_MS - nowMs) / 1000));

/**
 * A message to send. A `delaySec` above `MAX_DELAY_SEC` is cut to it: the message comes early and is put off again.
 * `group`: whose it is, so that a queue with the messages of many serves each in turn (SQS: fair queues).
 */
export type Outgoing = { body: string; delaySec?: number; group?: string };

/**
 * How a sending ended. `failed`: the indexes of the messages that the queue finally did not accept, in ascending order;
 * `refused`: those among them that it would never accept (too large, a character that it does not take), where any are.
 */
export type SendEnd = { failed: number[]; refused?: number[] };

/**
 * A queue as a port (SQS).
 *
 * `sendAll` splits into batches (10 entries and 1 MiB in all, SendMessageBatch) and resends entries that failed inside
 * an HTTP 200. It throws `QueueUnreachableError` only when the queue cannot be reached at all: then nothing was accepted for sure, but
 * a batch whose answer was lost may have been.
 */
export interface Queue {
  sendAll(messages: readonly Outgoing[]): Promise<SendEnd>;
}

/** A message received by hand (dead letters), with the handle that deletes it or shows it again. */
export type Received = { messageId: string; handle: string; body: string; sentMs: number; receiveCount: number };

/** A queue that is read by hand: the dead letters. */
export interface ReadableQueue extends Queue {
  /** Up to `max` (≤ 10) messages, hidden from others for `hideSec`. Empty means: none right now. */
  receive(max: number, hideSec: number): Promise<Received[]>;
  delete(handles: readonly string[]): Promise<{ failed: number[] }>;
  /** Shows messages again after `sec` (≥ 1) seconds; a handle that has run out is left: its message shows anyway. */
  release(handles: readonly string[], sec: number): Promise<void>;
  /** Visible, in flight and delayed messages, as the queue estimates them. */
  depth(): Promise<{ visible: number; inFlight: number; delayed: number }>;
}

/** How many messages a queue holds, as it estimates. */
export const messagesIn = ({ visible, inFlight, delayed }: Awaited<ReturnType<ReadableQueue['depth']>>): number =>
  visible + inFlight + delayed;

/** The queue did not answer, or refused every request. */
export class QueueUnreachableError extends Error {
  override readonly name = 'QueueUnreachableError';
  readonly code = 'queue-unreachable';
}
