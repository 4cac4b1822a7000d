import { MAX_DELAY_SEC, type Outgoing } from '../messages/queue.ts';
import { type RecordMessage, writeMessage } from '../messages/record-message.ts';
import { ConfigurationError } from '../runtime/fault.ts';
import type { PutBackReason, PutOffReason, RetryReason, SettledAs } from './events.ts';

/**
 * How one delivery ends.
 *
 * - `done`: settled; the message is deleted.
 * - `again`: a copy goes back to the queue with a delay, and this message is deleted. Never by failing the delivery:
 *   every receive counts towards `maxReceiveCount` (SQS redrive policy), and waiting is not failing.
 */
export type Ending = { kind: 'done'; as: SettledAs } | Again;
export type Again = { kind: 'again'; why: PutBackReason; message: RecordMessage; delaySec: number };

/** A store, queue or secret that cannot be reached: nobody may POST, everybody waits, ms. */
export const UNREACHABLE_WAIT_MS = 30_000;
/** Configuration is mended by people, ms. */
const MISCONFIGURED_WAIT_MS = 300_000;

/** How long to wait, ms, after something that is needed for a POST could not be opened. */
export const misfitWaitMs = (error: unknown): number =>
  error instanceof ConfigurationError ? MISCONFIGURED_WAIT_MS : UNREACHABLE_WAIT_MS;

const delaySecOf = (ms: number): number => Math.min(MAX_DELAY_SEC, Math.max(1, Math.ceil(ms / 1000)));

export const done = (as: SettledAs): Ending => ({ kind: 'done', as });

/**
 * Puts a message off by `waitMs`: nothing failed, no attempt is used up. What was put off before comes back spread
 * over up to `2^deferrals` seconds more (`fraction` in [0, 1) picks when), so that a backlog behind a rate limit does not return all at once.
 */
export const putOff = (message: RecordMessage, why: PutOffReason, waitMs: number, fraction: number): Again => ({
  kind: 'again',
  why,
  message: { ...message, deferrals: message.deferrals + 1 },
  delaySec: delaySecOf(waitMs + fraction * 1000 * Math.min(MAX_DELAY_SEC, 2 ** message.deferrals)),
});

/** Tries again after a real failure. The message carries the attempt already. */
export const retry = (message: RecordMessage, why: RetryReason, waitMs: number): Again => ({
  kind: 'again',
  why,
  message,
  delaySec: delaySecOf(waitMs),
});

export const outgoingOf = ({ message, delaySec }: Again): Outgoing => ({
  body: writeMessage(message),
  delaySec,
});
