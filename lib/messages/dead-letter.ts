import type { JsonObject } from '../json/json.ts';
import { defined } from '../runtime/defined.ts';
import type { Queue } from './queue.ts';
import { bodyText, type Failure, type RecordMessage } from './record-message.ts';

/**
 * Why a message waits in the dead-letter queue.
 *
 * - `rejected`: the target refused the record.
 * - `uncertain`: nobody knows whether the POST was applied, and the integration says `park`.
 * - `exhausted`: given up after `maxAttempts` real failures.
 * - `unreadable`: not a message of ours: not JSON, unknown version, unknown integration.
 * - `crashed`: SQS itself moved it there after `maxReceiveCount` receives, since its worker never answered.
 */
export const deadLetterReasons = ['rejected', 'uncertain', 'exhausted', 'unreadable', 'crashed'] as const;
export type DeadLetterReason = (typeof deadLetterReasons)[number];

/** The body of a message that the loader put into the dead-letter queue. No secrets, no headers. */
export type DeadLetter = {
  v: 1;
  deadLetter: Exclude<DeadLetterReason, 'crashed'>;
  integration?: string;
  id?: string;
  number?: string;
  runId?: string;
  attempts: number;
  firstMs: number;
  lastMs: number;
  failure: Failure;
  /** The record message, ready to be sent again; absent for `unreadable`. */
  message?: RecordMessage;
  /** The body as it was received; only for `unreadable`. */
  unreadableBody?: string;
};

/** The letter for a record that could not be loaded; `failure` is what ended it. */
export const letterFor = (
  reason: 'rejected' | 'uncertain' | 'exhausted',
  message: RecordMessage,
  failure: Failure,
): DeadLetter => ({
  v: 1,
  deadLetter: reason,
  integration: message.integration,
  id: message.id,
  ...defined({ number: message.number }),
  runId: message.runId,
  attempts: message.attempts,
  firstMs: message.firstSentMs,
  lastMs: failure.atMs,
  failure,
  message: { ...message, lastFailure: failure },
});

/** The letter for a body that is no record message; the body is kept as it came. */
export const letterForUnreadable = (body: string, why: string, nowMs: number): DeadLetter => ({
  v: 1,
  deadLetter: 'unreadable',
  attempts: 0,
  firstMs: nowMs,
  lastMs: nowMs,
  failure: { cause: 'unreadable', excerpt: why, atMs: nowMs },
  unreadableBody: body,
});

export const writeLetter = (letter: DeadLetter): string => bodyText(letter as JsonObject);

/** Whether the dead-letter queue accepted the letter; a queue that cannot be reached did not. */
export const sendLetter = async (queue: Queue, letter: DeadLetter): Promise<boolean> => {
  try {
    return (await queue.sendAll([{ body: writeLetter(letter) }])).failed.length === 0;
  } catch {
    return false;
  }
};
