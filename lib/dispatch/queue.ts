/** A message to send; `delaySec` 0 to 900 (SQS: DelaySeconds). */
export type Outgoing = { body: string; delaySec?: number };

/**
 * A queue as a port (SQS).
 *
 * `sendAll` splits into batches (10 entries and 1 MiB in all, SendMessageBatch), resends entries that failed inside
 * an HTTP 200, and returns the indexes of those that the queue did not accept in the end. It throws only when the
 * queue cannot be reached at all.
 */
export interface Queue {
  sendAll(messages: readonly Outgoing[]): Promise<{ failed: number[] }>;
}

/** A message received by hand (dead letters), with the handle that deletes it or shows it again. */
export type Received = { messageId: string; handle: string; body: string; sentMs: number; receiveCount: number };

/** A queue that is read by hand: the dead letters. */
export interface ReadableQueue extends Queue {
  /** Up to `max` (≤ 10) messages, hidden from others for `hideSec`. Empty means: none right now. */
  receive(max: number, hideSec: number): Promise<Received[]>;
  delete(handles: readonly string[]): Promise<{ failed: number[] }>;
  /** Shows messages again after `sec` (≥ 1) seconds. */
  release(handles: readonly string[], sec: number): Promise<void>;
  /** Visible, in flight and delayed messages, as the queue estimates them. */
  depth(): Promise<{ visible: number; inFlight: number; delayed: number }>;
}
