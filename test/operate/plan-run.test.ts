import { expect, test } from 'vitest';
import { type PlanOptions, planRun } from '../../lib/operate/plan-run.ts';
import { memoryRunStore } from '../fakes/memory-run-store.ts';
import { fetchWorld, group, NAME } from '../fetch/fetch-world.ts';

/** Ids 1 to 8 are listed; the run before loaded them, but for the names of 1 and 2, which have changed. */
const planned = async (options: PlanOptions) => {
  const world = fetchWorld({ pages: [Array.from({ length: 8 }, (_, index) => group(index + 1, '旧'))] });
  await world.untilExtracted();
  for (const { id, hash } of (await world.ledger()).flatMap(({ entries }) => entries)) {
    const loaded = { hash: hash ?? '', versionMs: 1, atMs: 1 };
    await world.idStore.write(NAME, { id, rev: 1, loaded }, { absent: true });
  }
  world.pages = [Array.from({ length: 8 }, (_, index) => group(index + 1, index < 2 ? '新' : '旧'))];
  const { sample, counts } = await world.clock.run(
    planRun(world.plan, options, { ...world.deps, runs: memoryRunStore() }),
  );
  return { shown: sample.map(({ id }) => id), counts };
};

test('a plan compares with what is loaded, and leaves unchanged records out', async () => {
  const { shown, counts } = await planned({});
  expect(counts).toMatchObject({ fetched: 8, overwrite: 2, unchanged: 6, create: 0 });
  expect(shown).toEqual(['1', '2']);
});

test.each<[PlanOptions, object, number]>([
  [{ fresh: true }, { create: 8, unchanged: 0 }, 5],
  [{ fullRefresh: true }, { overwrite: 8, unchanged: 0 }, 5],
  [{ fresh: true, selection: { limit: 3 } }, { create: 3, wait: 5 }, 8],
  [{ fresh: true, selection: { ids: ['2', '7'] } }, { create: 2, wait: 6 }, 7],
  [{ show: 3 }, { overwrite: 2, unchanged: 6 }, 5],
  [{ show: 1 }, { overwrite: 2, unchanged: 6 }, 2],
  [{ fresh: true, show: 0 }, { create: 8 }, 0],
])('a plan with %j counts %j and shows %d', async (options, counts, shown) => {
  const plan = await planned(options);
  expect(plan.counts).toMatchObject(counts);
  expect(plan.shown).toHaveLength(shown);
});
