import { describe, expect, it } from 'vitest';
import { letterFor, letterForUnreadable, writeLetter } from '../../lib/messages/dead-letter.ts';
import { type RecordMessage, readMessage, writeMessage } from '../../lib/messages/record-message.ts';
import { MAX_REPLAYS, type ReplayRequest, replay } from '../../lib/replay/replay.ts';
import { silentLog } from '../../lib/runtime/log.ts';
import { fakeClock } from '../fakes/fake-clock.ts';
import { faultKinds, portFaults } from '../fakes/faults.ts';
import { memoryAuditLog } from '../fakes/memory-audit-log.ts';
import { memoryQueue } from '../fakes/memory-queue.ts';
import { memoryRunStore } from '../fakes/memory-run-store.ts';
import { NOW_MS, recordMessage } from '../load/message.ts';

const failure = { cause: 'status', status: 422, atMs: NOW_MS };
const letter = (reason: 'rejected' | 'uncertain' | 'exhausted', changes: Partial<RecordMessage>) =>
  writeLetter(letterFor(reason, recordMessage({ attempts: 3, deferrals: 7, ...changes }), failure));

const setUp = async (...bodies: string[]) => {
  const clock = fakeClock(NOW_MS);
  const deadLetters = memoryQueue(clock);
  const records = memoryQueue(clock);
  const audit = memoryAuditLog();
  const runs = memoryRunStore();
  const faults = portFaults();
  await deadLetters.sendAll(bodies.map((body) => ({ body })));
  const deps = {
    deadLetters: faults.wrap('deadLetters', deadLetters),
    records: faults.wrap('records', { sendAll: records.sendAll }),
    audit: faults.wrap('audit', audit),
    runs,
    clock,
    log: silentLog,
  };
  const sent = () =>
    records.bodies().map((body) => {
      const read = readMessage(body);
      if (read.kind === 'unreadable') throw new Error(read.why);
      return read.message;
    });
  return {
    clock,
    deadLetters,
    records,
    audit,
    faults,
    runs,
    deps,
    sent,
    replay: (request: ReplayRequest) => replay(request, deps),
  };
};
const rejected = (count: number, changes: Partial<RecordMessage> = {}) =>
  Array.from({ length: count }, (_, id) => letter('rejected', { id: String(id), ...changes }));

describe('replaying dead letters', () => {
  it('are of after their letter was written, though the clock here is behind', async () => {
    const writtenMs = NOW_MS + 3_600_000;
    const world = await setUp(
      writeLetter(letterFor('rejected', recordMessage({ id: '0' }), failure, writtenMs)),
      writeLetter(letterFor('rejected', recordMessage({ id: '1' }), { ...failure, atMs: writtenMs + 1 })),
    );
    await world.replay({});
    expect(world.sent().map(({ replayedMs }) => replayedMs)).toEqual([writtenMs, writtenMs + 1]);
  });

  it('sends them again as new, with the time of the replay, and deletes them', async () => {
    const world = await setUp(letter('rejected', { id: '0' }));
    expect(await world.replay({})).toEqual({
      replayed: [{ integration: 'groups', id: '0', reason: 'rejected' }],
      notReplayable: 0,
      heldBack: 0,
      mustBeResolved: [],
      otherTarget: [],
      others: 0,
    });
    expect(world.sent()).toEqual([
      recordMessage({
        id: '0',
        attempts: 0,
        deferrals: 0,
        lastFailure: failure,
        replayedMs: NOW_MS,
        replays: 1,
      }),
    ]);
    expect(world.deadLetters.bodies()).toEqual([]);
  });

  it('means only those that its filter names; the others stay', async () => {
    const bodies = [
      letter('rejected', { id: '1' }),
      letter('exhausted', { id: '2' }),
      letter('uncertain', { id: '3' }),
    ];
    const world = await setUp(...bodies, writeMessage(recordMessage({ id: '4' })));
    expect(await world.replay({ reason: 'exhausted' })).toMatchObject({ replayed: [{ id: '2' }], others: 3 });
    await world.clock.advance(1_000);
    expect(await world.replay({ id: '3' })).toMatchObject({ replayed: [{ id: '3' }], others: 2 });
    await world.clock.advance(1_000);
    expect(await world.replay({ reason: 'crashed' })).toMatchObject({ replayed: [{ id: '4', reason: 'crashed' }] });
    expect(world.sent().map(({ id }) => id)).toEqual(['2', '3', '4']);
    expect(world.deadLetters.bodies()).toEqual(bodies.slice(0, 1));
  });

  it('takes as many as its limit, also where that is no multiple of a batch', async () => {
    for (const limit of [1, 9, 10, 11, 24]) {
      const world = await setUp(...rejected(25));
      expect((await world.replay({ limit })).replayed).toHaveLength(limit);
      expect([world.records.bodies().length, world.deadLetters.bodies().length]).toEqual([limit, 25 - limit]);
    }
  });

  it('leaves what nobody can read, and counts it; what can be read by now goes', async () => {
    const missing = letterForUnreadable(writeMessage(recordMessage({ id: '7' })), 'no integration', NOW_MS);
    const unreadable = ['{', writeLetter(letterForUnreadable('{', 'the body is not JSON', NOW_MS))];
    const world = await setUp(...unreadable, writeLetter(missing));
    expect(await world.replay({})).toMatchObject({ replayed: [{ reason: 'unreadable' }], notReplayable: 2 });
    expect(world.sent().map(({ id }) => id)).toEqual(['7']);
    expect(world.deadLetters.bodies()).toEqual(unreadable);
  });

  it('as a dry run says the same and changes nothing', async () => {
    const bodies = [...rejected(12), '{'];
    const world = await setUp(...bodies);
    const would = await world.replay({ dryRun: true, limit: 11 });
    expect([world.records.bodies(), world.deadLetters.bodies()]).toEqual([[], bodies]);
    await world.clock.advance(1_000);
    expect(await world.replay({ limit: 11 })).toEqual(would);
  });

  it('holds back what was refused again and again, unless someone asks for it by id or by force', async () => {
    const bodies = rejected(2, { replays: MAX_REPLAYS });
    const world = await setUp(...bodies, letter('rejected', { id: 'new', replays: MAX_REPLAYS - 1 }));
    expect(await world.replay({})).toMatchObject({ replayed: [{ id: 'new' }], heldBack: 2 });
    await world.clock.advance(1_000);
    expect(await world.replay({ id: '1' })).toMatchObject({ replayed: [{ id: '1' }], heldBack: 0 });
    await world.clock.advance(1_000);
    expect(await world.replay({ force: true })).toMatchObject({ replayed: [{ id: '0' }], heldBack: 0 });
    expect(world.sent().map(({ replays }) => replays)).toEqual([MAX_REPLAYS, MAX_REPLAYS + 1, MAX_REPLAYS + 1]);
    const uncertain = await setUp(letter('uncertain', { replays: MAX_REPLAYS }));
    expect(await uncertain.replay({ reason: 'uncertain' })).toMatchObject({ heldBack: 0, replayed: [{ id: '1' }] });
  });

  it('leaves what is uncertain until it is named: the target may have it already', async () => {
    const doubts = ['1', '2'].map((id) => letter('uncertain', { id }));
    const world = await setUp(...doubts, ...rejected(1));
    expect(await world.replay({ force: true })).toMatchObject({
      replayed: [{ id: '0' }],
      mustBeResolved: ['1', '2'],
    });
    expect(world.deadLetters.bodies()).toEqual(doubts);
    await world.clock.advance(1_000);
    expect(await world.replay({ id: '2' })).toMatchObject({ replayed: [{ id: '2' }], mustBeResolved: [] });
    await world.clock.advance(1_000);
    expect(await world.replay({ reason: 'uncertain' })).toMatchObject({ replayed: [{ id: '1' }] });
  });

  it('is in the audit log with who, when and why, before anything is sent', async () => {
    const world = await setUp(...rejected(1));
    await world.replay({ by: 'li@desk', why: '目标已修好' });
    expect(await world.audit.list('groups')).toEqual([
      {
        atMs: NOW_MS,
        action: 'replayed',
        integration: 'groups',
        id: '0',
        reason: 'rejected',
        by: 'li@desk',
        why: '目标已修好',
      },
    ]);
    const steps = world.faults.calls.filter((call) => /add|sendAll|delete/.test(call));
    expect(steps).toEqual(['audit.add', 'records.sendAll', 'deadLetters.delete']);
  });

  it('without a name is signed for by the function; a dry run leaves no trace', async () => {
    const world = await setUp(...rejected(1));
    await world.replay({ dryRun: true });
    expect(await world.audit.list('groups')).toEqual([]);
    await world.clock.advance(1_000);
    await world.replay({});
    expect(await world.audit.list('groups')).toMatchObject([{ by: 'functions/replay' }]);
  });

  it('keeps the pace that it is given, by the delays of the messages', async () => {
    const world = await setUp(...rejected(12));
    await world.replay({ ratePerSec: 2 });
    expect(await world.records.depth()).toEqual({ visible: 2, inFlight: 0, delayed: 10 });
    await world.clock.advance(3_000);
    expect(await world.records.depth()).toEqual({ visible: 8, inFlight: 0, delayed: 4 });
    await world.clock.advance(2_000);
    expect(await world.records.depth()).toEqual({ visible: 12, inFlight: 0, delayed: 0 });
  });

  it('leaves for another replay what its pace would bring later than a message can wait', async () => {
    const world = await setUp(...rejected(12));
    expect((await world.replay({ ratePerSec: 0.01 })).replayed).toHaveLength(9);
    expect(world.deadLetters.bodies()).toHaveLength(3);
    const slow = await setUp(...rejected(2));
    expect((await slow.replay({ ratePerSec: 0.000_1 })).replayed).toHaveLength(1);
  });

  it('keeps what the records queue refuses: it shows again', async () => {
    const world = await setUp(...rejected(3));
    const refusing = { ...world.deps, records: { sendAll: async () => ({ failed: [1] }) } };
    expect((await replay({}, refusing)).replayed.map(({ id }) => id)).toEqual(['0', '2']);
    await world.clock.advance(120_000);
    expect((await world.replay({})).replayed.map(({ id }) => id)).toEqual(['1']);
  });

  it.each(faultKinds)(
    'with one call gone wrong (%s), no letter is lost: it waits, or its message was sent',
    async (kind) => {
      const { faults } = await (async () => {
        const world = await setUp(...rejected(13), '{');
        await world.clock.run(world.replay({}));
        return world;
      })();
      for (const [at, call] of faults.calls.entries()) {
        const world = await setUp(...rejected(13), '{');
        world.faults.arm(at, kind);
        await world.clock.run(world.replay({})).catch(() => undefined);
        const waiting = new Set(world.deadLetters.bodies());
        const sent = new Set(world.sent().map(({ id }) => id));
        expect(waiting.has('{'), call).toBe(true);
        for (const [id, body] of rejected(13).entries())
          expect(waiting.has(body) || sent.has(String(id)), call).toBe(true);
        // Once more, undisturbed: all is sent, and only what nobody can read is left.
        await world.clock.advance(120_000);
        await world.clock.run(world.replay({}));
        expect(new Set(world.sent().map(({ id }) => id)).size, call).toBe(13);
        expect(world.deadLetters.bodies(), call).toEqual(['{']);
      }
    },
  );
});
