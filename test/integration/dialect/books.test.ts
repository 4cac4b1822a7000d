import fc from 'fast-check';
import { expect, test } from 'vitest';
import { transformPlanOf } from '../../../lib/integration/compile/run-plan.ts';
import type { JsonValue } from '../../../lib/json/json.ts';
import { holds } from '../../../lib/runs/books.ts';
import { openTransform } from '../../../lib/transform/transform.ts';
import { fetchWorld } from '../../fetch/fetch-world.ts';
import { type Changes, integrationWith } from '../sample.ts';

const transformOf = (changes: Changes) =>
  openTransform(
    transformPlanOf(integrationWith('okki-product-groups-to-qingyiyun', { 'transform.clean': {}, ...changes })),
  );

const transforms = [
  transformOf({ 'source.metadata.beatFlat': ['lines'] }),
  transformOf({ 'source.metadata.operation': { method: 'splitArray', arrayKey: 'lines' } }),
  transformOf({ 'source.metadata.condition': [[{ field: 'lines.qty', logic: 'gt', value: 0, strictMode: true }]] }),
];

const record = fc.oneof(
  fc.record(
    {
      id: fc.oneof(fc.nat(5), fc.constantFrom('', null, 'a')),
      name: fc.string(),
      lines: fc.oneof(fc.array(fc.record({ id: fc.nat(9), qty: fc.nat(1) })), fc.constantFrom(null, 'none')),
    },
    { requiredKeys: [] },
  ),
  fc.constantFrom(null, 'text', 7),
);

test('no record of the source is missing from the books, whatever the block makes of it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(record, { maxLength: 6 }), { minLength: 1, maxLength: 3 }),
      fc.constantFrom(...transforms),
      async (pages, transform) => {
        const world = fetchWorld({ pages: pages as JsonValue[][], plan: { transform } });
        expect(await world.invoke()).toMatchObject({ end: 'extracted' });
        const run = await world.run();
        const entries = (await world.ledger()).flatMap((chunk) => chunk.entries);
        // What is enqueued is open until it is loaded.
        const counts = run && { ...run.counts, open: run.counts.enqueued };
        expect(counts && holds(counts)).toBe(true);
        expect(run?.counts.fetched).toBe(entries.length);
        const rows = pages.flat();
        expect(entries.length).toBeGreaterThanOrEqual(rows.length);
        const enqueued = entries.filter(({ outcome }) => outcome === 'enqueued').map(({ id }) => id);
        expect(world.sentIds()).toEqual(enqueued);
        expect(new Set(enqueued).size).toBe(enqueued.length);
      },
    ),
    { numRuns: 150 },
  );
});
