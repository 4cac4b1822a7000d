import { describe, expect, it } from 'vitest';
import { canGoWrong, type FaultKind, faultKinds } from '../fakes/faults.ts';
import { fetchWorld, group, loadedItem, NAME, runId, schedule } from './fetch-world.ts';

/** Four pages and two invocations: new, loaded, blank, repeated, refused and vanished ids, also across pages. */
const fetchWith = async (at: number, kind: FaultKind) => {
  const world = fetchWorld({
    pages: [
      [group(1), group(2), group('', 'no id')],
      [group(3, ' '), group(2), group(4)],
      [group(5), group(1, 'renamed'), group(6)],
      [group('0'), group(6)],
    ],
  });
  for (const id of ['4', '5', 'gone', 'lost']) await world.idStore.write(NAME, loadedItem(id), { absent: true });
  world.pageMs = 100_000;
  world.faults.arm(at, kind);
  await world.untilExtracted(schedule());
  return world;
};

const undisturbed = await fetchWith(-1, 'refused');
// A resumed run no longer knows the content of a repeated record, only that its id was there: the words differ.
const ledgerOf = async (world: typeof undisturbed) =>
  (await world.ledger()).map(({ index, entries }) => ({
    index,
    entries: entries.map(({ id, outcome, hash }) => [id, outcome, hash]),
  }));

describe('with one call gone wrong', () => {
  it.each(faultKinds)('(%s) the run ends with the same ledger and books, and no message is missing', async (kind) => {
    const { calls } = undisturbed.faults;
    expect([...new Set(calls.map((call) => call.split('.')[0]))].sort()).toEqual([
      'idStore',
      'records',
      'runRequests',
      'runs',
      'source',
    ]);
    const ledger = await ledgerOf(undisturbed);
    const { counts, vanished, vanishedSample } = (await undisturbed.run()) ?? {};
    expect(counts).toMatchObject({ fetched: 11, filtered: 1, invalid: 1, merged: 3, enqueued: 6 });
    for (const [at, call] of calls.entries()) {
      if (!canGoWrong(call, kind)) continue;
      const world = await fetchWith(at, kind);
      const told = `call ${at}, ${call}`;
      expect(await ledgerOf(world), told).toEqual(ledger);
      const run = await world.run();
      expect(run, told).toMatchObject({ runId, status: 'loading', counts, vanished, vanishedSample });
      expect(run, told).not.toHaveProperty('failure');
      expect(new Set(world.sentIds()), told).toEqual(new Set(undisturbed.sentIds()));
      // A page is sent again at most once more for one fault.
      expect(world.sentIds().length, told).toBeLessThanOrEqual(undisturbed.sentIds().length + 3);
      expect((await world.runs.lease(NAME))?.untilMs, told).toBeLessThanOrEqual(world.clock.nowMs() + 305_000);
    }
  });
});
