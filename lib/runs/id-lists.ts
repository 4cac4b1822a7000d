import type { RunRecord } from './record.ts';
import type { RunStore } from './store.ts';

/** Bytes of ids in one chunk: an item of DynamoDB has 400 KB. */
const CHUNK_BYTES = 150_000;

/**
 * Ids that stand beside a run's ledger, in chunks of their own. `absent`: those that a reading did not find; `asked`:
 * those that it was asked to take over; `not-given`: of the ids asked for, those that the source does not give.
 */
type IdList = 'absent' | 'asked' | 'not-given';

const listOf = (runId: string, list: IdList): string => `${runId}~${list}`;

const cut = (ids: Iterable<string>): string[][] => {
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

/** Keeps a list of ids with a run. Gives the number of chunks. */
export const writeIds = async (
  list: IdList,
  { integration, runId, versionMs }: Pick<RunRecord, 'integration' | 'runId' | 'versionMs'>,
  ids: Iterable<string>,
  runs: Pick<RunStore, 'saveChunk'>,
): Promise<number> => {
  const parts = cut(ids);
  for (const [place, memory] of parts.entries()) {
    await runs.saveChunk(integration, { runId: listOf(runId, list), index: place + 1, versionMs, entries: [], memory });
  }
  return parts.length;
};

/** The list as it was kept, in so many chunks. Throws `MissingChunkError`. */
export const readIds = async (
  list: IdList,
  { integration, runId }: Pick<RunRecord, 'integration' | 'runId'>,
  chunks: number,
  runs: Pick<RunStore, 'chunks'>,
): Promise<Set<string>> => {
  const ids = new Set<string>();
  if (chunks === 0) return ids;
  for await (const { memory } of runs.chunks(integration, listOf(runId, list), chunks)) {
    for (const id of memory) ids.add(id);
  }
  return ids;
};
