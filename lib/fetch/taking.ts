import type { LoadPolicy } from '../idcheck/decide.ts';
import type { ReadableQueue } from '../messages/queue.ts';
import type { Selection } from '../messages/run-request.ts';
import { readIds, writeIds } from '../runs/id-lists.ts';
import { addWarnings, type RunRecord, type RunWarning, type UnfinishedRun } from '../runs/record.ts';
import { nothingSentBefore, readSentBefore, type SentBefore } from '../runs/sent-before.ts';
import type { RunStore } from '../runs/store.ts';
import type { Ready } from './compare.ts';
import type { FetchDeps } from './fetch-plan.ts';

/** What is read of earlier runs. */
type Earlier = { runs: Pick<RunStore, 'run' | 'runs' | 'chunks' | 'line'>; records: Pick<ReadableQueue, 'depth'> };

/** Which records a run takes on, and which of the ids that it was asked for the source has given. */
export type Taking = {
  /** Why a record that is to be loaded is left out; undefined: it is taken. To be asked once for each record. */
  leavesOut(record: Pick<Ready, 'id' | 'parentId'>, isLoaded: (id: string) => boolean): string | undefined;
  /** Whether the id was asked for by name. */
  names(id: string): boolean;
  /** Whether the id is among those that are meant. */
  means(id: string): boolean;
  /** The source gave a record of this id, whatever becomes of it. */
  given(id: string): void;
  /** The target has the record, or gets it from this run: what depends on it may go. */
  stands(id: string): void;
  /** The ids that were asked for and not given so far. */
  notGiven(): string[];
};

/** The run's ids and limit; `adopts`: nothing is sent, so nothing waits for its parent. */
export type TakingOf = { limit?: number; ids?: ReadonlySet<string>; adopts: boolean };

/** `taken`: how many records the run has taken on before. */
export const openTaking = ({ limit, ids, adopts }: TakingOf, taken = 0): Taking => {
  const missing = new Set(ids);
  const standing = new Set<string>();
  const isSelective = limit !== undefined || ids !== undefined;
  let count = taken;
  /** A parent that was asked for comes, wherever it stands in the list; within a limit only what is taken already. */
  const comes = (id: string): boolean => standing.has(id) || (limit === undefined && ids?.has(id) === true);
  return {
    names: (id) => ids?.has(id) === true,
    means: (id) => ids === undefined || ids.has(id),
    leavesOut({ id, parentId }, isLoaded) {
      if (ids !== undefined && !ids.has(id)) return 'left out: not among the ids of this run';
      if (limit !== undefined && count >= limit) return `left out: this run takes ${limit} at most`;
      if (isSelective && !adopts && parentId !== undefined && !isLoaded(parentId) && !comes(parentId)) {
        return `left out: its parent ${parentId} is not loaded, and this run does not take it`;
      }
      count += 1;
      return undefined;
    },
    given: (id) => void missing.delete(id),
    stands: (id) => {
      if (isSelective) standing.add(id);
    },
    notGiven: () => [...missing],
  };
};

/** What a run was asked to take on. Throws `MissingChunkError`. */
export const takingOf = async (
  run: Pick<UnfinishedRun, 'integration' | 'runId' | 'selection' | 'adoption'>,
  runs: Pick<RunStore, 'chunks'>,
): Promise<TakingOf> => {
  const { selection, adoption } = run;
  if (adoption === undefined) return { ...selectionOf(selection), adopts: false };
  const { idChunks } = adoption;
  return { adopts: true, ...(idChunks !== undefined && { ids: await readIds('asked', run, idChunks, runs) }) };
};

/** What a run leaves to those before it. One that takes over sends nothing, so it leaves nothing out. */
export const sentBeforeOf =
  (
    run: Pick<UnfinishedRun, 'integration' | 'runId' | 'generation' | 'adoption'>,
    policy: LoadPolicy,
    { runs, records, clock, tuning }: Pick<FetchDeps, 'clock' | 'tuning'> & Earlier,
  ) =>
  async (hasLoaded: (id: string, hash: string) => boolean): Promise<SentBefore> => {
    if (run.adoption !== undefined) return nothingSentBefore;
    const { maxAgeMs } = tuning.load;
    const { runsLookedAt } = tuning.books;
    return readSentBefore(run, policy, hasLoaded, { runs, records, nowMs: clock.nowMs(), maxAgeMs, runsLookedAt });
  };

export const selectionOf = ({ limit, ids }: Selection = {}): Pick<TakingOf, 'limit' | 'ids'> => ({
  ...(limit !== undefined && { limit }),
  ...(ids !== undefined && { ids: new Set(ids) }),
});

/** Whether a run was asked to leave records out, or to send none. */
export const isPartial = ({ selection, adoption }: Pick<RunRecord, 'selection' | 'adoption'>): boolean =>
  selection !== undefined || adoption !== undefined;

const NAMED = 20;

/** Why somebody is to look: ids were asked for that the source does not give. */
export const notGivenWarning = (ids: readonly string[]): RunWarning => {
  const named = ids.slice(0, NAMED).join(', ');
  const words = `the source gives no record ${named}${ids.length > NAMED ? ', …' : ''}`;
  return { code: 'ids-not-given', count: ids.length, message: words };
};

/** Names the ids that were asked for and that the source does not give. */
export const noteNotGiven = async (
  run: UnfinishedRun,
  ids: readonly string[],
  runs: Pick<RunStore, 'saveChunk'>,
): Promise<UnfinishedRun> => {
  if (ids.length === 0) return run;
  const chunks = await writeIds('not-given', run, ids, runs);
  return {
    ...run,
    notGiven: { count: ids.length, sample: ids.slice(0, NAMED), chunks },
    // Said once, also by an invocation that goes on with the run.
    ...(run.notGiven === undefined && { warnings: addWarnings(run.warnings, [notGivenWarning(ids)]) }),
  };
};
