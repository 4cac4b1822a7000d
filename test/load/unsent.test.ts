import { describe, expect, it } from 'vitest';
import type { AcknowledgeReason } from '../../lib/idcheck/decide.ts';
import type { IdCheck, Trouble } from '../../lib/idcheck/item.ts';
import { settledAs } from '../../lib/load/ending.ts';
import { endForParent, endUnsent } from '../../lib/load/unsent.ts';
import type { RecordMessage } from '../../lib/messages/record-message.ts';
import { standardTuning } from '../../lib/runtime/tuning.ts';
import { type LoadWorld, loadWorld } from './load-world.ts';
import { NOW_MS, recordMessage } from './message.ts';

const trouble = (changes: Partial<Trouble> = {}): IdCheck => ({
  id: '1',
  rev: 3,
  trouble: { kind: 'rejected', hash: 'A', versionMs: 1, sinceMs: NOW_MS - 10, reason: 'status 422', ...changes },
});

const endOf = async (
  as: AcknowledgeReason,
  stored: IdCheck,
  message: Partial<RecordMessage> = {},
  changes: Parameters<typeof loadWorld>[0] = {},
) => {
  const world = loadWorld(changes);
  await world.idStore.write('groups', stored, { absent: true });
  const plan = await world.plan();
  const ending = await endUnsent({ kind: 'acknowledge', as }, recordMessage(message), stored, plan, world.deps);
  return { ending, letters: await world.letters(), item: world.idStore.items('groups')[0] };
};

describe('a message of a record that waits for a person', () => {
  it.each([
    { what: 'a letter waits', as: 'already-rejected', stored: trouble({ letterMs: NOW_MS - 9 }) },
    {
      what: 'it was replayed before that letter',
      as: 'already-rejected',
      stored: trouble({ letterMs: NOW_MS - 9 }),
      message: { replayedMs: NOW_MS - 10 },
    },
    { what: 'a person gave its letter up', as: 'already-rejected', stored: trouble({ discardedMs: NOW_MS - 5 }) },
    { what: 'the trouble is of other content', as: 'already-parked', stored: trouble({ kind: 'parked', hash: 'B' }) },
    { what: 'only its parent is in the way', as: 'already-rejected', stored: trouble({ parentId: '7' }) },
    { what: 'nobody is waited for', as: 'duplicate', stored: trouble() },
    { what: 'there is no trouble', as: 'already-parked', stored: { id: '1', rev: 3 } },
  ] as const)('is acknowledged without another letter where $what', async ({ as, stored, ...rest }) => {
    const { ending, letters, item } = await endOf(as, stored, 'message' in rest ? rest.message : {});
    expect([ending, letters, item]).toEqual([settledAs(as), [], stored]);
  });

  it.each([
    { what: 'none was written yet', stored: trouble(), as: 'already-rejected', reason: 'rejected' },
    {
      what: 'it is the one that this message was replayed from',
      stored: trouble({ letterMs: NOW_MS - 9 }),
      message: { replayedMs: NOW_MS - 9 },
      as: 'already-rejected',
      reason: 'rejected',
    },
    { what: 'none was written yet', stored: trouble({ kind: 'parked' }), as: 'already-parked', reason: 'uncertain' },
  ] as const)(
    'writes its letter where $what ($reason), then is acknowledged',
    async ({ as, stored, reason, ...rest }) => {
      const { ending, letters, item } = await endOf(as, stored, 'message' in rest ? rest.message : {});
      expect(ending).toEqual(settledAs(as));
      expect(letters).toMatchObject([{ reason, id: '1', failure: { cause: 'status 422', atMs: NOW_MS } }]);
      expect(item).toMatchObject({ rev: 4, trouble: { ...stored.trouble, letterMs: NOW_MS } });
    },
  );

  it('keeps its last failure for the letter', async () => {
    const lastFailure = { cause: 'reset', atMs: 7 };
    const { letters } = await endOf('already-parked', trouble({ kind: 'parked' }), { lastFailure });
    expect(letters[0]?.failure).toEqual(lastFailure);
  });

  it('waits while its letter cannot be written, or the item has changed', async () => {
    const down = { sendAll: async () => ({ failed: [0] }) };
    const without = await endOf('already-rejected', trouble(), {}, { deps: { deadLetters: down } });
    expect(without.ending).toMatchObject({ kind: 'putBack', why: 'no-dead-letter' });
    expect(without.ending).toMatchObject({ delaySec: expect.toSatisfy((sec: number) => sec >= 30) });
    expect(without.item).toEqual(trouble());

    const world = loadWorld();
    const plan = await world.plan();
    const decision = { kind: 'acknowledge', as: 'already-rejected' } as const;
    const raced = await endUnsent(decision, recordMessage(), trouble(), plan, world.deps);
    expect(raced).toMatchObject({ kind: 'putBack', why: 'claimed' });
  });
});

describe('what ends without a POST, while another writes its item,', () => {
  type Ends = (world: LoadWorld, stored: IdCheck) => ReturnType<typeof endForParent>;
  const acknowledged =
    (as: AcknowledgeReason, message: Partial<RecordMessage> = {}): Ends =>
    async (world, stored) =>
      endUnsent({ kind: 'acknowledge', as }, recordMessage(message), stored, await world.plan(), world.deps);
  const parked: Ends = async (world, stored) =>
    endUnsent({ kind: 'park' }, recordMessage(), stored, await world.plan(), world.deps);
  const orphaned: Ends = async (world, stored) => {
    const parent: IdCheck = { ...trouble(), id: 'parent' };
    const known = new Map([stored, parent].map((item) => [item.id, item]));
    return endForParent(recordMessage({ parentId: 'parent' }), known, await world.plan(), world.deps);
  };
  const replayed = { replayedMs: NOW_MS };
  const lettered = { letterMs: NOW_MS - 9 };

  const cases: Array<[what: string, stored: IdCheck, ends: Ends]> = [
    ['a letter that is still to be written', trouble(), acknowledged('already-rejected')],
    ['the letter of what is parked', trouble({ kind: 'parked' }), acknowledged('already-parked')],
    ['a replayed letter whose content is loaded', trouble(lettered), acknowledged('already-loaded', replayed)],
    ['a replayed letter that is superseded', trouble(lettered), acknowledged('superseded', replayed)],
    ['a replayed letter of a duplicate', trouble(lettered), acknowledged('duplicate', replayed)],
    ['what is to be parked', trouble({ kind: 'uncertain' }), parked],
    ['what is to be parked beside a letter', trouble({ kind: 'uncertain', ...lettered }), parked],
    ['what its parent keeps back', { id: '1', rev: 3, loaded: { hash: '0', versionMs: 1, atMs: 1 } }, orphaned],
  ];

  it.each(cases)('%s: is settled where nobody does', async (_, stored, ends) => {
    const world = loadWorld();
    await world.idStore.write('groups', stored, { absent: true });
    expect(await ends(world, stored)).toMatchObject({ kind: 'settled' });
    expect(world.idStore.items('groups')).not.toEqual([stored]);
  });

  it.each(cases)('%s: comes again, and what the other wrote stays', async (_, stored, ends) => {
    for (const other of [
      { ...stored, rev: 4 },
      { id: '1', rev: 5, loaded: { hash: 'B', versionMs: 2, atMs: 2 } },
    ]) {
      const world = loadWorld();
      await world.idStore.write('groups', other, { absent: true });
      expect(await ends(world, stored)).toMatchObject({ kind: 'putBack', why: 'claimed', message: { attempts: 0 } });
      expect(world.idStore.items('groups')).toEqual([other]);
    }
  });

  it.each(cases)('%s: comes again where its item cannot be written', async (_, stored, ends) => {
    const world = loadWorld();
    const down = { ...world.idStore, write: () => Promise.reject(new Error('down')) };
    const ending = await ends({ ...world, deps: { ...world.deps, idStore: down } }, stored);
    expect(ending).toMatchObject({ kind: 'putBack', message: { attempts: 0 } });
  });
});

describe('a record whose parent does not come', () => {
  const { maxParentWaitMs, parentWaitMs } = standardTuning.load;
  const endAfter = async (waitedMs: number, stored?: IdCheck) => {
    const world = loadWorld();
    const message = recordMessage({ parentId: 'parent', firstSentMs: world.clock.nowMs() - waitedMs });
    const known = new Map(stored === undefined ? [] : [[stored.id, stored]]);
    return endForParent(message, known, await world.plan(), world.deps);
  };

  it('waits for a day, then is done with: the next run sends it again', async () => {
    for (const waitedMs of [0, maxParentWaitMs]) {
      const ending = await endAfter(waitedMs);
      expect(ending).toMatchObject({ kind: 'putBack', why: 'parent', message: { attempts: 0 } });
      expect(ending).toMatchObject({ delaySec: expect.toSatisfy((sec: number) => sec * 1_000 >= parentWaitMs) });
    }
    expect(await endAfter(maxParentWaitMs + 1)).toEqual(settledAs('parent-never-came'));
  });

  it('does not wait where this very content was sent: its parent was there then', async () => {
    const sent = trouble({ kind: 'uncertain' });
    expect(await endAfter(0, sent)).toBeUndefined();
    expect(await endAfter(0, trouble({ kind: 'uncertain', hash: 'B' }))).toMatchObject({ why: 'parent' });
    expect(await endAfter(0, trouble())).toMatchObject({ why: 'parent' });
  });
});
