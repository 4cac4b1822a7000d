import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classify } from '../../lib/dispatch/classify.ts';
import { readKnown } from '../../lib/dispatch/known.ts';
import { memoryIdStore } from '../fakes/memory-id-store.ts';
import { items, policies } from '../idcheck/arbitraries.ts';

const many = fc.uniqueArray(fc.tuple(fc.constantFrom('0', '1', '01', '2', '3', '4'), items), {
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
          for (const hash of ['A', 'B']) {
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
});
