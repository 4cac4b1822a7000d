import { MAX_DELAY_SEC } from '../messages/queue.ts';
import { type RunRequest, writeRunRequest } from '../messages/run-request.ts';
import type { UnfinishedRun } from '../runs/record.ts';
import type { FetchDeps } from './fetch-plan.ts';

/** Puts a request on the runs queue, to arrive in `delayMs` at the earliest, or after the queue's longest delay. */
const ask = async (
  request: RunRequest,
  delayMs: number,
  { runRequests }: FetchDeps,
): Promise<{ delaySec: number; accepted: boolean }> => {
  const delaySec = Math.min(MAX_DELAY_SEC, Math.max(0, Math.ceil(delayMs / 1000)));
  const { failed } = await runRequests.sendAll([{ body: writeRunRequest(request), delaySec }]);
  return { delaySec, accepted: failed.length === 0 };
};

/** Hands a run to a later invocation. Should the request be lost, the next schedule resumes the run. */
export const askToContinue = async (
  { integration, runId }: Pick<UnfinishedRun, 'integration' | 'runId'>,
  atMs: number,
  deps: FetchDeps,
): Promise<void> => {
  const asked = await ask({ kind: 'continue', integration, runId }, atMs - deps.clock.nowMs(), deps);
  deps.log.info('run-continued', { integration, runId, ...asked });
};

/**
 * Puts a schedule's request back until the run that is under way has ended, which is at `freeAtMs` at the latest.
 * `waitsForMs`: how long after its time it may start (absent: not later). Gives whether it waits on the runs queue.
 */
export const askToStartLater = async (
  request: RunRequest,
  freeAtMs: number,
  waitsForMs: number | undefined,
  deps: FetchDeps,
): Promise<boolean> => {
  const nowMs = deps.clock.nowMs();
  // Taking over is refused while a run is under way: records that it sends must not be taken over meanwhile.
  if (request.kind === 'schedule' && request.adoption !== undefined) return false;
  if (request.kind !== 'schedule' || waitsForMs === undefined || nowMs - request.scheduledMs > waitsForMs) return false;
  const asked = await ask(request, Math.min(deps.tuning.fetch.lookAgainMs, Math.max(1_000, freeAtMs - nowMs)), deps);
  deps.log.info('run-waits', { integration: request.integration, ...asked });
  return asked.accepted;
};
