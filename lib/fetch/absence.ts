import type { RunRecord, UnfinishedRun } from '../runs/record.ts';
import type { RunStore } from '../runs/store.ts';

/** Bytes of ids in one chunk: an item of DynamoDB has 400 KB. */
const CHUNK_BYTES = 150_000;

/** The ids that a run found absent stand beside its ledger, in chunks of their own. */
const absencesOf = (runId: string): string => `${runId}~absent`;

const cut = (ids: readonly string[]): string[][] => {
  const parts: string[][] = [];
  let sizeBytes = Number.POSITIVE_INFINITY;
  for (const id of ids) {
    sizeBytes += Buffer.byteLength(id);
    if (sizeBytes > CHUNK_BYTES) {
      parts.push([]);
      sizeBytes = Buffer.byteLength(id);
    }
    parts.at(-1)?.push(id);
  }
  return parts;
};

/** Keeps the ids that a reading without doubt found absent, for the next one. Gives the number of chunks. */
export const writeAbsences = async (
  { integration, runId, versionMs }: Pick<UnfinishedRun, 'integration' | 'runId' | 'versionMs'>,
  ids: readonly string[],
  runs: Pick<RunStore, 'saveChunk'>,
): Promise<number> => {
  const parts = cut(ids);
  for (const [place, memory] of parts.entries()) {
    await runs.saveChunk(integration, { runId: absencesOf(runId), index: place + 1, versionMs, entries: [], memory });
  }
  return parts.length;
};

/** The ids that an earlier reading found absent; none where it was in doubt. Throws `MissingChunkError`. */
export const readAbsences = async (
  earlier: Pick<RunRecord, 'integration' | 'runId' | 'absences'> | undefined,
  runs: Pick<RunStore, 'chunks'>,
): Promise<ReadonlySet<string>> => {
  const ids = new Set<string>();
  const { integration, runId, absences = 0 } = earlier ?? { integration: '', runId: '' };
  if (absences === 0) return ids;
  for await (const { memory } of runs.chunks(integration, absencesOf(runId), absences)) {
    for (const id of memory) ids.add(id);
  }
  return ids;
};
