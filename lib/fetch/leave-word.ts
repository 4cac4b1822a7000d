import { MAX_DELAY_SEC, type Queue } from '../messages/queue.ts';
import { type RunRequest, writeRunRequest } from '../messages/run-request.ts';
import type { FetchDeps } from './fetching.ts';

const send = async (
  queue: Queue,
  request: RunRequest,
  delayMs: number,
): Promise<{ delaySec: number; accepted: boolean }> => {
  const delaySec = Math.min(MAX_DELAY_SEC, Math.max(0, Math.ceil(delayMs / 1000)));
  const { failed } = await queue.sendAll([{ body: writeRunRequest(request), delaySec }]);
  return { delaySec, accepted: failed.length === 0 };
};

/** Hands a run to a later invocation. Should the word be lost, the next schedule resumes the run. */
export const leaveWordToContinue = async (
  { integration, runId }: { integration: string; runId: string },
  atMs: number,
  { continuations, clock, log }: FetchDeps,
): Promise<void> => {
  const sent = await send(continuations, { kind: 'continue', integration, runId }, atMs - clock.nowMs());
  log.info('run-continued', { integration, runId, ...sent });
};

/** A run ends somewhere before its lease does: looked after this often, ms. */
const LOOK_EVERY_MS = 60_000;

/**
 * Puts a schedule's request back until the run that is under way has ended, `waitsForMs` after its scheduled time at
 * most. Whether it waits: then it is on the runs queue.
 */
export const leaveWordToStart = async (
  request: Extract<RunRequest, { kind: 'schedule' }>,
  leaseUntilMs: number,
  waitsForMs: number,
  { continuations, clock, log }: FetchDeps,
): Promise<boolean> => {
  const { integration, scheduledMs } = request;
  const nowMs = clock.nowMs();
  if (nowMs - scheduledMs > waitsForMs) return false;
  const sent = await send(continuations, request, Math.min(LOOK_EVERY_MS, Math.max(1_000, leaseUntilMs - nowMs)));
  log.info('run-waits', { integration, ...sent });
  return sent.accepted;
};
