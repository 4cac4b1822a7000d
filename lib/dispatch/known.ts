import { surelyLoaded } from '../idcheck/decide.ts';
import type { IdCheck } from '../idcheck/item.ts';
import type { IdStore } from '../idcheck/store.ts';
import { HASH_CHARACTERS } from '../transform/hash.ts';
import { hashColumn } from './hash-column.ts';

/** What idCheck knows of one integration, held against a snapshot: what is not taken in the end has vanished. */
export type Known = {
  /** To be called with the ids that are asked for next, those of parents too. */
  prepare(ids: readonly string[]): Promise<void>;
  /** The item of an id, once: it is struck off. */
  take(id: string): IdCheck | undefined;
  /** Whether an id that is not struck off was loaded before. */
  isLoaded(id: string): boolean;
  /** Whether the record of this id was refused or left to a person, so that records that depend on it cannot go. */
  isInTheWay(id: string): boolean;
  /** Ids that were loaded and are not struck off. */
  vanished(): Iterable<string>;
  /** How many ids had been loaded when this was read. */
  loadedCount: number;
};

/**
 * Reads everything that idCheck knows of an integration: its partitions one after the other, not item by item
 * (a Query reads 4 KB for half a unit when eventually consistent: some twenty items).
 *
 * The common item, loaded and nothing else, is kept as its hash alone, so that a million of them fit in memory.
 */
export const readKnown = async (store: IdStore, integration: string): Promise<Known> => {
  const hashes = hashColumn(HASH_CHARACTERS);
  const loadedHashes = new Map<string, number>();
  const others = new Map<string, IdCheck>();
  const inTheWay = new Map<string, string | undefined>();
  let loadedCount = 0;
  for await (const items of store.scan(integration)) {
    for (const item of items) {
      if (item.loaded !== undefined) loadedCount += 1;
      if (isRefused(item)) inTheWay.set(item.id, item.trouble?.parentId);
      const place = isOnlyLoaded(item) ? hashes.add(item.loaded.hash) : undefined;
      if (place === undefined) others.set(item.id, item);
      else loadedHashes.set(item.id, place);
    }
  }
  return {
    loadedCount,
    prepare: async () => {},
    isLoaded: (id) => loadedHashes.has(id) || others.get(id)?.loaded !== undefined,
    isInTheWay: (id) => standsInTheWay(id, inTheWay),
    take(id) {
      const place = loadedHashes.get(id);
      if (place !== undefined) {
        loadedHashes.delete(id);
        return { id, rev: 0, loaded: { hash: hashes.at(place), versionMs: 0, atMs: 0 } };
      }
      const item = others.get(id);
      others.delete(id);
      return item;
    },
    *vanished() {
      yield* loadedHashes.keys();
      for (const { id, loaded } of others.values()) if (loaded !== undefined) yield id;
    },
  };
};

/**
 * The same for a list of changes, which holds few of the integration's ids: they are read one by one, a page's ids
 * together. Nothing follows from an id's absence, so nothing has vanished.
 */
export const readKnownByIds = (store: IdStore, integration: string): Known => {
  const items = new Map<string, IdCheck>();
  const asked = new Set<string>();
  const inTheWay = new Map<string, string | undefined>();
  return {
    loadedCount: 0,
    prepare: async (ids) => {
      const fresh = [...new Set(ids)].filter((id) => !asked.has(id));
      for (const [id, item] of await store.read(integration, fresh)) {
        items.set(id, item);
        if (isRefused(item)) inTheWay.set(id, item.trouble?.parentId);
      }
      for (const id of fresh) asked.add(id);
    },
    isLoaded: (id) => items.get(id)?.loaded !== undefined,
    isInTheWay: (id) => standsInTheWay(id, inTheWay),
    // Nothing is struck off where nothing can vanish: a parent may be asked for after its own record.
    take: (id) => items.get(id),
    vanished: () => [],
  };
};

const isOnlyLoaded = (item: IdCheck): item is IdCheck & { loaded: NonNullable<IdCheck['loaded']> } =>
  surelyLoaded(item) !== undefined && item.claim === undefined && item.trouble === undefined;

const isRefused = ({ loaded, trouble }: IdCheck): boolean =>
  loaded === undefined && (trouble?.kind === 'rejected' || trouble?.kind === 'parked');

/** Up the chain of those that were refused only for their parent's sake: it is the topmost that matters. */
const standsInTheWay = (id: string, refused: ReadonlyMap<string, string | undefined>): boolean => {
  let at = id;
  for (let steps = 0; refused.has(at) && steps <= refused.size; steps++) {
    const parentId = refused.get(at);
    if (parentId === undefined) return true;
    at = parentId;
  }
  return false;
};
