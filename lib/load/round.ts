import type { IdCheck } from '../idcheck/item.ts';
import { outgoingRecord } from '../messages/record-message.ts';
import { addUse, noUse, type TargetUse } from '../runs/limits.ts';
import type { RemainingMs } from '../runtime/clock.ts';
import type { RecordDelivery } from './deliveries.ts';
import { appointed, type Ending, isAged, type PutBack, putOff } from './ending.ts';
import { isLimitWait, type PutOffReason } from './events.ts';
import type { LoaderDeps, LoadPlan } from './load-plan.ts';

/** A delivery whose record is to be POSTed, with the item as it was read. */
export type Candidate = RecordDelivery & { stored: IdCheck | undefined };

/** What becomes of an integration's deliveries in one invocation, over all rounds. */
export type Results = {
  readonly putBack: Array<{ messageId: string; ending: PutBack }>;
  readonly useByRun: Map<string, TargetUse>;
};

/** One round of an integration's records on its way, each id once. */
export type Round = Results & {
  readonly plan: LoadPlan;
  readonly deps: LoaderDeps;
  /** No POST starts later. */
  readonly deadlineMs: number;
  /** A request of this round was told to wait: the round obeys at once, without asking the limiter again. */
  pausedUntilMs: number;
  /** This worker's probe of a target that rests, until its outcome is told. */
  probe?: string;
};

/**
 * Until when a batch begins POSTs, ms since the epoch: settling needs the rest of the invocation, and a target that is
 * slow must not hold up the batches of others.
 */
export const lastStartMs = (plan: LoadPlan, { clock, tuning }: LoaderDeps, remainingMs: RemainingMs): number => {
  const { settleReserveMs, postingMs } = tuning.load;
  return clock.nowMs() + Math.min(postingMs, remainingMs() - settleReserveMs - plan.target.longestPostMs);
};

export const beginRound = (plan: LoadPlan, deps: LoaderDeps, deadlineMs: number, results: Results): Round => ({
  ...results,
  plan,
  deps,
  deadlineMs,
  pausedUntilMs: 0,
});

/** Ends a delivery: the log says how, and what goes back to the queue is kept for the end of the batch. */
export const end = (round: Round, { messageId, message }: RecordDelivery, ending: Ending): void => {
  const { plan, deps, putBack } = round;
  const { integration } = plan;
  const { runId, id, attempts } = message;
  if (ending.kind === 'settled') {
    deps.log.info('settled', { integration, runId, id, messageId, attempts, as: ending.as });
    return;
  }
  const isRetry = ending.message.attempts > attempts;
  if (endAged({ messageId, message }, ending, isRetry, deps)) return;
  const { why, delaySec } = ending;
  putBack.push({ messageId, ending });
  if (isLimitWait(why)) countUse(round, runId, { putOff: 1 });
  deps.log.info('put-back', { integration, runId, id, messageId, attempts, why, delaySec, isRetry });
};

/** Ends a delivery whose message has been put off for too long; false: it goes back. */
export const endAged = (
  { messageId, message }: Pick<RecordDelivery, 'messageId' | 'message'>,
  ending: PutBack,
  isRetry: boolean,
  { log, clock, tuning }: LoaderDeps,
): boolean => {
  if (!isAged(ending, isRetry, clock.nowMs(), tuning.load.maxAgeMs)) return false;
  const { integration, runId, id, attempts, deferrals } = message;
  log.warn('aged', { integration, runId, id, messageId, attempts, why: ending.why, deferrals });
  return true;
};

/**
 * A delivery that has come too early for its appointment goes back until then, unless it has waited for too long:
 * without a read, a write, or a line in the log.
 */
export const backToAppointment = (
  { messageId, message }: Pick<RecordDelivery, 'messageId' | 'message'>,
  deps: LoaderDeps,
): Results['putBack'][number][] => {
  const nowMs = deps.clock.nowMs();
  const ending = appointed(message, message.dueMs ?? nowMs, nowMs);
  return endAged({ messageId, message }, ending, false, deps) ? [] : [{ messageId, ending }];
};

export const putAllOff = (round: Round, these: readonly RecordDelivery[], why: PutOffReason, waitMs: number): void => {
  for (const delivery of these) {
    end(round, delivery, putOff(delivery.message, why, waitMs, round.deps.random.fraction()));
  }
};

/** Counts what a run used of the target. */
export const countUse = ({ useByRun }: Results, runId: string, use: Partial<TargetUse>): void => {
  useByRun.set(runId, addUse(useByRun.get(runId) ?? noUse(), { ...noUse(), ...use }));
};

/** A request is counted with the run of its first record. */
export const runOf = ([first]: readonly RecordDelivery[]): string => first?.message.runId ?? '';

/** Adds what was counted to the runs' records: one write for each run in the batch, which most often is one. */
export const saveUse = async (
  { useByRun }: Results,
  { integration }: LoadPlan,
  { runs, log }: LoaderDeps,
): Promise<void> => {
  for (const [runId, { heldMs, ...counted }] of useByRun) {
    const use = { ...counted, heldMs: Math.round(heldMs) };
    log.info('target-requests', { integration, runId, ...use });
    // Numbers for people; a batch is not repeated for their sake.
    await runs.addTargetUse(integration, runId, use).catch((error: unknown) => {
      log.warn('requests-not-counted', { integration, runId, ...use, error: String(error) });
    });
  }
};

/** Sends copies of what waits back to the queue, and names those that it did not accept. */
export const sendBack = async (putBack: Results['putBack'], deps: LoaderDeps): Promise<string[]> => {
  if (putBack.length === 0) return [];
  try {
    const { failed } = await deps.records.sendAll(
      putBack.map(({ ending: { message, delaySec } }) => outgoingRecord(message, delaySec)),
    );
    return failed.flatMap((index) => putBack[index]?.messageId ?? []);
  } catch (error) {
    deps.log.error('records-queue-unreachable', { messages: putBack.length, error: String(error) });
    return putBack.map(({ messageId }) => messageId);
  }
};
