import type { Known } from '../idcheck/known.ts';
import type { DependsOn } from '../integration/schema/schema.ts';
import { isJsonObject, type JsonObject, parseJson, stringifyJson } from '../json/json.ts';
import { defined } from '../runtime/defined.ts';
import type { Prepared, Snapshot } from '../transform/transform.ts';
import { type Placement, placePostponed, postponedOf } from '../transform/tree.ts';

/** A record that is clean and mapped, but whose place in the tree is not known before the end of the snapshot. */
export type Postponed = Extract<Prepared, { outcome: 'ready' }> & { parentId: string };

/** The places of a snapshot's records in their tree. Where records depend on no parent, none is postponed. */
export type Places = {
  /** Places a page's records, once the snapshot has prepared them; says which of them are postponed. */
  place(prepared: readonly Prepared[]): (one: Prepared) => one is Postponed;
  /** A record is left out of this snapshot. Where it was loaded before, records that depend on it may go. */
  leaveOut(id: string): void;
  /** For when the snapshot is complete: where each postponed record belongs. */
  ofPostponed(): (one: Postponed) => Prepared;
};

/** `parents`: the records postponed so far, each with the parent that it waits for. `leftOut`: ids left out so far. */
export const openPlaces = (
  tree: DependsOn | undefined,
  known: Known,
  snapshot: Snapshot,
  { parents, leftOut }: { parents: Map<string, string>; leftOut: Set<string> },
): Places => {
  if (tree === undefined) return noTree;
  /** Whether an id is, or surely will be, in the target: placed in this snapshot, or loaded before. */
  const isThere = (id: string): boolean =>
    (snapshot.has(id) && !parents.has(id)) || leftOut.has(id) || known.isLoaded(id);
  return {
    place: (prepared) => {
      const ready = prepared.filter((one) => one.outcome === 'ready');
      for (const { id, parentId } of ready) {
        if (parentId !== undefined) known.waits(id, parentId);
      }
      const onPage = new Set(ready.map(({ id }) => id));
      // The snapshot has this page's records already, whose own places are in question.
      const ids = postponedOf(ready, (id) => (onPage.has(id) ? known.isLoaded(id) : isThere(id)));
      for (const { id, parentId } of ready) if (ids.has(id) && parentId !== undefined) parents.set(id, parentId);
      return (one): one is Postponed => one.outcome === 'ready' && one.parentId !== undefined && ids.has(one.id);
    },
    leaveOut: (id) => {
      if (known.isLoaded(id)) leftOut.add(id);
    },
    ofPostponed: () => {
      const placementOf = placePostponed(parents, isThere, tree);
      // Passing strikes ids off, so all records are placed before the first one passes.
      for (const id of parents.keys()) placementOf(id);
      return (one) => placed(one, placementOf(one.id));
    },
  };
};

const noTree: Places = {
  place:
    () =>
    (_one): _one is Postponed =>
      false,
  leaveOut: () => {},
  ofPostponed: () => (one) => one,
};

/** What a postponed record is in its place. */
const placed = (record: Postponed, placement: Placement): Prepared => {
  switch (placement.kind) {
    case 'child':
      return record;
    case 'root': {
      const { parentId: _, ...root } = record;
      return root;
    }
    case 'rejected':
      return { outcome: 'invalid', id: record.id, reason: placement.reason };
    default:
      return placement satisfies never;
  }
};

/** A postponed record as a ledger chunk keeps it. */
export const writePostponed = ({ id, parentId, number, hash, body }: Postponed): string =>
  stringifyJson({ id, parentId, ...defined({ number }), hash, body });

/** The reverse of `writePostponed`. Throws TypeError where the text is none. */
export const readPostponed = (text: string): Postponed => {
  const read = parseJson(text);
  if (isPostponed(read)) {
    const { id, parentId, number, hash, body } = read;
    return { outcome: 'ready', id, parentId, ...defined({ number }), hash, body };
  }
  throw new TypeError(`not a postponed record: ${text.slice(0, 40)}`);
};

const isPostponed = (value: unknown): value is JsonObject & Omit<Postponed, 'outcome'> =>
  isJsonObject(value) &&
  typeof value.id === 'string' &&
  typeof value.parentId === 'string' &&
  typeof value.hash === 'string' &&
  (value.number === undefined || typeof value.number === 'string') &&
  isJsonObject(value.body);
