import type { RestCause } from '../connection/limit/health.ts';
import type { AcknowledgeReason } from '../idcheck/decide.ts';
import type { TargetUse } from '../runs/limits.ts';
import type { EventsOf } from '../runtime/log.ts';
import type { OutcomeCause } from '../target/target.ts';

/** What a delivery was settled as: what became of its record, or why nothing was sent for it. */
export type SettledAs =
  | 'loaded'
  | 'rejected'
  | 'uncertain'
  | 'exhausted'
  | AcknowledgeReason
  | 'parent-never-came'
  /** It is of a state that somebody has replaced: `okki-sync target new`. */
  | 'replaced';

/** Why a delivery is put off: nothing failed. */
export type PutOffReason =
  /** The shared limit gives no permit in time; the target asked for a pause; it told this very request to wait. */
  | 'rate-limit'
  | 'paused'
  | 'throttled'
  /** Nothing is sent to the target but one record now and then; nobody can tell whether it rests; it was found down. */
  | 'resting'
  | 'health-unknown'
  | 'target-down'
  /** The invocation's time ends before a POST would. */
  | 'no-time'
  /** Another worker has claimed this id; a POST of other content may still be applied; the parent is not loaded yet. */
  | 'claimed'
  | 'in-doubt'
  | 'parent'
  /** The target is still at an earlier try of this very content. */
  | 'conflict'
  /** The claim ends too soon for a POST; another took it over; it could not be settled. */
  | 'claim-too-old'
  | 'claim-lost'
  | 'not-settled'
  /** The target is another than the one that the state belongs to, and nobody has decided yet. */
  | 'target-moved'
  /** What is needed cannot be reached or opened. */
  | 'idcheck-unreachable'
  | 'not-opened'
  | 'target-not-opened'
  | 'no-dead-letter';

/** Why a delivery is tried again: what failed, with the target's status where it answered. */
export type RetryReason = OutcomeCause | `${OutcomeCause} ${number}`;

export type PutBackReason = PutOffReason | RetryReason;

const limitWaits: ReadonlySet<PutBackReason> = new Set<PutBackReason>(['rate-limit', 'paused', 'throttled', 'resting']);

/** Whether a delivery that is put back lacked only a permit to be sent. */
export const isLimitWait = (why: PutBackReason): boolean => limitWaits.has(why);

type OfRun = { integration: string; runId: string };
type OfDelivery = OfRun & { id: string; messageId: string };
type OfPost = OfDelivery & { attempt: number };
type NotLoaded = OfPost & { cause: OutcomeCause; status: number | undefined };

/** What loading logs. */
export type LoadEvent = EventsOf<{
  /** A delivery ended; its message is deleted. */
  settled: OfDelivery & { attempts: number; as: SettledAs };
  /** A copy of the delivery's message goes back to the queue. `isRetry`: after a real failure, which counts. */
  'put-back': OfDelivery & { attempts: number; why: PutBackReason; delaySec: number; isRetry: boolean };
  /** It was put off for too long: its message is deleted, its record stays open, and the next run sends it. */
  aged: OfDelivery & { attempts: number; why: PutBackReason; deferrals: number };
  /** How a POST ended for its record. */
  loaded: OfPost;
  rejected: NotLoaded | (OfRun & { id: string; cause: 'parent'; parentId: string });
  notApplied: NotLoaded;
  uncertain: NotLoaded;
  /** A message that is none of ours. */
  unreadable: { messageId: string; why: string };
  'target-requests': OfRun & TargetUse;
  'requests-not-counted': OfRun & TargetUse & { error: string };
  /** The target asked for a long pause, which holds everybody. */
  'target-paused': OfRun & { connection: string; until: string; why: string };
  /** Nothing is sent over the connection but one record now and then, and again all. */
  'rest-began': { connection: string; cause: RestCause; why: string };
  'rest-ended': { connection: string; cause: RestCause; lastedMs: number };
  'rest-not-noted': OfRun & { error: string };
  'health-unreachable': { connection: string; error: string };
  /** The target is another than the one that the state belongs to; the deliveries wait for a person's word. */
  'target-moved': { integration: string; messages: number };
  /** What could not be reached or opened; the deliveries wait. */
  'not-opened': { integration: string; messages: number; error: string };
  'target-not-opened': { integration: string; error: string };
  'idcheck-unreachable': { integration: string; error: string };
  'claim-failed': { integration: string; id: string; error: string };
  'limiter-unreachable': { connection: string; error: string };
  /** Neither their copies nor their dead letters could be sent: as often as `maxReceiveCount`, and SQS makes letters of them. */
  'deliveries-failed': { messages: number };
  'records-queue-unreachable': { messages: number; error: string };
  'claim-lost': { integration: string; id: string };
  'settle-failed': { integration: string; id: string; tried: number; error: string };
}>;
