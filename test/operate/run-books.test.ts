import { describe, expect, test } from 'vitest';
import type { IdCheck } from '../../lib/idcheck/item.ts';
import { type BooksState, booksState, drawUpRuns, type RunBooks } from '../../lib/operate/run-books.ts';
import { noOpen, type OpenWhy } from '../../lib/runs/books.ts';
import type { LoadCounts, RunRecord, RunStatus } from '../../lib/runs/record.ts';
import { noSetAside } from '../../lib/runs/set-aside.ts';
import { claimed, enqueued, groups, loaded, operateWorld, runAt, troubled, versionMs } from './operate-world.ts';

type World = ReturnType<typeof operateWorld>;

const booksNow = async (world: World, run: RunRecord): Promise<RunBooks> => {
  const [books] = await drawUpRuns([run], [groups], world);
  if (books === undefined) throw new Error('no books');
  return books;
};

const refused = { kind: 'rejected', hash: 'A', versionMs, sinceMs: versionMs, reason: 'status 422' } as const;

describe('a record that a run sent', () => {
  test.each<[string, IdCheck | undefined, queued: number, unknown]>([
    ['is open while a worker is at it', claimed('1'), 0, { fate: 'open', open: { as: 'claimed' } }],
    ['is lost where the queue is empty', undefined, 0, { fate: 'open', open: { as: 'lost', idCheck: 'never-seen' } }],
    [
      'waits in the queue where something is in it: lost is said only of an empty one',
      undefined,
      1,
      { fate: 'open', open: { as: 'queued', idCheck: 'never-seen' } },
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
    [
      'that a person gave up says so beside it',
      { ...troubled('1', 'rejected'), trouble: { ...refused, discardedMs: 5 } },
      0,
      { fate: 'rejected', reason: 'status 422', discarded: true },
    ],
    [
      'is to be sent by the next run where a person said so',
      { id: '1', rev: 3, toSend: { atMs: 5 } },
      1,
      { fate: 'open', open: { as: 'to-send' } },
    ],
    ['says why its outcome is unknown', troubled('1', 'parked'), 0, { fate: 'uncertain', reason: 'status 422' }],
    [
      'says why it was given up',
      troubled('1', 'exhausted'),
      0,
      { fate: 'open', reason: 'status 422', open: { as: 'given-up' } },
    ],
  ])('%s', async (_, item, queued, expected) => {
    const world = operateWorld();
    const run = await world.ran(runAt(0), enqueued('1'));
    if (item !== undefined) await world.knows(item);
    if (queued > 0) await world.records.sendAll([{ body: 'of whatever record' }]);
    const { records } = await booksNow(world, run);
    expect(records).toEqual([{ id: '1', ...(expected as object) }]);
  });

  test('and that is loaded is not named', async () => {
    const world = operateWorld();
    const run = await world.ran(runAt(0), enqueued('1'));
    await world.knows(loaded('1'));
    const drawn = await booksNow(world, run);
    expect(drawn).toMatchObject({ run: { counts: { loaded: 1, open: 0 } }, records: [], balanced: true });
  });
});

const books = (status: RunStatus, fates: Partial<LoadCounts>, fetched?: number) => {
  const enqueuedCount = Object.values(fates).reduce((sum, count) => sum + count, 0);
  const { counts } = runAt(0);
  return { status, counts: { ...counts, fetched: fetched ?? enqueuedCount, enqueued: enqueuedCount, ...fates } };
};

test.each<[Parameters<typeof booksState>[0], open: OpenWhy, queued: number, BooksState]>([
  [books('extracting', { open: 1 }), 'sent', 1, 'reading'],
  [books('incomplete', { rejected: 1 }), 'sent', 0, 'unfinished'],
  [books('loading', { loaded: 1 }, 2), 'sent', 0, 'unequal'],
  [books('loading', { open: 1 }), 'sent', 1, 'open'],
  [books('loading', { open: 1, rejected: 1 }), 'sent', 0, 'open-lost'],
  [books('unbalanced', { open: 1 }), 'sent', 0, 'open-overdue'],
  [books('unbalanced', { open: 1 }), 'sent', 1, 'open-overdue'],
  [books('balanced', { loaded: 1, rejected: 1 }), 'sent', 0, 'troubled'],
  [books('balanced', { loaded: 1, uncertain: 1 }), 'sent', 0, 'troubled'],
  [books('balanced', { loaded: 1 }), 'sent', 0, 'settled'],
  [books('loading', { superseded: 1 }), 'sent', 3, 'settled'],
  [{ ...books('balanced', { loaded: 1 }), leftOut: 4 }, 'sent', 0, 'partial'],
  [{ ...books('balanced', { loaded: 1 }), notGiven: { count: 1, sample: ['9'], chunks: 1 } }, 'sent', 0, 'uneasy'],
  [books('loading', { open: 1 }), 'claimed', 0, 'open-lost'],
  [books('loading', { open: 1 }), 'given-up', 0, 'open-next-run'],
  [books('unbalanced', { open: 1 }), 'to-send', 1, 'open-next-run'],
])('books of %j, open because %s, %d queued: %s', (run, why, queued, state) => {
  expect(booksState(run, { ...noOpen(), [why]: run.counts.open }, noSetAside(), queued)).toBe(state);
});
