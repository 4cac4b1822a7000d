import { beforeEach, describe, expect, test } from 'vitest';
import { type IdCheck, stateName } from '../../lib/idcheck/item.ts';
import { letterFor, writeLetter } from '../../lib/messages/dead-letter.ts';
import { type RecordMessage, writeMessage } from '../../lib/messages/record-message.ts';
import { waitingLetters } from '../../lib/operate/letters.ts';
import { type RenameDeps, type Renaming, rename } from '../../lib/operate/rename.ts';
import { belongingOf, renamedTo } from '../../lib/runs/ends.ts';
import { readIds, writeIds } from '../../lib/runs/id-lists.ts';
import { leftIn } from '../../lib/runs/line.ts';
import { claimed, enqueued, groups, loaded, operateWorld, runAt, troubled, versionMs } from './operate-world.ts';

const OLD = groups.name;
const NEW = 'groups-v2';
const renaming: Renaming = { from: OLD, to: NEW };
const signature = { by: 'li@desk', why: 'a clearer name' };
const target = { id: 'target-address', origin: 'https://target.example' };
const source = { id: 'source-address', origin: 'https://source.example' };
const BATCH_MS = 60_000;

let world: ReturnType<typeof operateWorld>;
const deps = (changes: Partial<RenameDeps> = {}): RenameDeps => ({ ...world, batchMs: BATCH_MS, ...changes });
/** Renames; then letters that were looked at show again. */
const renamed = async (asked: Renaming = renaming, changes: Partial<RenameDeps> = {}) => {
  const end = await rename(asked, signature, deps(changes));
  await world.clock.advance(2_000);
  return end;
};
const itemsOf = async (state: string): Promise<IdCheck[]> => {
  const items: IdCheck[] = [];
  for await (const page of world.idStore.scan(state)) items.push(...page);
  return items.sort((a, b) => (a.id < b.id ? -1 : 1));
};
const message = (id: string, changes: Partial<RecordMessage> = {}): RecordMessage => ({
  v: 1,
  integration: OLD,
  runId: runAt(0).runId,
  id,
  hash: 'A',
  versionMs,
  body: { id },
  attempts: 1,
  deferrals: 0,
  firstSentMs: versionMs,
  target: target.id,
  ...changes,
});
const refusal = { cause: 'status', status: 422, excerpt: 'no such parent', atMs: versionMs + 5 };
const letterOf = (id: string, changes: Partial<RecordMessage> = {}) => ({
  body: writeLetter(letterFor('rejected', message(id, changes), refusal)),
});

/** A balanced run of three records, of which one is refused and has a letter. */
const settled = async () => {
  await world.runs.saveEnds(OLD, { rev: 1, generation: 0, source, target });
  await world.ran(runAt(0, { status: 'balanced', mapping: 'm1', absences: 1 }), ...['1', '2', '3'].map(enqueued));
  await writeIds('absent', runAt(0), ['9'], world.runs);
  await world.runs.takeLease(
    { integration: OLD, runId: runAt(0).runId, owner: 'worker', untilMs: versionMs },
    undefined,
  );
  await world.runs.moveWatermark(OLD, versionMs);
  await world.knows(loaded('1'), loaded('2'), troubled('3', 'rejected'));
  await world.deadLetters.sendAll([letterOf('3')]);
};

beforeEach(() => {
  world = operateWorld();
});

describe('a renamed integration', () => {
  beforeEach(settled);

  test('knows under its new name what it knew under the old one, item by item', async () => {
    const before = await itemsOf(OLD);
    expect(await renamed()).toEqual({ kind: 'renamed', items: 3, letters: 1 });
    expect(await itemsOf(NEW)).toEqual(before);
  });

  test('goes on from its watermark, at its addresses, and after its last reading', async () => {
    await renamed();
    expect(await world.runs.watermark(NEW)).toBe(versionMs);
    expect(await world.runs.ends(NEW)).toEqual({ rev: 1, generation: 0, source, target });
    const [last] = await world.runs.runs(NEW, 10);
    const { runId } = runAt(0);
    expect(last).toMatchObject({ integration: NEW, runId: runId.replace(OLD, NEW), mapping: 'm1', status: 'balanced' });
    expect(await readIds('absent', last ?? runAt(0), 1, world.runs)).toEqual(new Set(['9']));
    expect((await world.runs.lease(NEW))?.runId).toBe(last?.runId);
  });

  test('has its letters under the new name, ready to be sent again', async () => {
    await renamed();
    const { letters } = await waitingLetters({}, world);
    expect(letters).toMatchObject([
      {
        integration: NEW,
        id: '3',
        reason: 'rejected',
        failure: refusal,
        message: { integration: NEW, id: '3', hash: 'A', target: target.id },
      },
    ]);
  });

  test('is closed under its old name: it is of no system, and what is still on its way is of a replaced state', async () => {
    await renamed();
    const ends = await world.runs.ends(OLD);
    expect(ends && renamedTo(ends)).toBe(NEW);
    expect(belongingOf(message('1'), ends ?? { rev: 0, generation: 0 }, target)).toBe('replaced');
    expect((await world.runs.lease(OLD))?.untilMs).toBeLessThanOrEqual(world.clock.nowMs());
  });

  test('sends nothing more of what waits in its ledgers', async () => {
    const waiting = { runId: runAt(0).runId, chunks: 1, at: { chunk: 1, place: 0 }, left: 40 };
    await world.runs.saveLine(OLD, { rev: 1, runs: [waiting] });
    await renamed();
    expect(leftIn(await world.runs.line(OLD))).toBe(0);
  });

  test('is in the audit log under both names, with who and why', async () => {
    await renamed();
    expect(await world.audit.list(OLD)).toMatchObject([
      { action: 'renamed', reason: `goes on as ${NEW}`, ...signature },
    ]);
    expect(await world.audit.list(NEW)).toMatchObject([{ action: 'renamed', reason: `went by the name of ${OLD}` }]);
  });

  test('is renamed once: again changes nothing, and another name is refused', async () => {
    await renamed();
    expect(await renamed()).toEqual({ kind: 'renamed', items: 3, letters: 0 });
    expect(await renamed({ from: OLD, to: 'third' })).toEqual({
      kind: 'refused',
      why: 'renamed-before',
      name: NEW,
    });
  });

  test('can have its old name back, with what came under the new one', async () => {
    await renamed();
    await world.idStore.write(NEW, loaded('4'), { absent: true });
    expect(await renamed({ from: NEW, to: OLD })).toMatchObject({
      kind: 'renamed',
      items: 4,
      letters: 1,
    });
    const { generation = 0, target: backAt } = (await world.runs.ends(OLD)) ?? {};
    expect(backAt).toEqual(target);
    expect((await itemsOf(stateName(OLD, generation))).map(({ id }) => id)).toEqual(['1', '2', '3', '4']);
    const { letters } = await waitingLetters({}, world);
    expect(letters).toMatchObject([{ integration: OLD, generation, message: { integration: OLD, generation } }]);
  });

  test('takes along letters of every kind, and leaves those of others', async () => {
    const others = message('1', { integration: 'others' });
    await world.deadLetters.sendAll([
      { body: writeMessage(message('5')) },
      { body: writeMessage(others) },
      { body: 'no JSON' },
      letterOf('6', { generation: 1 }),
    ]);
    expect(await renamed()).toMatchObject({ letters: 3 });
    const { letters } = await waitingLetters({}, world);
    const told = letters.map(({ integration = '', id = '', reason, generation }) => ({
      integration,
      id,
      reason,
      generation,
    }));
    expect(told).toEqual(
      expect.arrayContaining([
        { integration: NEW, id: '3', reason: 'rejected' },
        { integration: NEW, id: '5', reason: 'crashed' },
        { integration: NEW, id: '6', reason: 'rejected', generation: 1 },
        { integration: 'others', id: '1', reason: 'crashed' },
        { integration: '', id: '', reason: 'unreadable' },
      ]),
    );
  });

  test.each(['scan', 'write'] as const)(
    'is brought to its end by the same call where its %s broke off',
    async (call) => {
      let calls = 0;
      const idStore: RenameDeps['idStore'] = {
        ...world.idStore,
        write: async (...given) => {
          calls += 1;
          if (call === 'write' && calls === 2) throw new Error('the connection broke');
          return world.idStore.write(...given);
        },
        scan: async function* (state) {
          yield* world.idStore.scan(state);
          if (call === 'scan' && calls > 0) throw new Error('the connection broke');
        },
      };
      await expect(renamed(renaming, { idStore })).rejects.toThrow('the connection broke');
      const ends = await world.runs.ends(OLD);
      expect(ends && renamedTo(ends)).toBeUndefined();
      expect(await renamed()).toEqual({ kind: 'renamed', items: 3, letters: 1 });
      expect(await itemsOf(NEW)).toEqual(await itemsOf(OLD));
    },
  );

  test('is brought to its end where the two names were written down, but not both', async () => {
    let saved = 0;
    const runs: RenameDeps['runs'] = {
      ...world.runs,
      saveEnds: async (...given) => {
        saved += 1;
        if (saved === 2) throw new Error('the connection broke');
        return world.runs.saveEnds(...given);
      },
    };
    await expect(renamed(renaming, { runs })).rejects.toThrow('the connection broke');
    expect(await renamed()).toEqual({ kind: 'renamed', items: 3, letters: 1 });
  });

  test('has what a worker settled that was at it when the old name was closed', async () => {
    await world.records.sendAll([{ body: writeMessage(message('2')) }]);
    const late: IdCheck = { ...loaded('2', 'B'), rev: 4 };
    const clock = {
      ...world.clock,
      sleep: async (ms: number) => {
        expect(ms).toBe(BATCH_MS);
        await world.idStore.write(OLD, late, { rev: 2 });
      },
    };
    await renamed(renaming, { clock });
    expect((await world.idStore.read(NEW, ['2'])).get('2')).toEqual(late);
  });
});

test('what is open of the last run, or waits for an earlier one, is superseded: the new name’s first run sends it', async () => {
  const counts = { ...runAt(0).counts, open: 2 };
  await world.ran(runAt(0, { counts, waitsFor: ['earlier'] }), ...['1', '2'].map(enqueued), {
    id: '3',
    outcome: 'waiting',
  });
  await world.knows(loaded('7'));
  await renamed();
  const [last] = await world.runs.runs(NEW, 1);
  expect(last).toMatchObject({ status: 'balanced', counts: { open: 0, superseded: 2, waiting: 0, skipped: 1 } });
  expect(last).not.toHaveProperty('waitsFor');
});

describe('an integration is not renamed, and nothing is changed,', () => {
  const untouched = async () => {
    expect(await itemsOf(NEW)).toEqual([]);
    expect(await world.audit.list(OLD)).toEqual([]);
  };

  test('while a run of it is under way', async () => {
    await settled();
    const before = await world.runs.lease(OLD);
    const lease = { integration: OLD, runId: 'now', owner: 'worker', untilMs: world.clock.nowMs() + 60_000 };
    await world.runs.takeLease(lease, before);
    expect(await renamed()).toEqual({ kind: 'refused', why: 'run-under-way', runId: 'now' });
    await untouched();
  });

  test.each([
    { name: 'a claimed record', item: claimed('4') },
    {
      name: 'an uncertain record',
      item: {
        ...troubled('4', 'rejected'),
        trouble: { kind: 'uncertain' as const, hash: 'A', versionMs, sinceMs: versionMs, reason: 'time-out' },
      },
    },
    { name: 'a record in doubt', item: { ...loaded('4'), doubt: { hash: 'B', untilMs: Number.MAX_SAFE_INTEGER } } },
  ])('while there is $name: its request would be sent again under another Idempotency-Key', async ({ item }) => {
    await settled();
    await world.knows(item);
    expect(await renamed()).toEqual({
      kind: 'refused',
      why: 'in-doubt',
      ids: ['4'],
      count: 1,
    });
    await untouched();
  });

  test('to a name that has a state of its own', async () => {
    await settled();
    await world.runs.takeLease({ integration: NEW, runId: 'r', owner: 'worker', untilMs: versionMs }, undefined);
    expect(await renamed()).toEqual({ kind: 'refused', why: 'name-taken' });
    await untouched();
  });

  test('where nothing is known of it', async () => {
    expect(await renamed()).toEqual({ kind: 'refused', why: 'nothing-known' });
  });
});
