import { describe, expect, test } from 'vitest';
import type { IdCheck, Trouble } from '../../lib/idcheck/item.ts';
import { letterFor, letterForUnreadable, readLetter, writeLetter } from '../../lib/messages/dead-letter.ts';
import { readMessage } from '../../lib/messages/record-message.ts';
import { discard, resolveIds } from '../../lib/operate/close-letters.ts';
import { decideByHand } from '../../lib/operate/decide-end.ts';
import { planResend, resend } from '../../lib/operate/resend.ts';
import { startFresh } from '../../lib/operate/start-fresh.ts';
import { replay } from '../../lib/replay/replay.ts';
import { noEnds, type Side } from '../../lib/runs/ends.ts';
import { silentLog } from '../../lib/runtime/log.ts';
import type { AuditEntry } from '../../lib/stores/stores.ts';
import { portFaults } from '../fakes/faults.ts';
import { type Deed, undisturbed, withEachCallWrong } from '../fakes/one-call-wrong.ts';
import { recordMessage } from '../load/message.ts';
import { groups, operateWorld, versionMs } from './operate-world.ts';

const { name } = groups;
const signature = { by: 'li@desk', why: '目标已修好' };
const failure = { cause: 'status', status: 422, atMs: versionMs };
/** More than one batch of a queue, for what is sent in batches. */
const many = Array.from({ length: 11 }, (_, index) => `r${index}`);
const refused = many.slice(0, 3);
const parked = ['p1', 'p2'];

const itemOf = (
  id: string,
  kind: Trouble['kind'],
  letter: Pick<Trouble, 'letterMs'> = { letterMs: versionMs },
): IdCheck => ({
  id,
  rev: 2,
  trouble: { kind, hash: 'A', versionMs, sinceMs: versionMs, reason: 'status 422', ...letter },
});
const letterOf = (reason: 'rejected' | 'uncertain', id: string, integration = name) => ({
  body: writeLetter(letterFor(reason, recordMessage({ integration, id }), failure)),
});
const unreadable = { body: writeLetter(letterForUnreadable('{', 'the body is not JSON', versionMs)) };

/** Refused and uncertain records with their letters, one of another integration, and one that nobody can read. */
const letterWorld = async (ids: readonly string[] = refused) => {
  const stores = operateWorld();
  await stores.knows(...ids.map((id) => itemOf(id, 'rejected')), ...parked.map((id) => itemOf(id, 'parked')));
  await stores.deadLetters.sendAll([
    ...ids.map((id) => letterOf('rejected', id)),
    ...parked.map((id) => letterOf('uncertain', id)),
    letterOf('rejected', 'other', 'others'),
    unreadable,
  ]);
  const faults = portFaults();
  const { clock, audit, deadLetters, idStore, limiter, records, runs } = stores;
  const forgotten: string[] = [];
  const deps = {
    clock,
    log: silentLog,
    audit: faults.wrap('audit', audit),
    deadLetters: faults.wrap('deadLetters', deadLetters),
    idStore: faults.wrap('idStore', idStore),
    records: faults.wrap('records', records),
    limiter: faults.wrap('limiter', limiter),
    runs: faults.wrap('runs', runs),
    ...faults.wrap('state', { forget: async (integration: string) => void forgotten.push(integration) }),
  };
  const waiting = () => {
    const received = { messageId: '', handle: '', sentMs: versionMs, receiveCount: 1 };
    return new Set(deadLetters.bodies().map((body) => readLetter({ ...received, body }).id ?? 'unreadable'));
  };
  return {
    ...stores,
    faults,
    deps,
    waiting,
    sent: () =>
      new Set(
        records.bodies().map((body) => {
          const read = readMessage(body);
          return read.kind === 'message' ? read.message.id : read.why;
        }),
      ),
    item: (id: string) => idStore.items(name).find((one) => one.id === id),
    /** The ids of which the audit log says this. */
    said: async (action: AuditEntry['action']) =>
      new Set(
        [...(await audit.list(name)), ...(await audit.list(undefined))].flatMap((entry) =>
          entry.action === action && entry.by === signature.by && entry.why === signature.why ? [entry.id] : [],
        ),
      ),
  };
};
type LetterWorld = Awaited<ReturnType<typeof letterWorld>>;

/** What a deed makes of one id that it means: what it leaves behind, and the word of the audit log. */
type Kind = Deed<LetterWorld> & {
  action: AuditEntry['action'];
  ids: readonly string[];
  /** Whether that for which the letter stood is elsewhere: in the queue, or in what is known of the record. */
  isSafe: (world: LetterWorld, id: string) => boolean;
  /** What is still to do where a crash came between a record and its letter. */
  tidyUp?: (world: LetterWorld) => Promise<unknown>;
  effects: string[];
};

const times = (count: number, ...effects: string[]): string[] => Array.from({ length: count }, () => effects).flat();
const anew = { start: () => letterWorld() };

const deeds: Record<string, Kind> = {
  'a replay': {
    start: () => letterWorld(many),
    act: ({ clock, deps }) => clock.run(replay({ integration: name, reason: 'rejected', ...signature }, deps)),
    action: 'replayed',
    ids: many,
    isSafe: ({ sent }, id) => sent().has(id),
    effects: [
      ...times(10, 'audit.add'),
      ...['records.sendAll', 'deadLetters.delete'],
      'audit.add',
      ...['records.sendAll', 'deadLetters.delete'],
    ],
  },
  'a discard': {
    ...anew,
    act: ({ clock, deps }) => clock.run(discard({ integration: name, reason: 'rejected' }, signature, deps)),
    action: 'discarded',
    ids: refused,
    isSafe: ({ item }, id) => item(id)?.trouble?.discardedMs !== undefined,
    effects: times(3, 'audit.add', 'idStore.write', 'deadLetters.delete'),
  },
  'a resolution as loaded': {
    ...anew,
    act: ({ clock, deps }) => clock.run(resolveIds(name, parked, 'loaded', signature, deps)),
    action: 'resolved-loaded',
    ids: parked,
    isSafe: ({ item }, id) => item(id)?.loaded?.hash === 'A' && item(id)?.trouble === undefined,
    tidyUp: ({ clock, deps }) => clock.run(discard({ integration: name, reason: 'uncertain' }, signature, deps)),
    effects: [...times(2, 'audit.add', 'idStore.write'), ...times(2, 'deadLetters.delete')],
  },
  'a resolution as not loaded': {
    ...anew,
    act: ({ clock, deps }) => clock.run(resolveIds(name, parked, 'not-loaded', signature, deps)),
    action: 'resolved-not-loaded',
    ids: parked,
    isSafe: ({ item }, id) => item(id)?.toSend !== undefined && item(id)?.trouble === undefined,
    tidyUp: ({ clock, deps }) => clock.run(discard({ integration: name, reason: 'uncertain' }, signature, deps)),
    effects: [...times(2, 'audit.add', 'idStore.write'), ...times(2, 'deadLetters.delete')],
  },
};

describe.each(Object.entries(deeds))('%s', (_, deed) => {
  const { ids, isSafe, action, tidyUp } = deed;

  test('is written to the audit log first, and deletes a letter last', async () => {
    expect(await undisturbed(deed)).toEqual(deed.effects);
  });

  test('with any call gone wrong loses no letter and does nothing unsigned; done again it comes to its end', async () => {
    await withEachCallWrong(
      deed,
      async (world, told) => {
        const said = await world.said(action);
        const waiting = world.waiting();
        for (const id of ids) {
          expect(waiting.has(id) || isSafe(world, id), `${told}: ${id} is lost`).toBe(true);
          const isDone = isSafe(world, id) || !waiting.has(id);
          expect(!isDone || said.has(id), `${told}: ${id} is not in the audit log`).toBe(true);
        }
      },
      async (world, told) => {
        await world.clock.advance(2_000);
        await tidyUp?.(world);
        const waiting = world.waiting();
        expect(
          ids.filter((id) => waiting.has(id) || !isSafe(world, id)),
          told,
        ).toEqual([]);
        // What was not meant is as it was.
        const meant = new Set(tidyUp ? [...ids, ...parked] : ids);
        const others = [...refused, ...parked, 'other', 'unreadable'].filter((id) => !meant.has(id));
        expect([...waiting].sort(), told).toEqual(others.sort());
        expect([...(await world.said(action))].sort(), told).toEqual([...ids].sort());
      },
    );
  });
});

test('a fresh start with any call gone wrong deletes no letter that is not in the audit log', async () => {
  const start = async () => {
    const world = await letterWorld();
    // Its items are gone with the state: what was uncertain goes with the others.
    for (const id of parked) await world.idStore.write(name, { id, rev: 3 }, { rev: 2 });
    return world;
  };
  const act = ({ clock, deps }: LetterWorld) => clock.run(startFresh(name, signature, deps));
  await withEachCallWrong(
    { start, act },
    async (world, told) => {
      const waiting = world.waiting();
      const said = await world.said('discarded');
      expect(
        [...refused, ...parked].filter((id) => !waiting.has(id) && !said.has(id)),
        told,
      ).toEqual([]);
    },
    async (world, told) => {
      expect(world.waiting(), told).toEqual(new Set(['other']));
    },
  );
});

test('sending again with any call gone wrong changes no record that is not in the audit log', async () => {
  const start = async () => {
    const world = await letterWorld([]);
    await world.knows(...refused.map((id) => itemOf(id, 'rejected', {})));
    return world;
  };
  const act = async ({ clock, deps }: LetterWorld) => {
    const planned = await clock.run(planResend(refused, [name], deps));
    await clock.run(resend(planned, signature, deps));
  };
  const toSend = (world: LetterWorld) => refused.filter((id) => world.item(id)?.toSend !== undefined);
  expect(await undisturbed({ start, act })).toEqual(times(3, 'audit.add', 'idStore.write'));
  await withEachCallWrong(
    { start, act },
    async (world, told) => {
      const said = await world.said('resent');
      expect(
        toSend(world).filter((id) => !said.has(id)),
        told,
      ).toEqual([]);
    },
    async (world, told) => {
      expect(toSend(world), told).toEqual(refused);
    },
  );
});

describe.each(['source', 'target'] as const)('a word on the %s', (side: Side) => {
  const at = (id: string) => ({ id, origin: `https://${id}.example` });

  test.each(['same', 'new'] as const)(
    '(%s) with any call gone wrong holds only where it is in the audit log, and done again it holds',
    async (verdict) => {
      const start = async () => {
        const world = await letterWorld();
        await world.runs.saveEnds(name, { ...noEnds(), rev: 1, source: at('a'), target: at('a') });
        return world;
      };
      const act = ({ clock, deps }: LetterWorld) =>
        clock.run(decideByHand({ integration: name, connection: side, side, verdict, now: at('b') }, signature, deps));
      const isDecided = async (world: LetterWorld) => (await world.runs.ends(name))?.[side]?.id === 'b';
      const isSaid = async (world: LetterWorld) => (await world.said(`${side}-${verdict}`)).size > 0;
      expect(await undisturbed({ start, act })).toEqual(['audit.add', 'limiter.endPause', 'runs.saveEnds']);
      await withEachCallWrong(
        { start, act },
        async (world, told) => {
          if (await isDecided(world)) expect(await isSaid(world), told).toBe(true);
        },
        async (world, told) => {
          expect([await isDecided(world), await isSaid(world)], told).toEqual([true, true]);
        },
      );
    },
  );
});
