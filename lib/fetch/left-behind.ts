import { isJsonObject, type JsonValue, parseJson, stringifyJson } from '../json/json.ts';
import { letterForInvalid, sendLetter } from '../messages/dead-letter.ts';
import type { Queue } from '../messages/queue.ts';
import type { LedgerEntry } from '../runs/ledger.ts';
import type { UnfinishedRun } from '../runs/record.ts';
import type { RunStore } from '../runs/store.ts';

/** Invalid rows of a window that may be left behind stand beside the run's ledger, in chunks of their own. */
const rowsOf = (runId: string): string => `${runId}~invalid`;

/** Bytes of rows in one chunk: an item of DynamoDB has 400 KB. */
const CHUNK_BYTES = 150_000;

/** A row as the source sent it; absent where it is too large to be kept. */
type KeptRow = { id: string; reason: string; row?: JsonValue };

const textOf = ({ row, ...named }: KeptRow): string => {
  const whole = stringifyJson({ ...named, ...(row !== undefined && { row }) });
  return Buffer.byteLength(whole) <= CHUNK_BYTES ? whole : stringifyJson(named);
};

const readKept = (text: string): KeptRow => {
  const kept = parseJson(text);
  if (!isJsonObject(kept)) return { id: '', reason: '' };
  const { id, reason, row } = kept;
  return { id: String(id), reason: String(reason), ...(row !== undefined && { row }) };
};

/** Keeps a page's invalid rows with the run, in case its window moves on without them. Gives the run that counts them. */
export const keepInvalidRows = async (
  run: UnfinishedRun,
  entries: readonly LedgerEntry[],
  rowOf: (id: string) => JsonValue | undefined,
  runs: Pick<RunStore, 'saveChunk'>,
): Promise<UnfinishedRun> => {
  let keptChunks = run.keptChunks ?? 0;
  const { integration, runId, versionMs } = run;
  const save = async (memory: string[]) => {
    keptChunks += 1;
    await runs.saveChunk(integration, { runId: rowsOf(runId), index: keptChunks, versionMs, entries: [], memory });
  };
  let part: string[] = [];
  let sizeBytes = 0;
  for (const { id, outcome, reason = '' } of entries) {
    if (outcome !== 'invalid') continue;
    const row = rowOf(id);
    const text = textOf({ id, reason, ...(row !== undefined && { row }) });
    sizeBytes += Buffer.byteLength(text);
    if (part.length > 0 && sizeBytes > CHUNK_BYTES) {
      await save(part);
      part = [];
      sizeBytes = Buffer.byteLength(text);
    }
    part.push(text);
  }
  if (part.length > 0) await save(part);
  return keptChunks === 0 ? run : { ...run, keptChunks };
};

/** Thrown when the dead-letter queue did not accept a letter: the window must not move on without it. */
class LetterRefusedError extends Error {
  override readonly name = 'LetterRefusedError';
  readonly code = 'letter-refused';
}

/** Writes a letter for each row that a window leaves behind. Throws where the queue does not accept one. */
export const writeInvalidLetters = async (
  { integration, runId, keptChunks = 0 }: UnfinishedRun,
  { runs, deadLetters, nowMs }: { runs: Pick<RunStore, 'chunks'>; deadLetters: Queue; nowMs: number },
): Promise<void> => {
  for await (const { memory } of runs.chunks(integration, rowsOf(runId), keptChunks)) {
    for (const { id, reason, row } of memory.map(readKept)) {
      const letter = letterForInvalid({ integration, runId, id, reason, ...(row !== undefined && { row }) }, nowMs);
      if (!(await sendLetter(deadLetters, letter))) throw new LetterRefusedError(`no letter for ${id} was accepted`);
    }
  }
};
