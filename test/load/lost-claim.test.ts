import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Claim, IdCheck } from '../../lib/idcheck/item.ts';
import { type Claimed, release, settle } from '../../lib/load/claim.ts';
import type { Outcome, OutcomeCause } from '../../lib/target/target.ts';
import {
  type Answer,
  conflicts,
  drops,
  fails,
  type LoadWorld,
  loadWorld,
  mumbles,
  refuses,
  takes,
  throttles,
} from './load-world.ts';
import { NOW_MS, recordMessage } from './message.ts';

const message = recordMessage();
const claim: Claim = { owner: 'me', hash: 'A', versionMs: NOW_MS, sinceMs: NOW_MS - 9, untilMs: NOW_MS + 25_000 };
const trouble = { hash: 'A', versionMs: NOW_MS, sinceMs: NOW_MS, reason: 'status 500' };

/** What another worker may have written since the claim was lost. */
const others: Record<string, IdCheck | undefined> = {
  'has claimed it': { id: '1', rev: 3, claim: { ...claim, owner: 'other' } },
  'has claimed other content': { id: '1', rev: 3, claim: { ...claim, owner: 'other', hash: 'B' } },
  'has loaded it': { id: '1', rev: 4, loaded: { hash: 'A', versionMs: NOW_MS, atMs: NOW_MS } },
  'has loaded other content': { id: '1', rev: 4, loaded: { hash: 'B', versionMs: NOW_MS + 1, atMs: NOW_MS } },
  'has been refused': { id: '1', rev: 4, trouble: { kind: 'rejected', ...trouble, letterMs: NOW_MS } },
  'does not know how it ended': { id: '1', rev: 4, trouble: { kind: 'uncertain', ...trouble } },
  'has parked it': { id: '1', rev: 4, trouble: { kind: 'parked', ...trouble, letterMs: NOW_MS } },
  'has given it up': { id: '1', rev: 4, trouble: { kind: 'exhausted', ...trouble, letterMs: NOW_MS } },
  'has released it': { id: '1', rev: 4 },
  'has forgotten it': undefined,
};

const failure = (cause: OutcomeCause, status?: number) => ({ cause, ...(status !== undefined && { status }) });
/** Each way in which a POST can end. */
const outcomes: Record<string, Outcome> = {
  loaded: { kind: 'loaded' },
  rejected: { kind: 'rejected', failure: failure('status', 422) },
  'rejected in a 2xx': { kind: 'rejected', failure: failure('business-error', 200) },
  'not applied': { kind: 'notApplied', failure: failure('status', 403), waits: false },
  'not sent': { kind: 'notApplied', failure: failure('refused'), waits: false },
  throttled: { kind: 'notApplied', failure: failure('status', 429), waits: true, pauseMs: 5_000 },
  uncertain: { kind: 'uncertain', failure: failure('reset') },
  'not understood': { kind: 'uncertain', failure: failure('no-known-status', 200) },
  conflict: { kind: 'conflict', failure: failure('status', 409) },
  'conflict that says when': { kind: 'conflict', failure: failure('status', 409), waitMs: 3_000 },
};

/** What was known of the record when it was claimed. */
const before: Array<Partial<IdCheck>> = [
  {},
  { loaded: { hash: '0', versionMs: 1, atMs: 1 } },
  { trouble: { kind: 'uncertain', ...trouble }, doubt: { hash: 'A', untilMs: NOW_MS + 9 } },
  { trouble: { kind: 'uncertain', ...trouble }, doubt: { hash: 'A', untilMs: NOW_MS - 9 } },
  { trouble: { kind: 'rejected', ...trouble, letterMs: NOW_MS - 9 } },
];

const circumstances = fc.record({
  onUncertain: fc.constantFrom('resend' as const, 'park' as const),
  attempts: fc.nat(3),
  isResting: fc.boolean(),
  takesLetters: fc.boolean(),
  known: fc.constantFrom(...before),
});

/** A world whose store holds what another wrote. */
const worldWith = async (stored: IdCheck | undefined, setup: Parameters<typeof loadWorld>[0] = {}) => {
  const world = loadWorld(setup);
  if (stored !== undefined) await world.idStore.write('groups', stored, { absent: true });
  return { ...world, stored: stored === undefined ? [] : [stored] };
};

describe.each(Object.entries(others))('a worker that lost its claim to another, which %s,', (_, stored) => {
  it.each(Object.entries(outcomes))(
    'writes nothing and keeps the message when its POST ends %s',
    async (__, outcome) => {
      await fc.assert(
        fc.asyncProperty(circumstances, async ({ onUncertain, attempts, isResting, takesLetters, known }) => {
          const world = await worldWith(stored, { policy: { onUncertain } });
          const deadLetters = takesLetters ? world.deps.deadLetters : { sendAll: async () => ({ failed: [0] }) };
          const delivery = {
            messageId: 'm',
            body: '',
            message: { ...message, attempts },
            item: { id: '1', rev: 2, ...known, claim },
          };
          const ending = await settle(delivery, outcome, isResting, await world.plan(), { ...world.deps, deadLetters });
          expect(world.idStore.items('groups')).toEqual(world.stored);
          expect(ending.kind).toBe('putBack');
          // What was loaded, or only waited, is no failure of the record.
          const waits = outcome.kind === 'loaded' || (outcome.kind === 'notApplied' && outcome.waits);
          if (ending.kind === 'putBack' && waits) expect(ending.message.attempts).toBe(attempts);
        }),
        { numRuns: 40 },
      );
    },
  );

  it('gives nothing up where nothing was sent', async () => {
    const world = await worldWith(stored);
    const claimed: Claimed = { id: '1', rev: 2, claim };
    await release(claimed, await world.plan(), world.deps);
    expect(world.idStore.items('groups')).toEqual(world.stored);
  });
});

describe('a worker that cannot write down how its POST ended', () => {
  it.each(Object.entries(outcomes))(
    'keeps the message until its claim is over, and counts no attempt, where it ended %s',
    async (_, outcome) => {
      await fc.assert(
        fc.asyncProperty(circumstances, async ({ onUncertain, attempts, isResting, known }) => {
          const world = loadWorld({ policy: { onUncertain } });
          const item: Claimed = { id: '1', rev: 2, ...known, claim };
          await world.idStore.write('groups', item, { absent: true });
          const down = { ...world.idStore, write: () => Promise.reject(new Error('down')) };
          const delivery = { messageId: 'm', body: '', message: { ...message, attempts }, item };
          const settling = settle(delivery, outcome, isResting, await world.plan(), { ...world.deps, idStore: down });
          const ending = await world.clock.run(settling);
          expect(ending).toMatchObject({ kind: 'putBack', why: 'not-settled', message: { attempts } });
          expect(ending).toMatchObject({ delaySec: expect.toSatisfy((sec: number) => sec >= 25) });
          expect(world.idStore.items('groups')).toEqual([item]);
        }),
        { numRuns: 20 },
      );
    },
  );
});

describe('while a request is under way that was taken for lost', () => {
  const answers: Record<string, Answer> = {
    takes,
    refuses,
    fails,
    'drops what it applied': drops(true),
    'drops what it did not apply': drops(false),
    mumbles: mumbles(true),
    conflicts: conflicts(),
    throttles: throttles(1_000),
  };
  const ids = ['1', '2', '3'];
  const loadedBy = (id: string, rev: number): IdCheck => ({
    id,
    rev,
    loaded: { hash: 'A', versionMs: NOW_MS, atMs: NOW_MS },
    turn: 1,
  });

  /** Another worker, whose clock is ahead, loads these records while their first request is under way. */
  const takeOver = async (world: LoadWorld, taken: readonly string[]) => {
    for (const item of world.idStore.items('groups').filter(({ id }) => taken.includes(id)))
      await world.idStore.write('groups', loadedBy(item.id, item.rev + 2), { rev: item.rev });
  };

  it.each(Object.entries(answers).flatMap(([name, answer]) => [1, 3].map((rows) => [name, rows, answer] as const)))(
    'and that the target %s, %d to a request: what the other loaded stands',
    async (_, rows, answer) => {
      for (const onUncertain of ['resend', 'park'] as const) {
        const world = loadWorld({ rows, policy: { onUncertain }, retry: { maxAttempts: 1 } });
        world.answer = (records, index) => {
          const isFirst = index < ids.length / rows;
          if (isFirst)
            void takeOver(
              world,
              records.map(({ id }) => id).filter((id) => id !== '3'),
            );
          return isFirst ? answer : takes;
        };
        await world.send(...ids.map((id) => recordMessage({ id })));
        await world.run();
        const [first, second] = world.idStore.items('groups');
        expect([first, second]).toMatchObject([
          { loaded: { hash: 'A', atMs: NOW_MS } },
          { loaded: { hash: 'A', atMs: NOW_MS } },
        ]);
        for (const item of [first, second]) {
          expect(item).not.toHaveProperty('trouble');
          expect(item).not.toHaveProperty('claim');
        }
        // Each of its messages ends by what the other wrote, not by what this worker was told.
        const settled = world.logged.filter(({ event, fields }) => event === 'settled' && fields.id !== '3');
        expect(settled.map(({ fields }) => fields.as)).toEqual(['already-loaded', 'already-loaded']);
      }
    },
  );
});
