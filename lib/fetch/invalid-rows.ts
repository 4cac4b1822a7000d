import { isJsonObject, type JsonValue, parseJson, stringifyJson } from '../json/json.ts';
import { letterForInvalid, sendLetter } from '../messages/dead-letter.ts';
import type { Queue } from '../messages/queue.ts';
import type { LedgerEntry } from '../runs/ledger.ts';
import {
  addWarnings,
  type ExtractCounts,
  type ExtractedRun,
  type InvalidRow,
  type RunFailure,
  type UnfinishedRun,
} from '../runs/record.ts';
import type { RunStore } from '../runs/store.ts';
import type { FetchPlan } from './fetch-plan.ts';

const ROWS_NAMED = 5;
const REASON_CHARACTERS = 200;

/** Names the first invalid rows of a run. Pure. */
export const noteInvalidRows = (
  known: readonly InvalidRow[] | undefined,
  entries: readonly LedgerEntry[],
): Pick<UnfinishedRun, 'invalidRows'> => {
  const rows = [...(known ?? [])];
  for (const { id, outcome, reason = '' } of entries) {
    if (rows.length === ROWS_NAMED) break;
    if (outcome === 'invalid') rows.push({ id, reason: reason.slice(0, REASON_CHARACTERS) });
  }
  return rows.length === 0 ? {} : { invalidRows: rows };
};

/** Fewer rows say nothing of a share. */
const LEAST_ROWS = 10;

/**
 * Why a run has failed for its invalid rows: all are, or more than the share allows. Such a list is not the one that the
 * file speaks of. Undefined: it has not. Pure.
 */
export const failureOfRows = (
  { fetched, invalid }: Pick<ExtractCounts, 'fetched' | 'invalid'>,
  rows: readonly InvalidRow[] | undefined,
  { maxShare }: Pick<FetchPlan['invalidRows'], 'maxShare'>,
): { code: RunFailure; message: string } | undefined => {
  if (invalid === 0) return undefined;
  const reasons = (rows ?? []).map(({ id, reason }) => `${id}: ${reason}`).join('; ');
  if (invalid === fetched) {
    const every = fetched === 1 ? 'the only row is' : `all ${fetched} rows are`;
    return { code: 'rows-invalid', message: `${every} invalid; ${reasons}` };
  }
  if (fetched < LEAST_ROWS || invalid <= maxShare * fetched) return undefined;
  const share = `${invalid} of ${fetched} rows are invalid, more than source.maxInvalidShare (${maxShare})`;
  return { code: 'rows-invalid', message: `${share}; ${reasons}` };
};

/** So many runs ask for the same window because of single bad rows. */
const HELD_RUNS = 3;

/** Whether this is the last run that asks for a window with bad rows: what it cannot read either is left behind. Pure. */
export const mayLeaveBehind = (
  earlier: Pick<ExtractedRun, 'windowHeld'> | undefined,
  { window }: Pick<FetchPlan, 'window'>,
): boolean => window !== undefined && !window.staysAtInvalid && (earlier?.windowHeld ?? 0) + 1 >= HELD_RUNS;

/**
 * Whether the next run asks for the same window again, since rows of it are invalid: `windowHeld` counts such runs in a
 * row, and its presence keeps the watermark. After three the window moves on and its bad rows are left behind, unless
 * the file keeps it for ever. A failed run keeps it whatever it is, and does not count. Pure.
 */
export const holdWindow = (
  run: UnfinishedRun,
  hasFailed: boolean,
  earlier: Pick<ExtractedRun, 'windowHeld'> | undefined,
  { window }: Pick<FetchPlan, 'window'>,
): UnfinishedRun => {
  const { windowHeld: _, ...rest } = run;
  if (run.window === undefined || window === undefined) return rest;
  const before = earlier?.windowHeld ?? 0;
  if (hasFailed) return { ...rest, windowHeld: before };
  const { invalid } = run.counts;
  if (invalid === 0) return rest;
  const words = `${invalid} rows are invalid`;
  const noted = (code: string, message: string) => addWarnings(run.warnings, [{ code, count: invalid, message }]);
  if (!mayLeaveBehind(earlier, { window })) {
    return {
      ...rest,
      windowHeld: before + 1,
      warnings: noted('window-held', `${words}: the next run asks for the same window again`),
    };
  }
  const left = `${words} after ${HELD_RUNS} runs: the window moves on, each is kept as a dead letter`;
  return { ...rest, warnings: noted('rows-left-behind', left) };
};

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
