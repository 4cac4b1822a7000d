import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HASH_CHARACTERS } from '../../lib/idcheck/hash.ts';
import type { IdCheck } from '../../lib/idcheck/item.ts';
import { readItems } from '../../lib/runs/evidence.ts';
import { memoryIdStore } from '../fakes/memory-id-store.ts';
import { items } from '../idcheck/arbitraries.ts';
import { loadingRun } from './run-record.ts';

const NAME = loadingRun.integration;

/** What of an item is no evidence: its revision, its turn, and when its content was loaded. */
const asEvidence = ({ rev: _rev, turn: _turn, loaded, ...rest }: IdCheck) => {
  const { atMs: _atMs, ...content } = loaded ?? {};
  return { ...rest, ...(loaded && { content }) };
};

/** As content hashes are: of one length, which is what is kept apart from the items. */
const withLongHash = (item: IdCheck): IdCheck =>
  item.loaded ? { ...item, loaded: { ...item.loaded, hash: item.loaded.hash.padEnd(HASH_CHARACTERS, '-') } } : item;

test('what is read of idCheck is the whole evidence of each item, whatever state it is in', async () => {
  const worlds = fc.array(fc.tuple(items, fc.boolean(), fc.option(fc.integer({ min: 1, max: 9 }))), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(worlds, async (world) => {
      const store = memoryIdStore(7);
      const stored = world.map(([item, isLong, saidMs], index): IdCheck => {
        const named = { ...(isLong ? withLongHash(item) : item), id: String(index) };
        return named.loaded && saidMs !== null ? { ...named, loaded: { ...named.loaded, saidMs } } : named;
      });
      for (const item of stored) await store.write(NAME, item, { absent: true });
      const known = await readItems(store, loadingRun);
      for (const item of stored) {
        const read = known.get(item.id);
        expect(read && asEvidence(read)).toEqual(asEvidence(item));
      }
      expect(known.get('another')).toBeUndefined();
    }),
  );
});
