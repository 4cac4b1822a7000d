import type { IdCheck } from '../idcheck/item.ts';
import type { RecordMessage } from '../messages/record-message.ts';
import { addUse, noUse, type TargetUse } from '../runs/limits.ts';
import type { RecordDelivery } from './deliveries.ts';
import { type Ending, putOff } from './ending.ts';
import type { PutOffReason } from './events.ts';
import type { LoaderDeps, Loading } from './loading.ts';

export type Ended = { messageId: string; message: RecordMessage; ending: Ending };

/** A delivery whose record is to be POSTed, with the item as it was read. */
export type Candidate = RecordDelivery & { stored: IdCheck | undefined };

/** One round of an integration's records on its way, each id once. */
export type Round = {
  readonly loading: Loading;
  readonly deps: LoaderDeps;
  /** No POST starts later: settling needs the rest of the invocation. */
  readonly deadlineMs: number;
  /** A request of this round was told to wait: its word holds here at once, without asking the limiter again. */
  pausedUntilMs: number;
  readonly ended: Ended[];
  readonly useByRun: Map<string, TargetUse>;
};

/** Counts what a run used of the target. */
export const count = (useByRun: Map<string, TargetUse>, runId: string, use: Partial<TargetUse>): void => {
  useByRun.set(runId, addUse(useByRun.get(runId) ?? noUse(), { ...noUse(), ...use }));
};

export const end = (round: Round, { messageId, message }: RecordDelivery, ending: Ending): void => {
  round.ended.push({ messageId, message, ending });
};

export const putAllOff = (round: Round, these: readonly RecordDelivery[], why: PutOffReason, waitMs: number): void => {
  for (const delivery of these) {
    end(round, delivery, putOff(delivery.message, why, waitMs, round.deps.random.fraction()));
  }
};
