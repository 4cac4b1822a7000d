import { describe, expect, test } from 'vitest';
import type { IdCheck } from '../../lib/idcheck/item.ts';
import { noLoadCounts, noOpen } from '../../lib/runs/books.ts';
import { drawnBy } from '../../lib/runs/evidence.ts';
import type { LedgerEntry } from '../../lib/runs/ledger.ts';
import { firstInTurn, type Reconciling, reconcile, reconcileAll, watch } from '../../lib/runs/reconcile.ts';
import type { RunRecord } from '../../lib/runs/record.ts';
import { noSetAside } from '../../lib/runs/set-aside.ts';
import type { LogFields } from '../../lib/runtime/log.ts';
import { standardTuning } from '../../lib/runtime/tuning.ts';
import { fakeClock } from '../fakes/fake-clock.ts';
import { memoryIdStore } from '../fakes/memory-id-store.ts';
import { memoryRunStore } from '../fakes/memory-run-store.ts';
import { extractingRun, loadingRun } from './run-record.ts';

const { integration, runId, startedMs, versionMs } = loadingRun;
const DEADLINE_MS = 600_000;
const groups: Reconciling = { integration, policy: { idCheck: false, onUncertain: 'resend' }, deadlineMs: DEADLINE_MS };
const enqueued = (id: string): LedgerEntry => ({ id, outcome: 'enqueued', hash: 'A' });
const loaded = (id: string, hash = 'A', version = versionMs): IdCheck => ({
  id,
  rev: 2,
  loaded: { hash, versionMs: version, atMs: version },
});
const refused = (id: string): IdCheck => ({
  id,
  rev: 2,
  trouble: { kind: 'rejected', hash: 'A', versionMs, sinceMs: versionMs, reason: 'status 422' },
});

/** A run that sent `ids`, and what idCheck knows by now. */
const world = async (ids: readonly string[], known: readonly IdCheck[]) => {
  const clock = fakeClock(startedMs + 2_000);
  const idStore = memoryIdStore();
  const runs = memoryRunStore();
  const logged: Array<{ event: string; fields: LogFields }> = [];
  const note = (event: string, fields: LogFields = {}) => {
    logged.push({ event, fields });
  };
  const closed: RunRecord[] = [];
  for (const item of known) await idStore.write(integration, item, { absent: true });
  const counts = { ...loadingRun.counts, fetched: ids.length, enqueued: ids.length };
  await runs.saveRun({ ...loadingRun, counts });
  await runs.saveChunk(integration, { runId, index: 1, versionMs, entries: ids.map(enqueued), memory: [] });
  const onClosed = async (run: RunRecord) => {
    closed.push(run);
  };
  const deps = { idStore, runs, clock, log: { info: note, warn: note, error: note }, tuning: standardTuning, onClosed };
  const draw = async () => (await reconcile(groups, deps)).find((run) => run.runId === runId);
  return { clock, idStore, runs, logged, closed, deps, draw };
};

describe('a run', () => {
  test('closes when every record that it sent is settled, refused ones too', async () => {
    const { draw } = await world(['1', '2'], [loaded('1'), refused('2')]);
    expect(await draw()).toMatchObject({
      status: 'balanced',
      counts: { loaded: 1, rejected: 1, open: 0 },
      unsettled: { open: [], rejected: ['2'], uncertain: [] },
    });
  });

  test('stays open while a record has no evidence, and names it', async () => {
    const { draw } = await world(['1', '2'], [loaded('1')]);
    const run = await draw();
    expect(run).toMatchObject({ status: 'loading', counts: { open: 1 }, unsettled: { open: ['2'] } });
    expect(run?.closedMs).toBeUndefined();
  });

  test('does not balance once its deadline has passed, and says so once for each open record', async () => {
    const { draw, clock, logged } = await world(['1', '2'], [loaded('1')]);
    await clock.advance(DEADLINE_MS);
    expect(await draw()).toMatchObject({ status: 'unbalanced', closedMs: clock.nowMs() });
    await draw();
    const named = logged.filter(({ event }) => event === 'record-open');
    expect(named).toEqual([{ event: 'record-open', fields: { integration, runId, id: '2' } }]);
  });

  test('that did not balance is mended by a later run that loads the record', async () => {
    const { draw, clock, idStore, closed } = await world(['1'], []);
    await clock.advance(DEADLINE_MS);
    await draw();
    await idStore.write(integration, loaded('1', 'A', clock.nowMs()), { absent: true });
    expect(await draw()).toMatchObject({ status: 'balanced', unsettled: { open: [] } });
    expect(closed.map(({ status }) => status)).toEqual(['unbalanced', 'balanced']);
  });

  test('is told of when it closes, and not again', async () => {
    const { draw, closed } = await world(['1'], [refused('1')]);
    await draw();
    await draw();
    expect(closed.map(({ status }) => status)).toEqual(['balanced']);
  });

  test('names twenty open records at most', async () => {
    const { draw } = await world(
      Array.from({ length: 30 }, (_, index) => String(index)),
      [],
    );
    const run = await draw();
    expect(run?.counts.open).toBe(30);
    expect(run?.unsettled?.open).toHaveLength(20);
  });

  test('with an incomplete ledger does not balance, and keeps no other run from balancing', async () => {
    const { deps, runs } = await world(['1'], [loaded('1')]);
    const torn = { ...loadingRun, runId: 'groups-20260106T000000Z', chunks: 2 };
    await runs.saveRun(torn);
    const reconciled = await reconcile(groups, deps);
    expect(reconciled.map(({ status, failure }) => [status, failure?.code])).toEqual([
      ['unbalanced', 'missing-chunk'],
      ['balanced', undefined],
    ]);
  });
});

test('what fails for one integration is thrown when the others are done', async () => {
  const { deps } = await world(['1'], [loaded('1')]);
  const broken = {
    ...deps,
    runs: {
      ...deps.runs,
      runs: async (name: string, limit: number) => {
        if (name === 'broken') throw new Error('unreachable');
        return deps.runs.runs(name, limit);
      },
    },
  };
  await expect(reconcileAll([{ ...groups, integration: 'broken' }, groups], broken)).rejects.toThrow('unreachable');
  expect((await deps.runs.run(integration, runId))?.status).toBe('balanced');
});

describe('many integrations', () => {
  const names = Array.from({ length: 100 }, (_, n) => `integration-${n}`);
  const all = names.map((name): Reconciling => ({ ...groups, integration: name }));
  const turn = async (remainingMs?: () => number) => {
    const { deps, clock, logged } = await world([], []);
    const asked: string[] = [];
    const runs = async (name: string) => {
      asked.push(name);
      return [];
    };
    await reconcileAll(all, { ...deps, clock, runs: { ...deps.runs, runs } }, remainingMs);
    return { asked, left: logged.find(({ event }) => event === 'not-all-reconciled')?.fields };
  };

  test('are all reconciled where time is left, and in their order where nobody counts it', async () => {
    expect(new Set((await turn(() => 60_000)).asked)).toEqual(new Set(names));
    expect((await turn()).asked).toEqual(names);
  });

  test('are left to the next invocation from a minute before the end on, and their number is said', async () => {
    let leftMs = 100_000;
    const { asked, left } = await turn(() => {
      leftMs -= 1_000;
      return leftMs;
    });
    expect(asked).toHaveLength(41);
    expect(left).toEqual({ left: 59 });
  });

  test('begin with another one each time, so that nobody is left for long', () => {
    const reached = new Set<number>();
    for (let invocation = 0; invocation < 8; invocation++) {
      const first = firstInTurn(names.length, startedMs + invocation * 900_000);
      for (let index = 0; index < 41; index++) reached.add((first + index) % names.length);
    }
    expect(reached.size).toBe(names.length);
  });
});

describe('alarms watch', () => {
  const at = ({ status }: Pick<RunRecord, 'status'>): RunRecord =>
    status === 'extracting' || status === 'incomplete' ? { ...extractingRun, status } : { ...loadingRun, status };
  const HOUR_MS = 3_600_000;
  const rules = { deadlineMs: HOUR_MS, missingAfterMs: 2 * HOUR_MS };

  test('runs that do not balance', () => {
    const runs = [at({ status: 'balanced' }), at({ status: 'unbalanced' }), at({ status: 'unbalanced' })];
    expect(watch(runs, rules, startedMs)).toMatchObject({ notBalanced: 2 });
  });

  test.each([
    ['extracting', HOUR_MS + 1, 1],
    ['incomplete', HOUR_MS + 1, 1],
    ['incomplete', HOUR_MS, 0],
    ['loading', HOUR_MS + 1, 0],
  ] as const)('the newest run: %s after %d ms is overdue %d', (status, ageMs, overdue) => {
    expect(watch([at({ status })], rules, startedMs + ageMs)).toMatchObject({ overdue });
  });

  test.each([
    // 10 requests a minute: 600 of them take an hour, and a tenth more.
    ['as slowly as its limit wants', 600, 2.1 * HOUR_MS, 0],
    ['slower than its limit wants', 600, 2.1 * HOUR_MS + 1, 1],
    ['not at all', 0, HOUR_MS + 1, 1],
  ])('a run that reads %s (%d requests in %d ms) is overdue %d', (_, source, ageMs, overdue) => {
    const reading: RunRecord = { ...extractingRun, requests: { source, target: 0 } };
    expect(watch([reading], { ...rules, requestMs: 6_000 }, startedMs + ageMs)).toMatchObject({ overdue });
  });

  test.each(['extracting', 'incomplete'] as const)(
    'no run is missing while the newest is %s: it may be overdue',
    (status) => {
      expect(watch([at({ status })], rules, startedMs + 5 * HOUR_MS)).toMatchObject({ missing: 0, overdue: 1 });
    },
  );

  test('not an older run that was left incomplete', () => {
    const runs = [at({ status: 'balanced' }), at({ status: 'incomplete' })];
    expect(watch(runs, rules, startedMs + 5 * HOUR_MS)).toMatchObject({ overdue: 0 });
  });

  test.each([
    [2 * HOUR_MS, 0],
    [2 * HOUR_MS + 1, 1],
  ])('a run that has not started for %d ms is missing %d', (ageMs, missing) => {
    expect(watch([loadingRun], rules, startedMs + ageMs)).toMatchObject({
      missing,
      newestRunAgeSec: Math.round(ageMs / 1000),
    });
  });

  test('an integration that has never run is missing one, unless its schedule is off', () => {
    expect(watch([], rules, startedMs)).toEqual({ notBalanced: 0, overdue: 0, missing: 1 });
    expect(watch([], { deadlineMs: HOUR_MS }, startedMs)).toEqual({ notBalanced: 0, overdue: 0, missing: 0 });
  });
});

test('a run that was stopped before it sent anything has failed, however long what it left waits', () => {
  const counts = { ...loadingRun.counts, fetched: 2, enqueued: 0, waiting: 2 };
  const failure = { code: 'mapping-changed', message: 'the mapping has changed' };
  const stopped: RunRecord = { ...loadingRun, counts, status: 'failed', failure, closedMs: loadingRun.extractedMs };
  const evidence = {
    counts: noLoadCounts(),
    unsettled: { open: [], rejected: [], uncertain: [] },
    setAside: noSetAside(),
    open: noOpen(),
  };
  for (const nowMs of [startedMs, startedMs + 2 * DEADLINE_MS]) {
    expect(drawnBy(stopped, evidence, DEADLINE_MS, nowMs).status).toBe('failed');
  }
});
