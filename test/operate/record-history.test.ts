import { describe, expect, test } from 'vitest';
import type { IdCheck } from '../../lib/idcheck/item.ts';
import { letterFor, writeLetter } from '../../lib/messages/dead-letter.ts';
import { writeMessage } from '../../lib/messages/record-message.ts';
import { isOpen, recordHistories, standingOf } from '../../lib/operate/record-history.ts';
import type { LedgerEntry } from '../../lib/runs/ledger.ts';
import { unsentOf } from '../../lib/runs/line.ts';
import { recordMessage } from '../load/message.ts';
import {
  claimed,
  enqueued,
  groups,
  integrations,
  loaded,
  operateWorld,
  runAt,
  troubled,
  versionMs,
} from './operate-world.ts';

const [ELSEWHERE = ''] = integrations.map(({ name }) => name).filter((name) => name !== groups.name);

const leftOut: LedgerEntry = { id: '1', outcome: 'filtered', reason: 'blank name' };
const skipped: LedgerEntry = { id: '1', outcome: 'skipped', reason: 'refused before', hash: 'A' };

describe('how a record stands', () => {
  type Expected = { as: string; open: boolean };

  test.each<[string, IdCheck | undefined, LedgerEntry[], queued: number, Expected]>([
    ['loaded', loaded('1'), [enqueued('1')], 0, { as: 'settled', open: false }],
    ['loaded, then left out', loaded('1'), [enqueued('1'), leftOut], 0, { as: 'settled', open: false }],
    ['refused', troubled('1', 'rejected'), [enqueued('1')], 0, { as: 'settled', open: false }],
    ['refused, then skipped', troubled('1', 'rejected'), [skipped], 0, { as: 'settled', open: false }],
    ['given up', troubled('1', 'exhausted'), [enqueued('1')], 0, { as: 'given-up', open: true }],
    ['in the hands of a worker', claimed('1'), [enqueued('1')], 0, { as: 'claimed', open: true }],
    ['sent, the queue is empty', undefined, [enqueued('1')], 0, { as: 'lost', open: true }],
    ['sent, something is queued', undefined, [enqueued('1')], 1, { as: 'queued', open: true }],
    ['never sent', undefined, [leftOut], 0, { as: 'left-out', open: false }],
    ['known, no run carried it', loaded('1'), [], 0, { as: 'settled', open: false }],
  ])('%s', async (_, item, entries, queued, expected) => {
    const world = operateWorld();
    if (item !== undefined) await world.knows(item);
    for (const [hour, entry] of entries.entries()) await world.ran(runAt(hour), enqueued('another'), entry);
    if (queued > 0) await world.records.sendAll([{ body: 'of whatever record' }]);
    const [history, ...more] = await recordHistories('1', integrations, 20, world);
    expect(more).toEqual([]);
    if (history === undefined) throw new Error('nothing is known of it');
    expect({ as: standingOf(history).as, open: isOpen(history) }).toEqual(expected);
  });
});

/** A run that sent these ids; the messages of `waiting` are in its ledger still, the first `sent` of them gone. */
const unsent = async (hour: number, ids: readonly string[], waiting: readonly string[], sent: number) => {
  const world = operateWorld();
  const run = await world.ran(runAt(hour), ...ids.map(enqueued));
  const memory = waiting.map((id) => writeMessage(recordMessage({ integration: groups.name, id })));
  const { runId } = run;
  await world.runs.saveChunk(groups.name, { runId: unsentOf(runId), index: 1, versionMs, entries: [], memory });
  const of = { runId, chunks: 1, at: { chunk: 1, place: sent }, left: waiting.length - sent };
  // What an earlier run has there goes first.
  const earlier = { runId: runAt(hour - 1).runId, chunks: 1, at: { chunk: 1, place: 0 }, left: 5 };
  await world.runs.saveLine(groups.name, { rev: 1, runs: [earlier, of] });
  return world;
};

describe('a record under a limit', () => {
  test.each([
    ['waits in the ledger of its run, behind those that are sent before it', '3', { as: 'unsent', before: 6 }],
    ['is first of its run', '2', { as: 'unsent', before: 5 }],
    ['whose message was sent is not said to wait there', '1', { as: 'lost' }],
    ['that was never left there is not said to wait there', '0', { as: 'lost' }],
  ])('%s', async (_, id, expected) => {
    const world = await unsent(1, ['0', '1', '2', '3'], ['1', '2', '3'], 1);
    const [history] = await recordHistories(id, [groups], 20, world);
    expect(history && standingOf(history)).toMatchObject(expected);
  });

  test('that is loaded waits for nothing, whatever is left of its message', async () => {
    const world = await unsent(1, ['1'], ['1'], 0);
    await world.knows(loaded('1'));
    const [history] = await recordHistories('1', [groups], 20, world);
    expect(history && standingOf(history)).toEqual({ as: 'settled' });
  });
});

describe('the history of a record', () => {
  test('has the runs that carried it, newest first, with what became of what they sent', async () => {
    const world = operateWorld();
    await world.ran(runAt(1), enqueued('1'), enqueued('2'));
    await world.ran(runAt(2), enqueued('2'));
    await world.ran(runAt(3), leftOut);
    await world.knows(loaded('1'));
    const [history] = await recordHistories('1', [groups], 20, world);
    expect(history?.runs).toEqual([
      { runId: runAt(3).runId, startedMs: runAt(3).startedMs, outcome: 'filtered', reason: 'blank name' },
      { runId: runAt(1).runId, startedMs: runAt(1).startedMs, outcome: 'enqueued', hash: 'A', fate: 'loaded' },
    ]);
  });

  test('has the deletions that were sent of it', async () => {
    const world = operateWorld();
    const run = runAt(0);
    await world.runs.saveRun(run);
    const deletions = [{ id: '1', hash: 'deleted@1' }];
    await world.runs.saveChunk(groups.name, { ...run, index: 1, entries: [], deletions, memory: [] });
    const [history] = await recordHistories('1', [groups], 20, world);
    expect(history?.runs).toMatchObject([{ outcome: 'deletion', fate: 'open' }]);
  });

  test('looks back over so many runs', async () => {
    const world = operateWorld();
    await world.ran(runAt(1), enqueued('1'));
    await world.ran(runAt(2), enqueued('2'));
    expect(await recordHistories('1', [groups], 1, world)).toEqual([]);
    expect(await recordHistories('1', [groups], 2, world)).toHaveLength(1);
  });

  test('takes what is left of an incomplete ledger', async () => {
    const world = operateWorld();
    await world.ran(runAt(1, { chunks: 3 }), enqueued('1'));
    expect((await recordHistories('1', [groups], 20, world))[0]?.runs).toHaveLength(1);
  });

  test('has the letters that wait for it and the work by hand, of this integration only', async () => {
    const world = operateWorld();
    const failure = { cause: 'status', status: 422, atMs: 0 };
    const bodies = [groups.name, ELSEWHERE, 'no longer here'].map((integration) =>
      writeLetter(letterFor('rejected', recordMessage({ integration }), failure)),
    );
    await world.deadLetters.sendAll(bodies.map((body) => ({ body })));
    const signed = { atMs: 1, action: 'discarded', id: '1', reason: 'rejected', by: 'li', why: '废弃' } as const;
    await world.audit.add({ ...signed, integration: groups.name });
    const histories = await recordHistories('1', integrations, 20, world);
    expect(histories.map(({ integration }) => integration)).toEqual([groups.name, ELSEWHERE]);
    expect(histories.map(({ audit }) => audit.length)).toEqual([1, 0]);
    for (const { integration, letters } of histories) expect(letters).toMatchObject([{ integration, id: '1' }]);
    expect(histories[0]?.letters[0]).not.toHaveProperty('handle');
  });
});
