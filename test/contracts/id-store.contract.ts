import { beforeEach, describe, expect, it } from 'vitest';
import type { IdCheck, IdStore } from '../../lib/idcheck/item.ts';
import { mapBounded } from '../../lib/runtime/bounded.ts';
import { collect } from './collect.ts';

const claimed = (id: string, owner: string, rev = 1): IdCheck => ({
  id,
  rev,
  claim: { owner, hash: 'hash-1', versionMs: 1_000, sinceMs: 1_500, untilMs: 2_000 },
});

const loaded = (id: string, rev = 1): IdCheck => ({
  id,
  rev,
  loaded: { hash: 'hash-1', versionMs: 1_000, atMs: 1_234 },
});

const withEverything: IdCheck = {
  id: '5203300076',
  rev: 7,
  loaded: { hash: 'AbCdEfGhIjKlMnOpQrStUv', versionMs: 1_767_571_200_000, atMs: 1_767_571_201_234 },
  deleted: { hash: 'deleted@1767571200000', versionMs: 1_767_571_300_000, atMs: 1_767_571_300_500 },
  claim: {
    owner: 'worker',
    hash: 'h2',
    versionMs: 1_767_657_600_000,
    sinceMs: 1_767_657_601_000,
    untilMs: 1_767_657_631_000,
  },
  trouble: {
    kind: 'rejected',
    hash: 'h3',
    versionMs: 1_767_657_600_000,
    sinceMs: 1_767_657_602_000,
    reason: '422 分组名称重复',
    letterMs: 1_767_657_603_000,
    parentId: '5203300000',
  },
  doubt: { hash: 'h4', untilMs: 1_767_657_700_000 },
};

const scanAll = async (store: IdStore, integration: string): Promise<IdCheck[]> =>
  (await collect(store.scan(integration))).flat();

/** What every idCheck store keeps to. `create` gives an empty one. */
export const idStoreContract = (create: () => Promise<IdStore> | IdStore) => {
  describe('as an idCheck store', () => {
    let store: IdStore;
    beforeEach(async () => {
      store = await create();
    });
    const readOne = async (id: string) => (await store.read('groups', [id])).get(id);

    it('gives back every field that was written', async () => {
      await store.write('groups', withEverything, { absent: true });
      expect(await readOne(withEverything.id)).toEqual(withEverything);
      expect(await scanAll(store, 'groups')).toEqual([withEverything]);
    });

    it('replaces the item as a whole: what the new one lacks is gone', async () => {
      await store.write('groups', withEverything, { absent: true });
      await store.write('groups', loaded(withEverything.id, 8), { rev: 7 });
      expect(await readOne(withEverything.id)).toEqual(loaded(withEverything.id, 8));
    });

    it('leaves ids without an item out of the map, and bears an id that is asked for twice', async () => {
      await store.write('groups', loaded('1'), { absent: true });
      const found = await store.read('groups', ['1', '2', '1']);
      expect([...found.keys()]).toEqual(['1']);
      expect((await store.read('groups', [])).size).toBe(0);
    });

    it('keeps integrations apart', async () => {
      await store.write('groups', loaded('1'), { absent: true });
      expect((await store.read('customers', ['1'])).size).toBe(0);
      expect(await scanAll(store, 'customers')).toEqual([]);
    });

    it.each(['0', '01', '1 ', 'a#b', '分组/1', '812252963824297984', 'x'.repeat(1024)])(
      'takes %s as an id of its own',
      async (id) => {
        await store.write('groups', loaded('1'), { absent: true });
        expect(await store.write('groups', loaded(id), { absent: true })).toBe('written');
        expect(await readOne(id)).toEqual(loaded(id));
      },
    );

    it('writes onto an absent item only while it is absent', async () => {
      expect(await store.write('groups', claimed('1', 'a'), { absent: true })).toBe('written');
      expect(await store.write('groups', claimed('1', 'b'), { absent: true })).toBe('conflict');
      expect((await readOne('1'))?.claim?.owner).toBe('a');
    });

    it('writes onto a revision only while it is the stored one', async () => {
      expect(await store.write('groups', loaded('1', 2), { rev: 1 })).toBe('conflict');
      await store.write('groups', claimed('1', 'a'), { absent: true });
      expect(await store.write('groups', loaded('1', 2), { rev: 0 })).toBe('conflict');
      expect(await store.write('groups', loaded('1', 2), { rev: 1 })).toBe('written');
      expect(await store.write('groups', loaded('1', 2), { rev: 1 })).toBe('conflict');
    });

    it('writes for an owner only while the claim is theirs', async () => {
      expect(await store.write('groups', loaded('1', 2), { owner: 'a' })).toBe('conflict');
      await store.write('groups', claimed('1', 'a'), { absent: true });
      await store.write('groups', claimed('1', 'b', 2), { rev: 1 });
      expect(await store.write('groups', loaded('1', 3), { owner: 'a' })).toBe('conflict');
      expect(await store.write('groups', loaded('1', 3), { owner: 'b' })).toBe('written');
      expect(await store.write('groups', loaded('1', 4), { owner: 'b' })).toBe('conflict');
    });

    it('lets exactly one of 50 concurrent claims of an absent id win', async () => {
      const owners = Array.from({ length: 50 }, (_, index) => `worker-${index}`);
      const ends = await Promise.all(
        owners.map((owner) => store.write('groups', claimed('1', owner), { absent: true })),
      );
      expect(ends.filter((end) => end === 'written')).toHaveLength(1);
      expect((await readOne('1'))?.claim?.owner).toBe(owners[ends.indexOf('written')]);
    });

    it('lets exactly one of 50 concurrent claims of a known id win', async () => {
      await store.write('groups', loaded('1'), { absent: true });
      const owners = Array.from({ length: 50 }, (_, index) => `worker-${index}`);
      const ends = await Promise.all(owners.map((owner) => store.write('groups', claimed('1', owner, 2), { rev: 1 })));
      expect(ends.filter((end) => end === 'written')).toHaveLength(1);
      expect((await readOne('1'))?.claim?.owner).toBe(owners[ends.indexOf('written')]);
    });

    it('reads 1,000 ids at once, and gives each of them once in a scan', async () => {
      const ids = Array.from({ length: 1_000 }, (_, index) => String(5_203_300_000 + index));
      // Not all at once: a client waits for a connection for no longer than a second.
      await mapBounded(ids, 16, (id) => store.write('groups', loaded(id), { absent: true }));
      const found = await store.read('groups', ids);
      expect([...found.keys()].sort()).toEqual(ids);
      expect(found.get('5203300999')).toEqual(loaded('5203300999'));
      const scanned = (await scanAll(store, 'groups')).map(({ id }) => id);
      expect(scanned.sort()).toEqual(ids);
    });

    it('lets a scan be left after its first page', async () => {
      await store.write('groups', loaded('1'), { absent: true });
      await store.write('groups', loaded('2'), { absent: true });
      for await (const page of store.scan('groups')) {
        expect(page.length).toBeGreaterThan(0);
        break;
      }
      expect(await scanAll(store, 'groups')).toHaveLength(2);
    });

    it('does not change what is stored when the caller changes its object', async () => {
      const item = loaded('1');
      await store.write('groups', item, { absent: true });
      item.rev = 99;
      const read = await readOne('1');
      expect(read?.rev).toBe(1);
      if (read) read.rev = 98;
      expect((await readOne('1'))?.rev).toBe(1);
    });
  });
};
