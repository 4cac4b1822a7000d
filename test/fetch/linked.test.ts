import { expect, it } from 'vitest';
import { dryRun } from '../../lib/fetch/dry-run.ts';
import type { ReadContext } from '../../lib/source/source.ts';
import { DUE_MS, fetchWorld, group, schedule } from './fetch-world.ts';

const HOUR_MS = 3_600_000;

it('a run and a plan both know that a page of an earlier run carried a cursor', async () => {
  const world = fetchWorld({ pages: [[group(1)]] });
  const asked: ReadContext[] = [];
  const { readPage } = world.plan.source;
  world.plan.source = {
    readPage: async (at, deadlineMs, context) => {
      asked.push(context);
      return readPage(at, deadlineMs, context);
    },
  };
  const page = { kind: 'page' as const, records: [group(2)], requests: 1, warnings: [] };
  world.answers.set(0, { ...page, hasLink: true, next: { page: 0 } });
  await world.untilExtracted();
  expect((await world.run())?.hasLinked).toBe(true);
  expect(asked[0]).not.toHaveProperty('hasLinked');

  await world.clock.advance(HOUR_MS);
  await world.invoke(schedule({ scheduledMs: DUE_MS + HOUR_MS }));
  expect(asked.at(-1)?.hasLinked).toBe(true);
  // Also where the run before it saw none itself.
  await world.clock.advance(HOUR_MS);
  await world.invoke(schedule({ scheduledMs: DUE_MS + 2 * HOUR_MS }));
  expect(asked.at(-1)?.hasLinked).toBe(true);
  asked.length = 0;
  await world.clock.run(dryRun(world.plan, world.deps, { fullRefresh: false, samplePerKind: 1 }, () => HOUR_MS));
  expect(asked[0]?.hasLinked).toBe(true);
});
