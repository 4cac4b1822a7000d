import { describe, expect, it } from 'vitest';
import type { Claim, IdCheck, Trouble } from '../../lib/idcheck/item.ts';
import { readConflict, settlementOf } from '../../lib/load/ending.ts';
import type { Outcome } from '../../lib/target/target.ts';
import { conflicts, drops, loadWorld, mumbles, takes } from './load-world.ts';
import { NOW_MS, recordMessage } from './message.ts';

const failure = { cause: 'status', status: 409 } as const;
const conflict: Outcome = { kind: 'conflict', failure };
const wordOf = (outcome: Outcome): string => (outcome.kind === 'notApplied' ? 'again' : outcome.kind);

const claim: Claim = { owner: 'me', hash: 'A', versionMs: 1, sinceMs: NOW_MS, untilMs: NOW_MS + 25_000 };
const trouble = (kind: Trouble['kind'], hash = 'A'): Trouble => ({ kind, hash, versionMs: 1, sinceMs: 1, reason: '' });
const claimed = (parts: Partial<IdCheck> = {}) => ({ id: '1', rev: 1, ...parts, claim });
const doubt = { hash: 'A', untilMs: NOW_MS + 9 };

describe('a 409', () => {
  // Alone in its request, by target.conflict: absent, rejected, retry, loaded.
  it.each<[what: string, item: IdCheck & { claim: Claim }, expected: string]>([
    ['at a first try', claimed(), 'rejected rejected again loaded'],
    ['after a time-out', claimed({ trouble: trouble('uncertain'), doubt }), 'conflict rejected conflict loaded'],
    ['of what a person sends again', claimed({ trouble: trouble('parked') }), 'conflict rejected conflict loaded'],
    [
      'of what was given up after a time-out',
      claimed({ trouble: trouble('exhausted'), doubt }),
      'conflict rejected conflict loaded',
    ],
    [
      'of what was refused after a time-out',
      claimed({ trouble: trouble('rejected'), doubt }),
      'conflict rejected conflict loaded',
    ],
    ['of what was surely not applied', claimed({ trouble: trouble('exhausted') }), 'rejected rejected again loaded'],
    [
      'after a time-out of other content',
      claimed({ trouble: trouble('uncertain', 'B') }),
      'rejected rejected again loaded',
    ],
    [
      'of what was loaded since the time-out',
      claimed({ doubt, loaded: { hash: 'A', versionMs: 1, atMs: 1 } }),
      'rejected rejected again loaded',
    ],
  ])('%s', (_, item, expected) => {
    const settings = [undefined, 'rejected', 'retry', 'loaded'] as const;
    expect(settings.map((setting) => wordOf(readConflict(conflict, item, setting, true))).join(' ')).toBe(expected);
  });

  it('to several records does not mean that all exist: each is sent again by itself', () => {
    for (const item of [
      claimed(),
      claimed({ trouble: trouble('uncertain'), doubt }),
      claimed({ trouble: trouble('parked') }),
    ])
      expect(readConflict(conflict, item, 'loaded', false)).toEqual({ kind: 'rejected', failure });
  });

  it('to a deletion does not mean that the record is gone', () => {
    const item = { ...claimed(), claim: { ...claim, hash: 'deleted@1' } };
    expect(readConflict(conflict, item, 'loaded', true)).toEqual({ kind: 'rejected', failure });
  });

  it('is the only answer that is read so', () => {
    expect(readConflict({ kind: 'rejected', failure }, claimed(), 'loaded', true).kind).toBe('rejected');
  });
});

/** The record's own outcome, in the order of what was logged. */
const settledAs = ({ logged }: ReturnType<typeof loadWorld>): unknown[] =>
  logged.filter(({ event }) => event === 'settled').map(({ fields }) => `${fields.id}: ${fields.as}`);

describe('a target that is still at the first try', () => {
  it('is asked again until it is through, without an attempt and without a letter', async () => {
    const world = loadWorld();
    world.answer = (_, index) =>
      index === 0 ? drops(true) : world.clock.nowMs() < NOW_MS + 20_000 ? conflicts() : takes;
    await world.send(recordMessage({ id: '1' }));
    await world.run();
    expect(settledAs(world)).toEqual(['1: loaded']);
    expect(await world.letters()).toEqual([]);
    // More conflicts than there are attempts.
    expect(world.posts.length).toBeGreaterThan(4);
    expect(new Set(world.posts.map(({ records }) => records[0]?.idempotencyKey)).size).toBe(1);
  });

  it('is given the time that it asks for', async () => {
    const world = loadWorld();
    world.answer = (_, index) => (index === 0 ? drops(true) : index === 1 ? conflicts(9_000) : takes);
    await world.send(recordMessage({ id: '1' }));
    await world.run();
    expect((world.posts[2]?.atMs ?? 0) - (world.posts[1]?.atMs ?? 0)).toBeGreaterThanOrEqual(9_000);
    expect(settledAs(world)).toEqual(['1: loaded']);
  });

  it('for ever leaves the record uncertain after maxAttempts, with a letter', async () => {
    const world = loadWorld();
    world.answer = (_, index) => (index === 0 ? drops(true) : conflicts());
    await world.send(recordMessage({ id: '1' }));
    await world.run();
    expect(settledAs(world)).toEqual(['1: uncertain']);
    expect(await world.letters()).toMatchObject([{ reason: 'uncertain', id: '1', attempts: 3 }]);
    expect(world.idStore.items('groups')).toMatchObject([{ trouble: { kind: 'uncertain', hash: 'A' } }]);
  });

  it('decides nothing about the other records of its request: each is sent again by itself', async () => {
    const world = loadWorld({ rows: 2 });
    world.answer = (records, index) => (index === 0 ? drops(true) : records.length > 1 ? conflicts() : takes);
    await world.send(recordMessage({ id: '1' }));
    await world.deliver();
    await world.clock.advance(2_000);
    await world.send(recordMessage({ id: '2' }));
    await world.run();
    expect(world.posts.map(({ records }) => records.map(({ id }) => id).join())).toEqual(['1', '1,2', '2', '1']);
    expect(settledAs(world)).toEqual(['2: loaded', '1: loaded']);
    expect(await world.letters()).toEqual([]);
  });
});

describe('an answer that is not understood', () => {
  it.each(['resend', 'park'] as const)('is parked under %s, and never sent again by itself', async (onUncertain) => {
    const world = loadWorld({ policy: { onUncertain } });
    world.answer = () => mumbles(true);
    await world.send(recordMessage({ id: '1' }));
    await world.run();
    await world.send(recordMessage({ id: '1' }), recordMessage({ id: '1' }));
    await world.run();
    expect(settledAs(world)).toEqual(['1: uncertain', '1: already-parked', '1: already-parked']);
    expect(world.posts).toHaveLength(1);
    expect(world.idStore.items('groups')).toMatchObject([
      { trouble: { kind: 'parked', reason: 'no-known-status 200' } },
    ]);
    expect(await world.letters()).toMatchObject([{ reason: 'uncertain', failure: { excerpt: '{"ok":1}' } }]);
  });

  it('is sent again by a person, and with other content', async () => {
    const world = loadWorld();
    world.answer = (_, index) => (index === 0 ? mumbles(false) : takes);
    await world.send(recordMessage({ id: '1' }));
    await world.run();
    await world.send(recordMessage({ id: '1', replayedMs: world.clock.nowMs() }));
    await world.run();
    expect(settledAs(world)).toEqual(['1: uncertain', '1: loaded']);
  });

  it('is not asked for again where its letter cannot be written: only the letter is', async () => {
    const world = loadWorld();
    const { deadLetters } = world.deps;
    let tries = 0;
    world.deps.deadLetters = {
      sendAll: async (all) => (++tries === 1 ? { failed: [0] } : deadLetters.sendAll(all)),
    };
    world.answer = () => mumbles(true);
    await world.send(recordMessage({ id: '1' }));
    await world.run();
    expect(world.posts).toHaveLength(1);
    expect(await world.letters()).toMatchObject([{ reason: 'uncertain', failure: { cause: 'no-known-status' } }]);
  });
});

it('a conflict after a doubt that is over waits as long as the target asks, and counts', () => {
  const over = { doubt: { hash: 'A', untilMs: NOW_MS - 1 }, trouble: trouble('uncertain') };
  const plan = {
    policy: { idCheck: false, onUncertain: 'resend' as const },
    retry: { maxAttempts: 3, baseMs: 1_000, capMs: 60_000 },
  };
  const endingOf = (outcome: Outcome, item: IdCheck & { claim: Claim }) =>
    settlementOf(item, recordMessage(), outcome, plan, NOW_MS, 0.5).ending;
  const asked: Outcome = { kind: 'conflict', failure, waitMs: 90_000 };
  expect(endingOf(asked, claimed(over))).toMatchObject({ why: 'status 409', delaySec: 90, message: { attempts: 1 } });
  expect(endingOf(conflict, claimed(over))).toMatchObject({ why: 'status 409', delaySec: 1, message: { attempts: 1 } });
  // While it may still be worked on, it only waits.
  expect(endingOf(asked, claimed({ ...over, doubt }))).toMatchObject({ why: 'conflict', message: { attempts: 0 } });
});
