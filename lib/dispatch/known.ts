import type { IdCheck } from '../idcheck/item.ts';
import type { IdStore } from '../idcheck/store.ts';

/** What idCheck knows of one integration, held against a snapshot: what is not taken in the end has vanished. */
export type Known = {
  /** The item of an id, once: it is struck off. */
  take(id: string): IdCheck | undefined;
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
  const loadedHashes = new Map<string, string>();
  const others = new Map<string, IdCheck>();
  let loadedCount = 0;
  for await (const items of store.scan(integration)) {
    for (const item of items) {
      if (item.loaded !== undefined) loadedCount += 1;
      if (isOnlyLoaded(item)) loadedHashes.set(item.id, item.loaded.hash);
      else others.set(item.id, item);
    }
  }
  return {
    loadedCount,
    take(id) {
      const hash = loadedHashes.get(id);
      if (hash !== undefined) {
        loadedHashes.delete(id);
        return { id, rev: 0, loaded: { hash, versionMs: 0, atMs: 0 } };
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

const isOnlyLoaded = (item: IdCheck): item is IdCheck & { loaded: NonNullable<IdCheck['loaded']> } =>
  item.loaded !== undefined && item.claim === undefined && item.trouble === undefined;
