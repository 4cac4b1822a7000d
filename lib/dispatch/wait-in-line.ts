import { delaySecUntil, type Queue } from '../messages/queue.ts';
import { readMessage, writeMessage } from '../messages/record-message.ts';
import { type Line, noLine, takenOf, type Unsent, unsentIn, unsentOf, withRun } from '../runs/line.ts';
import type { RunRecord } from '../runs/record.ts';
import type { RunStore } from '../runs/store.ts';
import type { Clock } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import type { DispatchTuning } from '../runtime/tuning.ts';

/** Thrown when the item that says what waits kept changing while messages were to be added to it. */
class LineContendedError extends Error {
  override readonly name = 'LineContendedError';
  readonly code = 'line-contended';
}

/** The queue did not accept messages after all retries: what was being sent is not done. */
export class QueueRefusedError extends Error {
  override readonly name = 'QueueRefusedError';
  readonly code = 'queue-refused';
}

/**
 * Sends messages, those with an appointment (`dueMs`) with the delay that is left until then. Gives the indexes of those
 * that the queue would never take. Throws `QueueRefusedError` where it did not accept others.
 */
export const sendDue = async (
  records: Queue,
  messages: readonly { body: string; dueMs?: number }[],
  group: string,
  nowMs: number,
): Promise<ReadonlySet<number>> => {
  if (messages.length === 0) return new Set();
  const outgoing = messages.map(({ body, dueMs = nowMs }) => {
    const delaySec = delaySecUntil(dueMs, nowMs);
    return { body, group, ...(delaySec > 0 && { delaySec }) };
  });
  const { failed, refused = [] } = await records.sendAll(outgoing);
  const open = failed.length - refused.length;
  if (open > 0) throw new QueueRefusedError(`the records queue refused ${open} of ${messages.length} messages`);
  return new Set(refused);
};

/** A message with its appointment, as it is sent at `nowMs`: its age counts from then. What nobody can read stays as it is. */
export const withAppointment = (body: string, dueMs: number, nowMs: number): string => {
  const read = readMessage(body);
  return read.kind === 'message' ? writeMessage({ ...read.message, dueMs, firstSentMs: nowMs }) : body;
};

type WaitDeps = {
  runs: Pick<RunStore, 'line' | 'saveLine' | 'saveChunk'>;
  clock: Pick<Clock, 'nowMs'>;
  tuning: DispatchTuning;
};
type OfRun = Pick<RunRecord, 'integration' | 'runId' | 'generation' | 'versionMs'>;

/** Others write the item, too: a dispatcher its cursor, once for each block. */
const MAX_TRIES = 20;

/**
 * Leaves messages in the run's ledger, behind those that wait already, and names the ids that it takes over from earlier
 * runs. Gives the last chunk that holds them. The chunks are written before the item that counts them; done again after a
 * crash, some messages wait twice, which idCheck acknowledges.
 */
export const waitInLine = async (
  run: OfRun,
  messages: readonly string[],
  takenIds: readonly string[],
  { runs, clock, tuning }: WaitDeps,
): Promise<number> => {
  const { integration, runId, generation, versionMs } = run;
  const parts = inChunks(messages, tuning.chunkBytes);
  let line = (await runs.line(integration)) ?? noLine();
  const before = entryOf(line, run);
  for (const [place, memory] of parts.entries()) {
    const index = before.chunks + place + 1;
    await runs.saveChunk(integration, { runId: unsentOf(runId), index, versionMs, entries: [], memory });
  }
  const takes = (before.takes ?? 0) + (takenIds.length > 0 ? 1 : 0);
  if (takenIds.length > 0) {
    const memory = [...takenIds];
    await runs.saveChunk(integration, { runId: takenOf(runId), index: takes, versionMs, entries: [], memory });
  }
  const chunks = before.chunks + parts.length;
  for (let tried = 0; tried < MAX_TRIES; tried++) {
    const { at, left, movedMs } = entryOf(line, run);
    const next: Unsent = {
      runId,
      ...defined({ generation }),
      chunks,
      at,
      left: left + messages.length,
      ...defined({ movedMs }),
      ...(takes > 0 && { takes }),
    };
    if ((await runs.saveLine(integration, withRun(line, next, clock.nowMs()))) === 'saved') return chunks;
    line = (await runs.line(integration)) ?? noLine();
  }
  throw new LineContendedError(`what waits of ${integration} is being written by others`);
};

const entryOf = (line: Line, { runId }: OfRun): Unsent =>
  unsentIn(line, runId) ?? { runId, chunks: 0, at: { chunk: 1, place: 0 }, left: 0 };

/** Messages as chunks hold them: an item of the store has its limit, whatever does not compress. */
function inChunks(messages: readonly string[], chunkBytes: number): string[][] {
  const chunks: string[][] = [];
  let sizeBytes = Number.POSITIVE_INFINITY;
  for (const body of messages) {
    const addedBytes = Buffer.byteLength(body);
    sizeBytes += addedBytes;
    if (sizeBytes > chunkBytes) {
      chunks.push([]);
      sizeBytes = addedBytes;
    }
    chunks.at(-1)?.push(body);
  }
  return chunks;
}
