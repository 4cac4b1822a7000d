import { describe, expect, test } from 'vitest';
import { letterFor, writeLetter } from '../../lib/messages/dead-letter.ts';
import {
  integrationsWithLetters,
  type ReplayPlace,
  replayAndLoad,
  replayLetters,
} from '../../lib/operate/replay-letters.ts';
import { replay } from '../../lib/replay/replay.ts';
import { silentLog } from '../../lib/runtime/log.ts';
import { memoryAuditLog } from '../fakes/memory-audit-log.ts';
import { drops, loadWorld, refuses, takes } from '../load/load-world.ts';
import { recordMessage } from '../load/message.ts';

/** Dead letters as the loader writes them, of records that the target refused, and one that nobody can read. */
const world = async () => {
  const loading = loadWorld({ policy: { onUncertain: 'park' } });
  loading.answer = ([record]) => (record?.id === 'lost' ? drops(true) : refuses);
  await loading.send(...['1', '2', '3', 'lost'].map((id) => recordMessage({ id })));
  await loading.run();
  await loading.deadLetters.sendAll([{ body: 'not JSON' }]);
  const { clock, deadLetters, records } = loading;
  const deps = { deadLetters, records, audit: memoryAuditLog(), clock, log: silentLog, runs: loading.deps.runs };
  let openings = 0;
  const place = (integration: string): ReplayPlace => ({
    integration,
    open: async (use) => {
      openings += 1;
      // What another pass left is shown again a second after it.
      await clock.advance(2_000);
      const loadAll = async () => {
        await loading.run();
        await clock.advance(2_000);
        return undefined;
      };
      return use({ deadLetters, clock, replay: (request) => replay(request, deps), loadAll });
    },
  });
  return { loading, deps, place, openings: () => openings };
};

describe('letters that are replayed on a stack at hand', () => {
  test('are loaded before it is told what came back', async () => {
    const { loading, place } = await world();
    loading.answer = ([record]) => (record?.id === '2' ? refuses : takes);
    const end = await replayAndLoad({ reason: 'rejected' }, [place('groups')]);
    expect(end.replayed.map(({ id }) => id).sort()).toEqual(['1', '2', '3']);
    expect(end).toMatchObject({ backInQueue: 1, notReplayable: 0, dryRun: false });
  });

  test('are not mistaken for other letters of their records, which stay', async () => {
    const { loading, place } = await world();
    loading.answer = () => takes;
    const old = recordMessage({ id: '1', hash: 'of another target', replayedMs: 1 });
    await loading.deadLetters.sendAll([
      { body: writeLetter(letterFor('rejected', old, { cause: 'status', status: 422, atMs: 1 })) },
    ]);
    const end = await replayAndLoad({ reason: 'rejected', limit: 3 }, [place('groups')]);
    expect(end.replayed.map(({ id }) => id).sort()).toEqual(['1', '2', '3']);
    expect(end.backInQueue).toBe(0);
  });

  test('are as many as the limit says, over all integrations', async () => {
    const { loading, place, openings } = await world();
    loading.answer = () => takes;
    const end = await replayAndLoad({ reason: 'rejected', limit: 3 }, ['none', 'groups', 'never'].map(place));
    expect(end.replayed).toHaveLength(3);
    expect(openings()).toBe(2);
  });

  test('are left as they are on a dry run', async () => {
    const { loading, place } = await world();
    const before = loading.posts.length;
    const end = await replayAndLoad({ dryRun: true }, [place('groups')]);
    expect(end.replayed).toHaveLength(3);
    expect(end).toMatchObject({ dryRun: true, backInQueue: 0, mustBeResolved: ['lost'] });
    expect(loading.posts).toHaveLength(before);
  });
});

test('a replay whose target was given up says so', async () => {
  const { place } = await world();
  const rest = { connection: 'target', cause: 'down', why: 'refused', sinceMs: 1, failedProbes: 5 } as const;
  const groups = place('groups');
  const givenUp: ReplayPlace = {
    ...groups,
    open: (use) => groups.open((engine) => use({ ...engine, loadAll: async () => rest })),
  };
  expect(await replayAndLoad({ reason: 'rejected' }, [givenUp])).toMatchObject({ rest, backInQueue: 0 });
});

test('a replay on a stack elsewhere says what waits for its workers, and what stays', async () => {
  const { deps, loading } = await world();
  expect(await replayLetters({ integration: 'groups', id: '1' }, deps)).toMatchObject({
    replayed: [{ id: '1' }],
    others: 4,
    backInQueue: 0,
    deadLetters: 0,
  });
  await loading.clock.advance(2_000);
  expect(await replayLetters({ integration: 'groups', dryRun: true }, deps)).toMatchObject({ dryRun: true });
});

test.each([
  [{}, { names: ['groups'], unreadable: 1 }],
  [{ reason: 'unreadable' as const }, { names: [], unreadable: 1 }],
  [{ reason: 'uncertain' as const }, { names: ['groups'], unreadable: 0 }],
])('of the letters %j are meant: whose they are is %j', async (filter, expected) => {
  const { deps } = await world();
  expect(await integrationsWithLetters(filter, deps)).toEqual(expected);
});
