import { expect, test } from 'vitest';
import { listLetters } from '../../lib/messages/dead-letter-queue.ts';
import { reconcile } from '../../lib/runs/reconcile.ts';
import { withEachCallWrong } from '../fakes/one-call-wrong.ts';
import { loadingFor } from '../runs/load-all.ts';
import { DUE_MS, fetchWorld, group, NAME, schedule } from './fetch-world.ts';

const HOUR_MS = 3_600_000;
const bad = [{ name: 'no id' }, { name: 'nor this' }, 'text'];

/** A list of changes with bad rows, which two runs have held already: the next run leaves them behind. */
const heldWorld = async () => {
  const world = fetchWorld({
    pages: [[group(1), ...bad, group(2), group(3), group(4)]],
    plan: { window: { initialMs: 0, overlapMs: 0, staysAtInvalid: false } },
  });
  const target = loadingFor(world);
  const policy = { idCheck: false, onUncertain: 'resend' } as const;
  const runAt = async (hour: number) => {
    const scheduledMs = DUE_MS + hour * HOUR_MS;
    await world.clock.advance(Math.max(0, scheduledMs - world.clock.nowMs()));
    await world.untilExtracted(schedule({ scheduledMs }));
    await target.all();
    const books = reconcile({ integration: NAME, policy, deadlineMs: HOUR_MS }, world.deps);
    await world.clock.run(books).catch(() => undefined);
  };
  for (const hour of [0, 1]) await runAt(hour);
  return {
    ...world,
    runAt,
    hasMovedOn: async () => (await world.runs.watermark(NAME)) !== undefined,
    rowsInLetters: async () => {
      const letters = await world.clock.run(listLetters(world.deadLetters, { integration: NAME }));
      await world.clock.advance(2_000);
      return new Set(letters.map(({ body }) => body));
    },
  };
};

test('with any call gone wrong a window never moves on without a letter for each row that it leaves behind', async () => {
  const rows = new Set(bad.map((row) => JSON.stringify(row)));
  await withEachCallWrong(
    { start: heldWorld, act: ({ runAt }) => runAt(2) },
    async ({ hasMovedOn, rowsInLetters }, told) => {
      if (await hasMovedOn()) expect(await rowsInLetters(), told).toEqual(rows);
    },
    async ({ runAt, hasMovedOn, rowsInLetters }, told) => {
      // The books are drawn up again by the run after it.
      if (!(await hasMovedOn())) await runAt(3);
      expect([await hasMovedOn(), await rowsInLetters()], told).toEqual([true, rows]);
    },
  );
});
