import { surelyLoaded } from './decide.ts';
import { HASH_CHARACTERS } from './hash.ts';
import type { IdCheck, IdStore } from './item.ts';

/** 90 kB: a small integration, run every minute, must not leave megabytes behind each time. */
const BLOCK_HASHES = 4_096;

/**
 * Many texts of one length and of ASCII only, kept outside of the heap: a million hashes of 22 characters take 22 MB
 * and no work of the garbage collector, where strings take twice that and, with the collector's slack, four times.
 */
type HashColumn = {
  /** Keeps a text and gives its place; undefined: it is of another length, or not ASCII. */
  add(hash: string): number | undefined;
  at(place: number): string;
};

const ASCII = /^[\x20-\x7e]*$/;

export const hashColumn = (length: number): HashColumn => {
  const blocks: Buffer[] = [];
  let count = 0;
  return {
    add: (hash) => {
      if (hash.length !== length || !ASCII.test(hash)) return undefined;
      const place = count++;
      const within = place % BLOCK_HASHES;
      if (within === 0) blocks.push(Buffer.allocUnsafeSlow(BLOCK_HASHES * length));
      blocks.at(-1)?.write(hash, within * length, 'latin1');
      return place;
    },
    at: (place) => {
      const from = (place % BLOCK_HASHES) * length;
      return blocks[Math.floor(place / BLOCK_HASHES)]?.toString('latin1', from, from + length) ?? '';
    },
  };
};

/** What idCheck knows of one integration, to compare a snapshot with: what is not taken in the end has vanished. */
export type Known = {
  /** To be called with the ids that are asked for next, those of parents too. */
  lookUp(ids: Iterable<string>): Promise<void>;
  /** The item of an id, once: it is struck off. */
  take(id: string): IdCheck | undefined;
  /** Whether an id that is not struck off was loaded before. */
  isLoaded(id: string): boolean;
  /** Whether an id that is not struck off is loaded with this very content, as far as it was read. */
  hasLoaded(id: string, hash: string): boolean;
  /**
   * Whether records that depend on this one cannot go: it was refused or left to a person, or one above it was. Up the
   * chain go those that were refused for their parent's sake only, and those that `waits` was told of.
   */
  isInTheWay(id: string): boolean;
  /** A record of this snapshot waits for its parent, unless it is loaded: what is in that one's way is in its own. */
  waits(id: string, parentId: string): void;
  /** Ids that the present source has given, that were loaded, and that are not struck off. */
  vanished(): Iterable<string>;
  /** How many ids had been loaded when this was read. */
  loadedCount: number;
  /** How many of them the present source has given. */
  ofSourceCount: number;
};

/**
 * Reads everything that idCheck knows of an integration, by the name of its state: its partitions one after the other, not item by item
 * (a Query reads 4 KB for half a unit when eventually consistent: some twenty items).
 *
 * The common item, loaded and nothing else, is kept as its hash alone, so that a million of them fit in memory.
 * `sourceSinceMs`: what was loaded before came from another source; that this one lacks it says nothing.
 */
export const readKnown = async (store: IdStore, state: string, sourceSinceMs = 0): Promise<Known> => {
  const hashes = hashColumn(HASH_CHARACTERS);
  const loadedHashes = new Map<string, number>();
  const others = new Map<string, IdCheck>();
  const tree = refusals();
  const ofOtherSource = new Set<string>();
  let loadedCount = 0;
  for await (const items of store.scan(state)) {
    for (const item of items) {
      if (item.loaded !== undefined) {
        loadedCount += 1;
        if (item.loaded.versionMs <= sourceSinceMs) ofOtherSource.add(item.id);
      }
      tree.note(item);
      const place = isOnlyLoaded(item) ? hashes.add(item.loaded.hash) : undefined;
      if (place === undefined) others.set(item.id, item);
      else loadedHashes.set(item.id, place);
    }
  }
  const isLoaded = (id: string) => loadedHashes.has(id) || others.get(id)?.loaded !== undefined;
  return {
    loadedCount,
    ofSourceCount: loadedCount - ofOtherSource.size,
    lookUp: async () => {},
    isLoaded,
    hasLoaded: (id, hash) => {
      const place = loadedHashes.get(id);
      return place !== undefined && hashes.at(place) === hash;
    },
    isInTheWay: tree.isInTheWay,
    waits: (id, parentId) => {
      // All refusals are known by now: where there is none, nothing needs to be kept.
      if (tree.hasAny() && !isLoaded(id)) tree.waits(id, parentId);
    },
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
      const left = [loadedHashes.keys(), [...others.values()].flatMap(({ id, loaded }) => (loaded ? [id] : []))];
      for (const ids of left) for (const id of ids) if (!ofOtherSource.has(id)) yield id;
    },
  };
};

/**
 * The same for a list of changes, which holds few of the integration's ids: they are read one by one, a page's ids
 * together. Nothing follows from an id's absence, so nothing has vanished.
 */
export const readKnownByIds = (store: IdStore, state: string): Known => {
  const items = new Map<string, IdCheck>();
  const asked = new Set<string>();
  const tree = refusals();
  const isLoaded = (id: string) => items.get(id)?.loaded !== undefined;
  return {
    loadedCount: 0,
    ofSourceCount: 0,
    lookUp: async (ids) => {
      const fresh = [...new Set(ids)].filter((id) => !asked.has(id));
      if (fresh.length === 0) return;
      for (const [id, item] of await store.read(state, fresh)) {
        items.set(id, item);
        tree.note(item);
      }
      for (const id of fresh) asked.add(id);
    },
    isLoaded,
    hasLoaded: (id, hash) => {
      const item = items.get(id);
      return item !== undefined && isOnlyLoaded(item) && item.loaded.hash === hash;
    },
    isInTheWay: tree.isInTheWay,
    waits: (id, parentId) => {
      if (!isLoaded(id)) tree.waits(id, parentId);
    },
    // Nothing is struck off where nothing can vanish: a parent may be asked for after its own record.
    take: (id) => items.get(id),
    vanished: () => [],
  };
};

const isOnlyLoaded = (item: IdCheck): item is IdCheck & { loaded: NonNullable<IdCheck['loaded']> } =>
  surelyLoaded(item) !== undefined && item.claim === undefined && item.trouble === undefined;

const isRefused = ({ loaded, trouble }: IdCheck): boolean =>
  loaded === undefined && (trouble?.kind === 'rejected' || trouble?.kind === 'parked');

/** What was refused, and what waits below it. */
const refusals = () => {
  /** Id → the parent for whose sake it was refused, or for which it waits; undefined: refused for its own. */
  const above = new Map<string, string | undefined>();
  return {
    note: (item: IdCheck): void => {
      if (!isRefused(item)) return;
      above.set(item.id, item.trouble?.parentId);
    },
    hasAny: (): boolean => above.size > 0,
    waits: (id: string, parentId: string): void => {
      if (!above.has(id)) above.set(id, parentId);
    },
    isInTheWay: (id: string): boolean => {
      let at = id;
      for (let steps = 0; above.has(at) && steps <= above.size; steps++) {
        const parentId = above.get(at);
        if (parentId === undefined) return true;
        at = parentId;
      }
      return false;
    },
  };
};

/** The same where no record is kept from loading by a refused parent (`dependsOn.rejectedParent: "root"`). */
export const ignoringRefusals = (known: Known): Known => ({ ...known, isInTheWay: () => false });
