import { holdingNobodyUp, type Known, readKnown, readKnownByIds } from '../idcheck/known.ts';
import type { IdStore } from '../idcheck/store.ts';
import type { RunRecord } from '../runs/record.ts';
import type { FetchDeps, Fetching } from './fetching.ts';
import { readHeld } from './held.ts';
import type { Places } from './places.ts';

/** What one invocation works on a run with. */
export type RunWork = Places & {
  fetching: Fetching;
  deps: FetchDeps;
  /** Vanished ids whose deletion this run has sent. */
  deletionsSent: Set<string>;
};

/** What idCheck knows of an integration, for a whole snapshot or for a list of changes (`isWindow`). */
export const openKnown = async (
  idStore: IdStore,
  { integration, tree }: Pick<Fetching, 'integration' | 'tree'>,
  isWindow: boolean,
): Promise<Known> => {
  const known = isWindow ? readKnownByIds(idStore, integration) : await readKnown(idStore, integration);
  return tree?.rejectedParent === 'root' ? holdingNobodyUp(known) : known;
};

/** What idCheck knows, and the cleaning's memory brought to where the run's checkpoint stands. */
export const openWork = async (run: RunRecord, fetching: Fetching, deps: FetchDeps): Promise<RunWork> => {
  const { integration, runId, checkpoint } = run;
  const known = await openKnown(deps.idStore, fetching, run.window !== undefined);
  const work = {
    fetching,
    deps,
    known,
    heldParents: new Map<string, string>(),
    leftOutButLoaded: new Set<string>(),
    deletionsSent: new Set<string>(),
  };
  if (checkpoint === undefined) return { ...work, snapshot: fetching.transform.begin() };

  const ids: string[] = [];
  const memory: string[] = [];
  const taken: string[] = [];
  for await (const chunk of deps.runs.chunks(integration, runId, checkpoint.chunks)) {
    for (const text of chunk.held ?? []) {
      const { id, parentId } = readHeld(text);
      work.heldParents.set(id, parentId);
      if (!known.isLoaded(id)) known.waits(id, parentId);
      ids.push(id);
    }
    for (const { id, outcome, parentId } of chunk.entries) {
      if (parentId !== undefined) known.waits(id, parentId);
      const isReady = outcome === 'unchanged' || outcome === 'skipped' || outcome === 'enqueued';
      if (isReady) ids.push(id);
      else if (fetching.tree !== undefined && known.isLoaded(id)) work.leftOutButLoaded.add(id);
      taken.push(id);
    }
    for (const { id } of chunk.deletions ?? []) work.deletionsSent.add(id);
    for (const key of chunk.memory) memory.push(key);
  }
  // A record that is still held back has none of the entries: a repeat of it must not strike its id off.
  const judged = checkpoint.judged !== undefined;
  for (const id of taken) if (judged || !work.heldParents.has(id)) known.take(id);
  return { ...work, snapshot: fetching.transform.begin({ ids, memory }) };
};
