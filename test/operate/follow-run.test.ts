import { describe, expect, test } from 'vitest';
import type { IdCheck } from '../../lib/idcheck/item.ts';
import { type Backlog, followRun } from '../../lib/operate/follow-run.ts';
import type { LedgerEntry } from '../../lib/runs/ledger.ts';
import type { RunStatus } from '../../lib/runs/record.ts';
import { claimed, enqueued, groups, inStatus, loaded, operateWorld, runAt, troubled } from './operate-world.ts';

const idle: Backlog = { visible: 0, inFlight: 0, delayed: 0, running: 0 };
const backlogs = {
  empty: idle,
  queued: { ...idle, visible: 3 },
  working: { ...idle, inFlight: 3, running: 1 },
  delayed: { ...idle, delayed: 2 },
  hidden: { ...idle, inFlight: 2 },
} satisfies Record<string, Backlog>;

/** A run of one record that is followed; the test says what happens at which second. */
const world = async (known?: IdCheck, ...entries: LedgerEntry[]) => {
  const stores = operateWorld();
  const { clock, runs } = stores;
  const run = await stores.ran(runAt(0), enqueued('1'), ...entries);
  if (known !== undefined) await stores.knows(known);
  const beganMs = clock.nowMs();
  const closedAtSec: number[] = [];
  const is = (status: RunStatus) => runs.saveRun(inStatus(run, status));
  let closesTo: RunStatus = 'balanced';
  const following = {
    ...stores,
    integration: groups,
    closeBooks: async () => {
      closedAtSec.push((clock.nowMs() - beganMs) / 1_000);
      await is(closesTo);
    },
    onSeen: () => {},
  };
  return {
    clock,
    runs,
    runId: run.runId,
    is,
    closedAtSec,
    closesTo: (status: RunStatus) => {
      closesTo = status;
    },
    follow: async (more: Partial<Parameters<typeof followRun>[1]> = {}) => {
      const { run: end, stranded } = await clock.run(followRun(run.runId, { ...following, ...more }));
      return { status: end.status, stranded, tookSec: (clock.nowMs() - beganMs) / 1_000 };
    },
    /** The backlog by the seconds at which it becomes so. */
    backlogOver: (steps: Record<number, Backlog>) => () => {
      const nowSec = (clock.nowMs() - beganMs) / 1_000;
      const [, last = idle] = Object.entries(steps).findLast(([sec]) => Number(sec) <= nowSec) ?? [];
      return last;
    },
  };
};

describe('where the queues are known, a run is over', () => {
  test('once they are empty; its books are closed then', async () => {
    const { follow, backlogOver, closedAtSec } = await world();
    const end = await follow({ backlog: backlogOver({ 0: backlogs.queued, 2: backlogs.working, 4: backlogs.empty }) });
    expect(end).toEqual({ status: 'balanced', stranded: 0, tookSec: 4 });
    expect(closedAtSec).toEqual([4]);
  });

  test('at once where nothing was sent, and no books are open', async () => {
    const { follow, backlogOver, is, closedAtSec } = await world();
    await is('balanced');
    expect(await follow({ backlog: backlogOver({}) })).toEqual({ status: 'balanced', stranded: 0, tookSec: 0 });
    expect(closedAtSec).toEqual([]);
  });

  test.each([
    ['refused', troubled('1', 'rejected')],
    ['loaded', loaded('1')],
  ])('when its record is %s, although second copies of messages wait', async (_, item) => {
    const { follow, backlogOver } = await world(item);
    const end = await follow({ backlog: backlogOver({ 0: backlogs.working, 2: backlogs.delayed }) });
    expect(end).toEqual({ status: 'balanced', stranded: 0, tookSec: 2 });
  });

  test.each([
    ['given up', troubled('1', 'exhausted')],
    ['of unknown outcome', troubled('1', 'parked')],
    ['claimed', claimed('1')],
  ])('only when nothing waits to be tried again, while its record is %s', async (_, item) => {
    const { follow, backlogOver } = await world(item);
    expect(await follow({ backlog: backlogOver({ 0: backlogs.delayed, 900: backlogs.empty }) })).toMatchObject({
      tookSec: 900,
    });
  });

  test('only when nothing waits to be tried again, while a record waits that an earlier run has sent', async () => {
    const behind = { runId: runAt(-1).runId, versionMs: runAt(-1).versionMs };
    const { follow, backlogOver } = await world(loaded('1'), { ...enqueued('2'), outcome: 'waiting', behind });
    const end = await follow({ backlog: backlogOver({ 0: backlogs.delayed, 900: backlogs.empty }) });
    expect(end).toMatchObject({ tookSec: 900 });
  });

  test.each<[RunStatus, number]>([
    ['loading', 2],
    ['balanced', 0],
  ])('when messages stay hidden after their function failed, and its books are then %s', async (status, stranded) => {
    const { follow, backlogOver, closesTo } = await world();
    closesTo(status);
    const end = await follow({ backlog: backlogOver({ 0: backlogs.working, 1: backlogs.hidden }) });
    expect(end).toMatchObject({ status, stranded });
    expect(end.tookSec).toBeCloseTo(4.1);
  });

  test('not while a poller holds messages for its batching window', async () => {
    const { follow, backlogOver } = await world();
    const steps = { 0: backlogs.hidden, 2: backlogs.working, 3: backlogs.hidden, 5: backlogs.empty };
    expect(await follow({ backlog: backlogOver(steps) })).toMatchObject({ stranded: 0, tookSec: 5 });
  });

  test('for whoever gives up following it', async () => {
    const { follow, backlogOver, clock } = await world();
    const untilMs = clock.nowMs() + 1_000;
    const end = await follow({
      backlog: backlogOver({ 0: backlogs.queued }),
      isStopped: () => clock.nowMs() >= untilMs,
    });
    expect(end).toEqual({ status: 'loading', stranded: 0, tookSec: 1 });
  });
});

describe('where the queues are not known', () => {
  test('the books are drawn up less and less often, until they are closed', async () => {
    const { follow, closesTo, closedAtSec, clock } = await world();
    closesTo('loading');
    clock.sleep(200_000).then(() => closesTo('balanced'));
    expect(await follow()).toMatchObject({ status: 'balanced', tookSec: 255 });
    expect(closedAtSec).toEqual([5, 15, 35, 75, 135, 195, 255]);
  });

  test.each<RunStatus>(['balanced', 'unbalanced', 'incomplete'])('a run is over that is %s', async (status) => {
    const { follow, is, closedAtSec } = await world();
    await is(status);
    expect(await follow()).toEqual({ status, stranded: 0, tookSec: 0 });
    expect(closedAtSec).toEqual([]);
  });

  test('no books are drawn up while the source is read', async () => {
    const { follow, is, closedAtSec, clock } = await world();
    await is('extracting');
    clock.sleep(7_000).then(() => is('loading'));
    await follow();
    expect(closedAtSec).toEqual([13]);
  });
});

test('a follower sees how far the run is, with the backlog where it is known', async () => {
  const { follow, backlogOver } = await world();
  const seen: unknown[] = [];
  const onSeen = (one: unknown) => seen.push(one);
  await follow({ onSeen, backlog: backlogOver({ 0: backlogs.queued, 0.1: backlogs.empty }) });
  expect(seen).toMatchObject([
    { run: { status: 'loading' }, backlog: backlogs.queued },
    { run: { status: 'loading' }, backlog: backlogs.empty },
  ]);
  await follow({ onSeen });
  expect(seen[2]).not.toHaveProperty('backlog');
});

test('with empty queues a run goes on while records wait in its ledger, which are sent meanwhile', async () => {
  const { clock, follow, runs, runId } = await world();
  const line = (rev: number, left: number) => ({ rev, runs: [{ runId, chunks: 1, at: { chunk: 1, place: 0 }, left }] });
  await runs.saveLine(groups.name, line(1, 2));
  const sentAtMs: number[] = [];
  const dispatch = async () => {
    sentAtMs.push(clock.nowMs());
    const { rev = 0, runs: all = [] } = (await runs.line(groups.name)) ?? {};
    await runs.saveLine(groups.name, line(rev + 1, (all[0]?.left ?? 1) - 1));
  };
  const end = await follow({ backlog: () => backlogs.empty, dispatch });
  expect(end).toMatchObject({ status: 'balanced', stranded: 0 });
  expect(sentAtMs).toHaveLength(2);
});

test('a run without a record is a bug', async () => {
  const { clock, runs, idStore } = operateWorld();
  const following = { clock, runs, idStore, integration: groups, closeBooks: async () => {}, onSeen: () => {} };
  await expect(followRun('no such run', following)).rejects.toThrow('no such run');
});
