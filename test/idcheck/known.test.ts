import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classify } from '../../lib/idcheck/classify.ts';
import { contentHash } from '../../lib/idcheck/hash.ts';
import type { IdCheck, IdStore, TroubleKind } from '../../lib/idcheck/item.ts';
import { ignoringRefusals, readKnown, readKnownByIds } from '../../lib/idcheck/known.ts';
import { memoryIdStore } from '../fakes/memory-id-store.ts';
import { items, policies } from './arbitraries.ts';

// Hashes as they are in the field: those are packed.
const hashed = items.map((item) =>
  item.loaded === undefined ? item : { ...item, loaded: { ...item.loaded, hash: contentHash(item.loaded.hash) } },
);
const many = fc.uniqueArray(fc.tuple(fc.constantFrom('0', '1', '01', '2', '3', '4'), fc.oneof(items, hashed)), {
  selector: ([id]) => id,
});

const storeOf = async (stored: Array<[string, typeof items extends fc.Arbitrary<infer Item> ? Item : never]>) => {
  const store = memoryIdStore(2);
  for (const [id, item] of stored) await store.write('groups', { ...item, id }, { absent: true });
  return store;
};

describe('what idCheck knows of an integration', () => {
  it('classifies every record as its whole item would, though most of it is not kept', async () => {
    await fc.assert(
      fc.asyncProperty(many, policies, fc.boolean(), async (stored, policy, refresh) => {
        const known = await readKnown(await storeOf(stored), 'groups');
        for (const [id, item] of stored) {
          const taken = known.take(id);
          expect(taken?.id).toBe(id);
          for (const hash of ['A', 'B', contentHash('A'), contentHash('B')]) {
            expect(classify(taken, hash, policy, refresh)).toEqual(classify(item, hash, policy, refresh));
          }
          expect(known.take(id)).toBeUndefined();
        }
      }),
    );
  });

  it('knows as vanished what was loaded and is not taken', async () => {
    await fc.assert(
      fc.asyncProperty(many, fc.nat(6), async (stored, taken) => {
        const known = await readKnown(await storeOf(stored), 'groups');
        const loaded = stored.filter(([, item]) => item.loaded !== undefined).map(([id]) => id);
        expect(known.loadedCount).toBe(loaded.length);
        const present = new Set(stored.slice(0, taken).map(([id]) => id));
        for (const id of present) known.take(id);
        known.take('unheard of');
        expect([...known.vanished()].sort()).toEqual(loaded.filter((id) => !present.has(id)).sort());
      }),
    );
  });

  it('says of an id whether it was loaded, until it is taken', async () => {
    await fc.assert(
      fc.asyncProperty(many, async (stored) => {
        const known = await readKnown(await storeOf(stored), 'groups');
        for (const [id, item] of stored) {
          expect(known.isLoaded(id)).toBe(item.loaded !== undefined);
          known.take(id);
          expect(known.isLoaded(id)).toBe(false);
        }
      }),
    );
  });

  const refused = (kind: TroubleKind, parentId?: string): IdCheck => ({
    id: '',
    rev: 1,
    trouble: {
      kind,
      hash: 'A',
      versionMs: 1,
      sinceMs: 1,
      reason: 'words',
      ...(parentId === undefined ? {} : { parentId }),
    },
  });
  const inTheWay: Array<[string, IdCheck, boolean]> = [
    ['rejected', refused('rejected'), true],
    ['parked', refused('parked'), true],
    ['uncertain', refused('uncertain'), false],
    ['exhausted', refused('exhausted'), false],
    ['loaded', { ...refused('rejected'), loaded: { hash: 'B', versionMs: 1, atMs: 1 } }, false],
    ['child of rejected', refused('rejected', 'rejected'), true],
    ['grandchild', refused('rejected', 'child of rejected'), true],
    ['child of loaded', refused('rejected', 'loaded'), false],
    ['child of unknown', refused('rejected', 'unknown'), false],
  ];

  it.each(inTheWay)('%s is in the way of what depends on it: %o → %s', async (id, _item, expected) => {
    const store = await storeOf(inTheWay.map(([name, item]) => [name, item]));
    const whole = await readKnown(store, 'groups');
    expect(whole.isInTheWay(id)).toBe(expected);
    expect(whole.isInTheWay('unknown')).toBe(false);
    const byIds = readKnownByIds(store, 'groups');
    await byIds.lookUp(inTheWay.map(([name]) => name));
    expect(byIds.isInTheWay(id)).toBe(expected);
  });

  it('is in the way of what it is told waits below it, on every level, but not of what was refused for its own sake', async () => {
    const known = await readKnown(await storeOf([['1', refused('rejected')]]), 'groups');
    known.waits('3', '2');
    expect(known.isInTheWay('3')).toBe(false);
    known.waits('2', '1');
    expect([known.isInTheWay('2'), known.isInTheWay('3'), known.isInTheWay('4')]).toEqual([true, true, false]);
    known.waits('1', '4');
    expect(known.isInTheWay('1')).toBe(true);
  });

  it('is in the way of what waited below it before it was looked up', async () => {
    const known = readKnownByIds(await storeOf([['1', refused('rejected')]]), 'groups');
    known.waits('3', '2');
    await known.lookUp(['2', '1']);
    known.waits('2', '1');
    expect(known.isInTheWay('3')).toBe(true);
  });

  it('is not in the way of what is loaded, whatever that waits for', async () => {
    const store = await storeOf([
      ['1', refused('rejected')],
      ['2', { id: '2', rev: 1, loaded: { hash: 'A', versionMs: 1, atMs: 1 } }],
    ]);
    const byIds = readKnownByIds(store, 'groups');
    await byIds.lookUp(['1', '2']);
    for (const known of [byIds, await readKnown(store, 'groups')]) {
      known.waits('2', '1');
      expect([known.isInTheWay('1'), known.isInTheWay('2')]).toEqual([true, false]);
    }
  });

  it('keeps nothing of what waits where nothing was refused', async () => {
    const known = await readKnown(await storeOf([['1', { ...refused('exhausted'), id: '1' }]]), 'groups');
    known.waits('2', '1');
    known.waits('1', '2');
    expect([known.isInTheWay('1'), known.isInTheWay('2')]).toEqual([false, false]);
  });

  it('holds nobody up where refused parents are to hold nobody up', async () => {
    const known = ignoringRefusals(await readKnown(await storeOf([['1', refused('rejected')]]), 'groups'));
    expect([known.isInTheWay('1'), known.take('1')?.trouble?.kind]).toEqual([false, 'rejected']);
  });

  it('ends also where refused records name each other as parents', async () => {
    const store = await storeOf([
      ['a', refused('rejected', 'b')],
      ['b', refused('rejected', 'a')],
    ]);
    const known = await readKnown(store, 'groups');
    expect(typeof known.isInTheWay('a')).toBe('boolean');
  });
});

describe('what idCheck knows, read by ids', () => {
  it('gives the items of the ids that were looked up, each read once, and nothing vanishes', async () => {
    await fc.assert(
      fc.asyncProperty(many, async (stored) => {
        const store = await storeOf(stored);
        const asked: string[] = [];
        let reads = 0;
        const counting: IdStore = {
          ...store,
          read: async (integration, ids) => {
            asked.push(...ids);
            reads += 1;
            return store.read(integration, ids);
          },
        };
        const known = readKnownByIds(counting, 'groups');
        const ids = [...stored.map(([id]) => id), 'unknown'];
        expect(ids.map(known.take)).toEqual(ids.map(() => undefined));
        await known.lookUp([...ids, ...ids]);
        await known.lookUp(ids);
        expect([asked.sort(), reads]).toEqual([ids.sort(), 1]);
        for (const [id, item] of stored) {
          expect([known.take(id), known.take(id)]).toEqual([
            { ...item, id },
            { ...item, id },
          ]);
          expect(known.isLoaded(id)).toBe(item.loaded !== undefined);
        }
        expect([known.take('unknown'), known.isLoaded('unknown')]).toEqual([undefined, false]);
        expect([[...known.vanished()], known.loadedCount]).toEqual([[], 0]);
      }),
    );
  });
});
