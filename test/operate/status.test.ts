import { describe, expect, test } from 'vitest';
import type { IdCheck } from '../../lib/idcheck/item.ts';
import { booksState, lookAtRun, type RunLook, watchRun } from '../../lib/operate/status.ts';
import type { LoadCounts, RunStatus } from '../../lib/runs/record.ts';
import { claimed, enqueued, groups, inStatus, loaded, operateWorld, runAt, troubled } from './operate-world.ts';

describe('a record that a run sent', () => {
  test.each<[string, IdCheck | undefined, queued: number, unknown]>([
    ['is open while a worker is at it', claimed('1'), 0, { fate: 'open', open: { as: 'claimed' } }],
    ['is lost where the queue is empty', undefined, 0, { fate: 'open', open: { as: 'lost', idCheck: 'never-seen' } }],
    [
      'may be in the queue where something is in it',
      undefined,
      1,
      { fate: 'open', open: { as: 'queued-or-lost', idCheck: 'never-seen' } },
    ],
    [
      'is open while older content of it is loaded',
      loaded('1', 'B'),
      0,
      { fate: 'open', open: { as: 'lost', idCheck: 'other-content' } },
    ],
    [
      'is open where idCheck knows it without content',
      { id: '1', rev: 1 },
      0,
      { fate: 'open', open: { as: 'lost', idCheck: 'nothing-loaded' } },
    ],
    ['says why it was refused', troubled('1', 'rejected'), 0, { fate: 'rejected', reason: 'status 422' }],
    ['says why its outcome is unknown', troubled('1', 'parked'), 0, { fate: 'uncertain', reason: 'status 422' }],
    ['says why it was given up', troubled('1', 'exhausted'), 0, { fate: 'open', reason: 'status 422' }],
  ])('%s', async (_, item, queued, expected) => {
    const world = operateWorld();
    const run = await world.ran(runAt(0), enqueued('1'));
    if (item !== undefined) await world.knows(item);
    if (queued > 0) await world.records.sendAll([{ body: 'of whatever record' }]);
    const { records } = await lookAtRun(run, groups, world);
    expect(records).toEqual([{ id: '1', ...(expected as object) }]);
  });

  test('and that is loaded is not named', async () => {
    const world = operateWorld();
    const run = await world.ran(runAt(0), enqueued('1'));
    await world.knows(loaded('1'));
    const look = await lookAtRun(run, groups, world);
    expect(look).toMatchObject({ run: { counts: { loaded: 1, open: 0 } }, records: [], balanced: true });
  });
});

describe('a look at a run', () => {
  test('names twenty ids of a kind, or every one', async () => {
    const world = operateWorld();
    const run = await world.ran(runAt(0), ...Array.from({ length: 25 }, (_, index) => enqueued(String(index))));
    expect((await lookAtRun(run, groups, world)).records).toHaveLength(20);
    expect((await lookAtRun(run, groups, world, { everyId: true })).records).toHaveLength(25);
  });

  test('shows the stored books where the file of its integration is gone', async () => {
    const world = operateWorld();
    const unsettled = { open: ['1'], rejected: [], uncertain: [] };
    const run = await world.ran(runAt(0, { unsettled }), enqueued('1'), enqueued('2'));
    const look = await lookAtRun(run, undefined, world);
    expect(look).toMatchObject({ run: { counts: run.counts }, unsettled, records: [{ id: '1', fate: 'open' }] });
  });

  test.each([
    ['holds the lease', 0, 60_000, true],
    ['held it', 0, -1, false],
    ['holds the lease for another run', 1, 60_000, false],
  ])('says whether an invocation works on it: one that %s', async (_, hour, leftMs, isUnderWay) => {
    const world = operateWorld();
    const run = await world.ran(runAt(0));
    const lease = { integration: groups.name, runId: runAt(hour).runId, owner: 'one' };
    await world.runs.takeLease({ ...lease, untilMs: world.clock.nowMs() + leftMs }, undefined);
    expect((await lookAtRun(run, groups, world)).isUnderWay).toBe(isUnderWay);
  });
});

const books = (status: RunStatus, fates: Partial<LoadCounts>, fetched?: number) => {
  const enqueuedCount = Object.values(fates).reduce((sum, count) => sum + count, 0);
  const { counts } = runAt(0);
  return { status, counts: { ...counts, fetched: fetched ?? enqueuedCount, enqueued: enqueuedCount, ...fates } };
};

test.each<[Parameters<typeof booksState>[0], queued: number, ReturnType<typeof booksState>]>([
  [books('extracting', { open: 1 }), 1, 'reading'],
  [books('incomplete', { rejected: 1 }), 0, 'unfinished'],
  [books('loading', { loaded: 1 }, 2), 0, 'unequal'],
  [books('loading', { open: 1 }), 1, 'open'],
  [books('loading', { open: 1, rejected: 1 }), 0, 'open-lost'],
  [books('unbalanced', { open: 1 }), 0, 'open-overdue'],
  [books('unbalanced', { open: 1 }), 1, 'open-overdue'],
  [books('balanced', { loaded: 1, rejected: 1 }), 0, 'troubled'],
  [books('balanced', { loaded: 1, uncertain: 1 }), 0, 'troubled'],
  [books('balanced', { loaded: 1 }), 0, 'settled'],
  [books('loading', { superseded: 1 }), 3, 'settled'],
  [{ ...books('balanced', { loaded: 1 }), leftOut: 4 }, 0, 'partial'],
  [{ ...books('balanced', { loaded: 1 }), notGiven: { count: 1, sample: ['9'], chunks: 1 } }, 0, 'uneasy'],
])('books of %j, %d queued: %s', (run, queued, state) => {
  expect(booksState(run, queued)).toBe(state);
});

describe('a run that is watched', () => {
  const watch = async (statuses: ReadonlyArray<RunStatus | 'fails'>) => {
    const world = operateWorld();
    const { clock } = world;
    const seen: RunStatus[] = [];
    let looks = 0;
    const look = async (): Promise<RunLook> => {
      const status = statuses[looks++] ?? 'balanced';
      if (status === 'fails') throw new Error('the servers are gone');
      return lookAtRun(inStatus(runAt(0), status), undefined, world);
    };
    const all = async () => {
      for await (const { run } of watchRun(look, clock)) seen.push(run.status);
    };
    const beganMs = clock.nowMs();
    const end = await clock.run(all()).then(
      () => 'over',
      (error: Error) => error.message,
    );
    return { seen, end, tookMs: clock.nowMs() - beganMs };
  };

  test.each(['balanced', 'unbalanced', 'incomplete'] as const)('is seen until it is %s', async (last) => {
    expect(await watch(['extracting', 'loading', last, 'loading'])).toEqual({
      seen: ['extracting', 'loading', last],
      end: 'over',
      tookMs: 4_000,
    });
  });

  test('may be out of sight five times in a row', async () => {
    const gone = Array.from({ length: 5 }, () => 'fails' as const);
    expect(await watch([...gone, 'loading', ...gone, 'balanced'])).toMatchObject({ seen: ['loading', 'balanced'] });
    expect(await watch(['loading', ...gone, 'fails'])).toMatchObject({
      seen: ['loading'],
      end: 'the servers are gone',
    });
  });
});
