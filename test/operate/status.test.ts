import { describe, expect, test } from 'vitest';
import { lookAtRun, type RunLook, watchRun } from '../../lib/operate/status.ts';
import type { RunStatus } from '../../lib/runs/record.ts';
import { enqueued, groups, inStatus, operateWorld, runAt } from './operate-world.ts';

describe('a look at a run', () => {
  test('names twenty ids of a kind, or every one', async () => {
    const world = operateWorld();
    const run = await world.ran(runAt(0), ...Array.from({ length: 25 }, (_, index) => enqueued(String(index))));
    expect((await lookAtRun(run, groups, world)).records).toHaveLength(20);
    expect((await lookAtRun(run, groups, world, { everyId: true })).records).toHaveLength(25);
  });

  test('says how many of its records wait in its ledger, and of no other run', async () => {
    const world = operateWorld();
    const run = await world.ran(runAt(0), enqueued('1'));
    const of = (runId: string, left: number) => ({ runId, chunks: 1, at: { chunk: 1, place: 0 }, left });
    expect((await lookAtRun(run, groups, world)).unsent).toBe(0);
    await world.runs.saveLine(groups.name, { rev: 1, runs: [of('another', 7), of(run.runId, 4)] });
    expect((await lookAtRun(run, groups, world)).unsent).toBe(4);
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
