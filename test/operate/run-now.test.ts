import { describe, expect, test } from 'vitest';
import type { IdCheck } from '../../lib/idcheck/item.ts';
import { letterFor, writeLetter } from '../../lib/messages/dead-letter.ts';
import { readFetchEvent } from '../../lib/messages/run-request.ts';
import { exitCodeOf } from '../../lib/operate/exit-code.ts';
import { askForRun, type Engine, type RunNews, RunNotStartedError, runNow } from '../../lib/operate/run-now.ts';
import { type RunStatus, runIdOf } from '../../lib/runs/record.ts';
import { recordMessage } from '../load/message.ts';
import { enqueued, groups, inStatus, operateWorld, runAt, versionMs } from './operate-world.ts';

const givenUp = { kind: 'exhausted', hash: 'A', versionMs, sinceMs: versionMs, reason: 'refused' } as const;

/** Asks a stack that is elsewhere for a run. */
const asking = () => {
  const world = operateWorld();
  const { clock, runs, runRequests } = world;
  const wantedId = runIdOf(groups.name, clock.nowMs());
  const news: RunNews[] = [];
  const deps = { clock, runs, runRequests, stack: 'prod' };
  const ask = (fullRefresh = false) =>
    clock.run(askForRun(groups.name, { fullRefresh }, deps, (one) => news.push(one)));
  const leaseTo = (runId: string, owner: string, leftMs: number) =>
    runs.takeLease({ integration: groups.name, runId, owner, untilMs: clock.nowMs() + leftMs }, undefined);
  return { ...world, deps, wantedId, news, ask, leaseTo };
};

describe('a run that is asked for', () => {
  test.each([false, true])('is asked for on the runs queue, full refresh: %s', async (fullRefresh) => {
    const { ask, runs, runRequests, wantedId, clock, news } = asking();
    const scheduledMs = clock.nowMs();
    clock.sleep(3_000).then(() => runs.saveRun(runAt(0, { runId: wantedId })));
    expect(await ask(fullRefresh)).toBe(wantedId);
    const [body = ''] = runRequests.bodies();
    expect(readFetchEvent({ Records: [{ body }] })).toEqual([
      { kind: 'schedule', integration: groups.name, scheduledMs, fullRefresh },
    ]);
    expect(news).toEqual([{ kind: 'asked' }]);
  });

  test('is another one where another is under way', async () => {
    const { ask, runs, leaseTo, news } = asking();
    const other = runAt(-1);
    await runs.saveRun(other);
    await leaseTo(other.runId, 'one', 60_000);
    expect(await ask()).toBe(other.runId);
    expect(news).toEqual([{ kind: 'asked' }, { kind: 'joined', runId: other.runId }]);
  });

  test.each([
    ['before it is asked for', 0],
    ['after that', 3_000],
  ])('is refused where it is to take over and another begins %s', async (_, atMs) => {
    const { deps, runs, leaseTo, clock, runRequests } = asking();
    const other = runAt(-1);
    await runs.saveRun(other);
    const prepared: string[] = [];
    const prepare = async ({ runId }: { runId: string }) => {
      prepared.push(runId);
      return { adoption: { idChunks: 2 } };
    };
    if (atMs === 0) await leaseTo(other.runId, 'one', 60_000);
    else clock.sleep(atMs).then(() => leaseTo(other.runId, 'one', 60_000));
    const asked = askForRun(groups.name, { fullRefresh: false, adoption: {} }, deps, () => {}, prepare);
    await expect(clock.run(asked)).rejects.toThrow(`The run ${other.runId} is under way: nothing is taken over`);
    expect(prepared).toHaveLength(atMs === 0 ? 0 : 1);
    const bodies = runRequests.bodies();
    expect(bodies).toHaveLength(prepared.length);
    for (const body of bodies) expect(body).toContain('"adoption":{"idChunks":2}');
  });

  test('is the one that was left unfinished, once somebody goes on with it', async () => {
    const { ask, runs, leaseTo, clock } = asking();
    const left = inStatus(runAt(-1), 'incomplete');
    await runs.saveRun(left);
    await leaseTo(left.runId, 'gone', -1);
    clock.sleep(5_000).then(async () => {
      const before = await runs.lease(groups.name);
      await runs.takeLease(
        { integration: groups.name, runId: left.runId, owner: 'next', untilMs: clock.nowMs() + 1 },
        before,
      );
    });
    expect(await ask()).toBe(left.runId);
  });

  test('is not one whose lease has run out: nobody works on it', async () => {
    const { ask, runs, leaseTo } = asking();
    await runs.saveRun(runAt(-1));
    await leaseTo(runAt(-1).runId, 'gone', -1);
    await expect(ask()).rejects.toThrow(RunNotStartedError);
  });

  test('and that nobody starts within 90 s is an error that names the stack', async () => {
    const { ask, clock } = asking();
    const beganMs = clock.nowMs();
    await expect(ask()).rejects.toMatchObject({ code: 'run-not-started', message: expect.stringContaining("prod's") });
    expect(clock.nowMs() - beganMs).toBe(90_000);
  });

  test('and that the queue refuses is an error', async () => {
    const { deps } = asking();
    const runRequests = { ...deps.runRequests, sendAll: async () => ({ failed: [0] }) };
    await expect(askForRun(groups.name, { fullRefresh: false }, { ...deps, runRequests }, () => {})).rejects.toThrow(
      RunNotStartedError,
    );
  });
});

describe('a run now', () => {
  const engineOf = (world: ReturnType<typeof operateWorld>): Engine => ({
    ...world,
    closeBooks: async () => {},
    start: async ({ fullRefresh }, onNews) => {
      const run = runAt(0, { status: 'balanced', fullRefresh });
      await world.runs.saveRun(run);
      onNews({ kind: 'asked' });
      return run.runId;
    },
  });
  const watched = { isStopped: () => false, maxWaitMs: 600_000 };
  const receive = async () => {
    throw new Error('looked through');
  };

  test('is asked for, followed, and told of', async () => {
    const world = operateWorld();
    const news: RunNews[] = [];
    const onNews = (one: RunNews) => news.push(one);
    const end = await runNow(groups, { fullRefresh: true }, engineOf(world), { ...world, ...watched, onNews });
    expect(end).toMatchObject({ run: { status: 'balanced', fullRefresh: true }, stranded: 0, deadLetters: 0 });
    expect(news).toMatchObject([{ kind: 'asked' }, { kind: 'seen', run: { status: 'balanced' } }]);
  });

  test('counts the letters of its integration that wait, from whichever run', async () => {
    const world = operateWorld();
    const bodies = [groups.name, groups.name, 'another'].map((integration) =>
      writeLetter(
        letterFor('rejected', recordMessage({ integration, runId: 'long ago' }), { cause: 'status', atMs: 0 }),
      ),
    );
    await world.deadLetters.sendAll(bodies.map((body) => ({ body })));
    const onNews = () => {};
    const engine = engineOf(world);
    expect(await runNow(groups, { fullRefresh: false }, engine, { ...world, ...watched, onNews })).toMatchObject({
      deadLetters: 2,
    });
  });

  test('counts nothing for who has given up', async () => {
    const world = operateWorld();
    const watching = { ...world, ...watched, onNews: () => {}, isStopped: () => true };
    const engine = { ...engineOf(world), deadLetters: { ...world.deadLetters, receive } };
    expect(await runNow(groups, { fullRefresh: false }, engine, watching)).toMatchObject({ deadLetters: 0 });
  });

  test.each<RunStatus>(['extracting', 'loading'])(
    'is left %s where a pause is too long to wait for, its books drawn up',
    async (status) => {
      const world = operateWorld();
      const { clock, runs, limiter } = world;
      const run = inStatus(await world.ran(runAt(0), enqueued('1')), status);
      await runs.saveRun(run);
      await limiter.pause(
        groups[status === 'loading' ? 'target' : 'source'].connection.name,
        clock.nowMs() + 3_600_000,
        'status 429',
      );
      let books = 0;
      const news: RunNews[] = [];
      const engine: Engine = {
        ...world,
        holds: world,
        backlog: () => ({ visible: 0, inFlight: 0, delayed: 1, running: 0 }),
        closeBooks: async () => {
          books += 1;
        },
        start: async () => run.runId,
      };
      const how = { clock, ...watched, onNews: (one: RunNews) => news.push(one) };
      const end = await clock.run(runNow(groups, { fullRefresh: false }, engine, how));
      expect(end).toMatchObject({ run: { status }, pause: { why: 'status 429' } });
      expect(exitCodeOf(end)).toBe(3);
      expect(books).toBe(status === 'loading' ? 1 : 0);
      expect(news.filter(({ kind }) => kind === 'paused')).toHaveLength(1);
    },
  );

  test.each<[string, earlier: Partial<IdCheck>, RunStatus, messagesGoAfterMs: number, order: string[], tookMs: number]>(
    [
      ['is waited for', {}, 'loading', 5_000, ['finishing', 'asked'], 5_000],
      [
        'is not waited for longer than nothing moves',
        {},
        'loading',
        Number.POSITIVE_INFINITY,
        ['finishing', 'asked'],
        90_100 + groups.target.connection.timeoutMs,
      ],
      [
        'that has given everything up is not waited for',
        { trouble: givenUp },
        'loading',
        Number.POSITIVE_INFINITY,
        ['asked'],
        0,
      ],
      ['that is closed is not waited for', {}, 'balanced', Number.POSITIVE_INFINITY, ['asked'], 0],
    ],
  )('before a run starts, an earlier one %s', async (_, earlier, status, goneAfterMs, order, tookMs) => {
    const world = operateWorld();
    const { clock, runs } = world;
    await runs.saveRun(inStatus(await world.ran(runAt(-1), enqueued('1')), status));
    await world.knows({ id: '1', rev: 1, ...earlier });
    await world.records.sendAll([{ body: 'of the earlier run' }]);
    const beganMs = clock.nowMs();
    const backlog = () => ({
      visible: clock.nowMs() - beganMs < goneAfterMs ? 1 : 0,
      inFlight: 0,
      delayed: 0,
      running: 0,
    });
    const told: string[] = [];
    let startedMs = 0;
    const engine: Engine = {
      ...engineOf(world),
      backlog,
      start: async (asked, onNews) => {
        startedMs = clock.nowMs();
        return engineOf(world).start(asked, onNews);
      },
    };
    const stopped = () => startedMs > 0;
    const onNews = ({ kind }: RunNews) => kind !== 'seen' && told.push(kind);
    await clock.run(runNow(groups, { fullRefresh: false }, engine, { clock, ...watched, isStopped: stopped, onNews }));
    expect({ told, tookMs: startedMs - beganMs }).toEqual({ told: order, tookMs });
  });

  test('before a run starts, an earlier one is waited for as long as what waits in its ledger gets less', async () => {
    const world = operateWorld();
    const { clock, runs } = world;
    const run = await world.ran(runAt(-1, { loadMs: 600_000 }), enqueued('1'));
    const beganMs = clock.nowMs();
    const minutes = () => Math.floor((clock.nowMs() - beganMs) / 60_000);
    // The queue never empties: what leaves it comes again from the ledger.
    const line = async () => ({
      rev: 1,
      runs: [{ runId: run.runId, chunks: 1, at: { chunk: 1, place: 0 }, left: Math.max(0, 10 - minutes()) }],
    });
    const backlog = () => ({ visible: 0, inFlight: 0, delayed: minutes() < 10 ? 7 : 0, running: 0 });
    let startedMs = 0;
    const engine: Engine = {
      ...engineOf(world),
      runs: { ...runs, line },
      backlog,
      dispatch: async () => {},
      start: async (asked, onNews) => {
        startedMs = clock.nowMs();
        return engineOf(world).start(asked, onNews);
      },
    };
    const how = { clock, ...watched, isStopped: () => startedMs > 0, onNews: () => {} };
    await clock.run(runNow(groups, { fullRefresh: false }, engine, how));
    expect(startedMs - beganMs).toBeGreaterThanOrEqual(600_000);
  });

  test('does not look through a queue that is known to be empty', async () => {
    const world = operateWorld();
    const backlog = () => ({ visible: 0, inFlight: 0, delayed: 0, running: 0 });
    const engine = { ...engineOf(world), backlog, deadLetters: { ...world.deadLetters, receive } };
    const end = await runNow(groups, { fullRefresh: false }, engine, { ...world, ...watched, onNews: () => {} });
    expect(end.deadLetters).toBe(0);
  });
});
