import type { Failure, RecordMessage } from '../dispatch/message.ts';

/**
 * Why a message waits in the dead-letter queue.
 *
 * - `rejected`: the target refused the record.
 * - `uncertain`: nobody knows whether the POST was applied, and the integration says `park`.
 * - `exhausted`: given up after `maxAttempts` real failures.
 * - `unreadable`: not a message of ours: not JSON, unknown version, unknown integration.
 * - `crashed`: SQS itself moved it there after `maxReceiveCount` receives, since its worker never answered.
 */
export type DeadLetterReason = 'rejected' | 'uncertain' | 'exhausted' | 'unreadable' | 'crashed';

/** The body of a message that the loader put into the dead-letter queue. No secrets, no headers. */
export type DeadLetter = {
  v: 1;
  deadLetter: Exclude<DeadLetterReason, 'crashed'>;
  integration?: string;
  id?: string;
  runId?: string;
  attempts: number;
  firstMs: number;
  lastMs: number;
  failure: Failure;
  /** The record message, ready to be sent again; for `unreadable`: absent. */
  message?: RecordMessage;
  /** The body as it was received; only for `unreadable`. */
  unreadableBody?: string;
};
