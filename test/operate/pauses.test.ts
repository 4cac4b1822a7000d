import { describe, expect, test } from 'vitest';
import { type ConnectionRest, healthy, type Rest } from '../../lib/connection/limit/health.ts';
import type { Backlog } from '../../lib/operate/follow-run.ts';
import { type ConnectionPause, heldTooLong, pausesOf } from '../../lib/operate/pauses.ts';
import type { RunStatus } from '../../lib/runs/record.ts';
import { groups, inStatus, operateWorld, runAt } from './operate-world.ts';

const MAX_WAIT_MS = 600_000;
const source = groups.source.connection.name;
const target = groups.target.connection.name;
const delayed: Backlog = { visible: 0, inFlight: 0, delayed: 2, running: 0 };

/** A run of this status that is watched for two hours, as `meanwhile` changes the world; gives how long that took. */
const watching = async (status: RunStatus, backlog: (sec: number) => Backlog = () => delayed) => {
  const world = operateWorld();
  const { clock, runs, limiter, health } = world;
  const run = inStatus(runAt(0), status);
  await runs.saveRun(run);
  const beganMs = clock.nowMs();
  const nowSec = () => (clock.nowMs() - beganMs) / 1_000;
  const told: ConnectionPause[] = [];
  const toldRests: ConnectionRest[] = [];
  const watch = async (maxWaitMs = MAX_WAIT_MS) => {
    const found = await clock.run(
      heldTooLong({
        integration: groups,
        runs,
        limiter,
        health,
        backlog: () => backlog(nowSec()),
        clock,
        maxWaitMs,
        isOver: () => nowSec() > 7_200,
        onPaused: (pause) => told.push(pause),
        onRest: (rest) => toldRests.push(rest),
      }),
    );
    if (found === undefined) return 'waits on';
    const { hold } = found;
    return hold.kind === 'pause'
      ? { side: hold.pause.side, why: hold.pause.why, tookSec: nowSec() }
      : { cause: hold.rest.cause, failedProbes: hold.rest.failedProbes, tookSec: nowSec() };
  };
  /** Paused by turns from now on: `pauseSec` long, then `askSec` until the next answer. */
  const keepsPausing = (connection: string, pauseSec: number, askSec: number) => {
    const again = async (): Promise<void> => {
      await limiter.pause(connection, clock.nowMs() + pauseSec * 1_000, 'status 429');
      await clock.sleep((pauseSec + askSec) * 1_000);
      if (nowSec() < 7_200) await again();
    };
    void again();
  };
  const pause = (connection: string, sec: number) =>
    limiter.pause(connection, clock.nowMs() + sec * 1_000, 'status 429');
  return { ...world, run, told, toldRests, watch, pause, keepsPausing, nowSec };
};

describe('a run gives up waiting', () => {
  test.each<[string, RunStatus, string, 'source' | 'target']>([
    ['source', 'extracting', source, 'source'],
    ['target', 'loading', target, 'target'],
  ])('at once where its %s asks for more than is waited for', async (_, status, connection, side) => {
    const { watch, pause, told } = await watching(status);
    await pause(connection, 3_600);
    expect(await watch()).toEqual({ side, why: 'status 429', tookSec: 3 });
    expect(told).toMatchObject([{ side, connection, why: 'status 429' }]);
  });

  test('when short pauses have lasted that long together', async () => {
    const { watch, keepsPausing } = await watching('extracting');
    keepsPausing(source, 58, 2);
    expect(await watch()).toMatchObject({ side: 'source', tookSec: expect.closeTo(570, -2) });
  });
});

describe('a run waits on', () => {
  test('for a pause that ends in time', async () => {
    const { watch, pause } = await watching('extracting');
    await pause(source, 500);
    expect(await watch()).toBe('waits on');
  });

  test('where it is allowed to wait longer', async () => {
    const { watch, pause } = await watching('extracting');
    await pause(source, 3_600);
    expect(await watch(2 * 3_600_000)).toBe('waits on');
  });

  test('while short pauses lie between records that are loaded', async () => {
    const { watch, keepsPausing } = await watching('loading', (sec) => ({
      ...delayed,
      delayed: Math.max(0, 5_000 - Math.floor(sec / 2)),
    }));
    keepsPausing(target, 5, 1);
    expect(await watch()).toBe('waits on');
  });

  test('while short pauses lie between records that are loaded, and the queue is filled again from the ledger', async () => {
    const { watch, keepsPausing, runs, run, clock } = await watching('loading');
    const fill = async (rev: number): Promise<void> => {
      const unsent = { runId: run.runId, chunks: 1, at: { chunk: 1, place: 0 }, left: 10_000 - rev };
      await runs.saveLine(groups.name, { rev, runs: [unsent] });
      await clock.sleep(5_000);
      if (rev < 1_440) await fill(rev + 1);
    };
    void fill(1);
    keepsPausing(target, 5, 1);
    expect(await watch()).toBe('waits on');
  });

  test('while the source is read, although the target is paused', async () => {
    const { watch, pause } = await watching('extracting');
    await pause(target, 3_600);
    expect(await watch()).toBe('waits on');
  });

  test('for its own rate limit, however slow that is', async () => {
    const { watch, limiter, clock } = await watching('extracting');
    await limiter.acquire(source, { requests: 1, intervalMs: 3_600_000 }, 2, clock.nowMs() + 7_200_000);
    expect(await watch()).toBe('waits on');
  });

  test('a minute for what is being worked on', async () => {
    const { watch, pause } = await watching('loading', () => ({ ...delayed, inFlight: 1 }));
    await pause(target, 3_600);
    expect(await watch()).toMatchObject({ side: 'target', tookSec: 60 });
  });
});

test('the ends that are paused now are named, with what they said', async () => {
  const { limiter, clock } = operateWorld();
  expect(await pausesOf(groups, limiter)).toEqual([]);
  const untilMs = clock.nowMs() + 3_600_000;
  await limiter.pause(target, untilMs, 'status 429 slow down');
  expect(await pausesOf(groups, limiter)).toEqual([
    { side: 'target', connection: target, untilMs, why: 'status 429 slow down' },
  ]);
  await clock.advance(3_600_000);
  expect(await pausesOf(groups, limiter)).toEqual([]);
});

describe('a run is not waited for', () => {
  const restOf = (world: Awaited<ReturnType<typeof watching>>, change: Partial<Rest> = {}): Rest => ({
    cause: 'down',
    why: 'refused',
    sinceMs: world.clock.nowMs(),
    probeAtMs: world.clock.nowMs() + 2_000,
    failedProbes: 0,
    runs: [],
    ...change,
  });
  /** Rests so from now on, however often that was written before. */
  const rests = async ({ health }: Awaited<ReturnType<typeof watching>>, rest: Rest) => {
    const { rev } = await health.read(target);
    await health.write(target, { ...healthy, rests: [rest] }, rev);
  };

  test('whose target was tried with five records in vain, one of them since it was begun', async () => {
    const world = await watching('loading');
    const old = restOf(world, { failedProbes: 7, sinceMs: 1, failedMs: 2 });
    await rests(world, old);
    void world.clock.sleep(30_000).then(() =>
      rests(world, {
        ...old,
        failedProbes: 8,
        failedMs: world.clock.nowMs(),
        probeAtMs: world.clock.nowMs() + 64_000,
      }),
    );
    expect(await world.watch()).toEqual({ cause: 'down', failedProbes: 8, tookSec: 30 });
    expect(world.toldRests).toHaveLength(1);
  });

  test('whose target is tried again later than it waits', async () => {
    const world = await watching('loading');
    await rests(world, restOf(world, { probeAtMs: world.clock.nowMs() + 700_000 }));
    expect(await world.watch()).toMatchObject({ cause: 'down', failedProbes: 0, tookSec: 3 });
  });

  test('whose answers were not understood in it; those of an earlier run are asked for anew', async () => {
    const world = await watching('loading');
    const { probeAtMs: _, ...stopped } = restOf(world, {
      cause: 'not-understood',
      integration: groups.name,
      sinceMs: 1,
    });
    await rests(world, stopped);
    void world.clock.sleep(60_000).then(() => rests(world, { ...stopped, failedMs: world.clock.nowMs() }));
    expect(await world.watch()).toMatchObject({ cause: 'not-understood', tookSec: 60 });
  });

  test('whose target rests for longer than that, though fewer than five records were tried', async () => {
    const world = await watching('loading');
    await rests(world, restOf(world, { failedProbes: 4, failedMs: world.clock.nowMs() }));
    expect(await world.watch()).toMatchObject({ failedProbes: 4, tookSec: expect.closeTo(601, -1) });
  });

  test.each<[string, RunStatus, Partial<Rest>]>([
    ['while its source is read', 'extracting', { failedProbes: 9 }],
    ['where another integration rests', 'loading', { integration: 'other', failedProbes: 9 }],
  ])('but is %s', async (_, status, change) => {
    const world = await watching(status);
    const probeAtMs = world.clock.nowMs() + (status === 'extracting' ? 7_000_000 : 1);
    await rests(world, restOf(world, { ...change, failedMs: world.clock.nowMs(), probeAtMs }));
    expect(await world.watch()).toBe('waits on');
  });
});
