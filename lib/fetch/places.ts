import type { Known } from '../idcheck/known.ts';
import type { DependsOn } from '../integration/schema/schema.ts';
import type { Prepared, Snapshot } from '../transform/transform.ts';
import { heldBack } from '../transform/tree.ts';
import type { Held } from './held.ts';

/** What is known of the places of records in their tree, page by page. */
export type Places = {
  known: Known;
  snapshot: Snapshot;
  /** Records that are held back until the end of the snapshot → the parent that they wait for. */
  heldParents: Map<string, string>;
  /** Left out of this snapshot by cleaning, but loaded before: still there for those that depend on them. */
  leftOutButLoaded: Set<string>;
};

/** Whether an id is, or surely will be, in the target: placed in this snapshot, or loaded before. */
export const isThere = ({ snapshot, known, heldParents, leftOutButLoaded }: Places, id: string): boolean =>
  (snapshot.has(id) && !heldParents.has(id)) || leftOutButLoaded.has(id) || known.isLoaded(id);

/**
 * Which of a page's records are held back, once the snapshot has prepared them; their ids are remembered with the
 * parent that they wait for.
 */
export const holdBack = (
  prepared: readonly Prepared[],
  places: Places,
  tree: DependsOn | undefined,
): ((one: Prepared) => one is Held) => {
  const ready = prepared.filter((one) => one.outcome === 'ready');
  for (const { id, parentId } of ready) {
    if (parentId !== undefined && !places.known.isLoaded(id)) places.known.waits(id, parentId);
  }
  const onPage = new Set(ready.map(({ id }) => id));
  // The snapshot has this page's records already, whose own places are in question.
  const wasThere = (id: string) => (onPage.has(id) ? places.known.isLoaded(id) : isThere(places, id));
  const ids = tree === undefined ? new Set<string>() : heldBack(ready, wasThere);
  for (const { id, parentId } of ready) if (ids.has(id) && parentId !== undefined) places.heldParents.set(id, parentId);
  return (one): one is Held => one.outcome === 'ready' && one.parentId !== undefined && ids.has(one.id);
};
