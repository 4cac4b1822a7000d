import { letterForUnreadable, sendLetter } from '../messages/dead-letter.ts';
import type { TargetUse } from '../runs/limits.ts';
import type { RemainingMs } from '../runtime/clock.ts';
import {
  type Delivery,
  type RecordDelivery,
  readDeliveries,
  roundsById,
  type UnreadableDelivery,
} from './deliveries.ts';
import { type Again, misfitWaitMs, outgoingOf, putOff } from './ending.ts';
import { isLimitWait } from './events.ts';
import { loadRound } from './load-records.ts';
import type { LoaderDeps, Loading } from './loading.ts';
import { count } from './round.ts';

type SentBack = { messageId: string; ending: Again };

/**
 * Loads a batch of deliveries and names those that must be delivered again as they are.
 *
 * Those are the last resort: their copies could not be sent back, or their dead letters could not be written. Their
 * next delivery counts as one more receive; all other endings delete the message.
 */
export const loadBatch = async (
  deliveries: readonly Delivery[],
  deps: LoaderDeps,
  remainingMs: RemainingMs,
): Promise<{ failedMessageIds: string[] }> => {
  const { byIntegration, unreadable } = readDeliveries(deliveries);
  const results = await Promise.all([
    ...[...byIntegration].map(([integration, these]) => loadIntegration(integration, these, deps, remainingMs)),
    ...unreadable.map(async (delivery) => ({ again: [], failedMessageIds: await buryUnreadable(delivery, deps) })),
  ]);
  const failedMessageIds = results.flatMap((result) => result.failedMessageIds);
  const notSent = await sendBack(
    results.flatMap(({ again }) => again),
    deps,
  );
  return { failedMessageIds: [...failedMessageIds, ...notSent] };
};

type IntegrationResult = { again: SentBack[]; failedMessageIds: string[] };

const loadIntegration = async (
  integration: string,
  deliveries: readonly RecordDelivery[],
  deps: LoaderDeps,
  remainingMs: RemainingMs,
): Promise<IntegrationResult> => {
  let loading: Loading | undefined;
  try {
    loading = await deps.open(integration);
  } catch (error) {
    // Nothing is wrong with the records: they wait until someone mends the configuration.
    deps.log.error('not-opened', { integration, messages: deliveries.length, error: String(error) });
    const again = deliveries.map(({ messageId, message }) => {
      const ending = putOff(message, 'not-opened', misfitWaitMs(error), deps.random.fraction());
      return { messageId, ending };
    });
    return { again, failedMessageIds: [] };
  }
  if (loading === undefined) {
    const why = `there is no integration named ${JSON.stringify(integration)}`;
    const buried = deliveries.map(({ messageId, body }) => buryUnreadable({ messageId, body, why }, deps));
    return { again: [], failedMessageIds: (await Promise.all(buried)).flat() };
  }
  const again: SentBack[] = [];
  const useByRun = new Map<string, TargetUse>();
  for (const deliveriesOfRound of roundsById(deliveries)) {
    const round = await loadRound(deliveriesOfRound, loading, deps, remainingMs);
    for (const { messageId, message, ending } of round.ended) {
      const { runId, id, attempts } = message;
      const delivery = { integration, runId, id, messageId, attempts };
      if (ending.kind === 'done') {
        deps.log.info('settled', { ...delivery, as: ending.as });
        continue;
      }
      const { why, delaySec } = ending;
      again.push({ messageId, ending });
      if (isLimitWait(why)) count(useByRun, runId, { putOff: 1 });
      deps.log.info('put-back', { ...delivery, why, delaySec, isRetry: ending.message.attempts > attempts });
    }
    for (const [runId, use] of round.useByRun) count(useByRun, runId, use);
  }
  await countUse(integration, useByRun, deps);
  return { again, failedMessageIds: [] };
};

/** One write for each run in the batch, which most often is one. */
const countUse = async (
  integration: string,
  useByRun: ReadonlyMap<string, TargetUse>,
  deps: LoaderDeps,
): Promise<void> => {
  for (const [runId, { heldMs, ...counted }] of useByRun) {
    const use = { ...counted, heldMs: Math.round(heldMs) };
    deps.log.info('target-requests', { integration, runId, ...use });
    // Numbers for people; a batch is not repeated for their sake.
    await deps.runs.addTargetUse(integration, runId, use).catch((error: unknown) => {
      deps.log.warn('requests-not-counted', { integration, runId, ...use, error: String(error) });
    });
  }
};

const sendBack = async (again: readonly SentBack[], deps: LoaderDeps): Promise<string[]> => {
  if (again.length === 0) return [];
  try {
    const { failed } = await deps.records.sendAll(again.map(({ ending }) => outgoingOf(ending)));
    return failed.map((index) => (again[index] as SentBack).messageId);
  } catch (error) {
    deps.log.error('records-queue-unreachable', { messages: again.length, error: String(error) });
    return again.map(({ messageId }) => messageId);
  }
};

const buryUnreadable = async ({ messageId, body, why }: UnreadableDelivery, deps: LoaderDeps): Promise<string[]> => {
  deps.log.error('unreadable', { messageId, why });
  return (await sendLetter(deps.deadLetters, letterForUnreadable(body, why, deps.clock.nowMs()))) ? [] : [messageId];
};
