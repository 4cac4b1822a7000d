import { describe, expect, test } from 'vitest';
import { discarded, resent, resolved, withoutLetter } from '../../lib/idcheck/by-hand.ts';
import { classify } from '../../lib/idcheck/classify.ts';
import { decide } from '../../lib/idcheck/decide.ts';
import type { IdCheck, Trouble } from '../../lib/idcheck/item.ts';
import { withClaim } from '../../lib/idcheck/transitions.ts';

const NOW_MS = 1_000_000;
const loaded = { hash: 'old', versionMs: 1, atMs: 2 };
const trouble = (changes: Partial<Trouble> = {}): Trouble => ({
  kind: 'parked',
  hash: 'A',
  versionMs: 500,
  sinceMs: 600,
  reason: 'timeout',
  letterMs: 600,
  ...changes,
});
const parked: IdCheck = { id: '1', rev: 3, loaded, trouble: trouble(), doubt: { hash: 'A', untilMs: NOW_MS + 1 } };
const claim = { owner: 'w', hash: 'B', versionMs: 700, sinceMs: 700, untilMs: NOW_MS - 1 };

const itemOf = (stored: IdCheck, verdict: 'loaded' | 'not-loaded') => {
  const result = resolved(stored, verdict, NOW_MS);
  if (result.kind !== 'resolved') throw new Error(result.why);
  return result.item;
};

describe('loaded', () => {
  test('the content that was sent is what the target has', () => {
    expect(itemOf(parked, 'loaded')).toEqual({
      id: '1',
      rev: 4,
      turn: 1,
      loaded: { hash: 'A', versionMs: 500, atMs: NOW_MS, saidMs: NOW_MS },
    });
  });

  test('is about the content that was sent, not the newer one that asked', () => {
    const item = itemOf({ ...parked, trouble: trouble({ hash: 'newer' }) }, 'loaded');
    expect(item.loaded?.hash).toBe('A');
  });

  test('of a claim whose owner vanished is about what that owner sent', () => {
    expect(itemOf({ id: '1', rev: 1, claim }, 'loaded')).toEqual({
      id: '1',
      rev: 2,
      turn: 1,
      loaded: { hash: 'B', versionMs: 700, atMs: NOW_MS, saidMs: NOW_MS },
    });
  });
});

describe('not loaded', () => {
  test('leaves what was loaded before, no trouble or doubt, and the word that it is to be sent', () => {
    expect(itemOf(parked, 'not-loaded')).toEqual({ id: '1', rev: 4, loaded, toSend: { atMs: NOW_MS } });
  });

  test('lets the next message of the record through, although it is parked', () => {
    const ask = { hash: 'A', versionMs: 900, refresh: false };
    const policy = { idCheck: false, onUncertain: 'park' } as const;
    expect(decide(parked, ask, policy, NOW_MS).kind).not.toBe('claim');
    expect(decide(itemOf(parked, 'not-loaded'), ask, policy, NOW_MS)).toEqual({ kind: 'claim' });
  });
});

describe('there is nothing to resolve', () => {
  test.each<[string, IdCheck | undefined]>([
    ['unknown-id', undefined],
    ['not-uncertain', { id: '1', rev: 1, loaded }],
    ['not-uncertain', { id: '1', rev: 1, trouble: trouble({ kind: 'rejected' }) }],
    ['not-uncertain', { id: '1', rev: 1, trouble: trouble({ kind: 'exhausted' }) }],
    ['under-way', { ...parked, claim: { ...claim, untilMs: NOW_MS + 1 } }],
  ])('%s', (why, stored) => {
    expect(resolved(stored, 'loaded', NOW_MS)).toEqual({ kind: 'unresolvable', why });
    expect(resolved(stored, 'not-loaded', NOW_MS)).toEqual({ kind: 'unresolvable', why });
  });
});

describe('without its letter', () => {
  const rejected: IdCheck = { id: '1', rev: 3, loaded, trouble: trouble({ kind: 'rejected' }) };

  test('the item keeps its trouble and no longer waits for the letter', () => {
    expect(withoutLetter(rejected, 'A')).toEqual({
      id: '1',
      rev: 4,
      loaded,
      trouble: { kind: 'rejected', hash: 'A', versionMs: 500, sinceMs: 600, reason: 'timeout' },
    });
  });

  test.each<[string, IdCheck | undefined, string]>([
    ['another content', rejected, 'B'],
    ['no letter', { id: '1', rev: 1, trouble: { ...trouble(), letterMs: undefined } as unknown as Trouble }, 'A'],
    ['no item', undefined, 'A'],
  ])('an item with %s stays as it is', (_, stored, hash) => {
    expect(withoutLetter(stored, hash)).toBeUndefined();
  });
});

describe('sent again by a person', () => {
  const refused = (changes: Partial<Trouble> = {}): IdCheck => {
    const { letterMs: _, ...bare } = trouble({ kind: 'rejected', ...changes });
    return { id: '1', rev: 3, trouble: { ...bare, ...(changes.letterMs !== undefined && { letterMs: 600 }) } };
  };

  test('what was discarded is free for the next run, which its next claim forgets', () => {
    const given = discarded({ ...parked, trouble: trouble({ kind: 'rejected' }) }, 'A', 700);
    expect(given?.trouble).toMatchObject({ kind: 'rejected', discardedMs: 700 });
    expect(given?.trouble).not.toHaveProperty('letterMs');
    const result = resent(given, NOW_MS);
    expect(result).toMatchObject({ kind: 'resent', item: { rev: 5, loaded, toSend: { atMs: NOW_MS } } });
    if (result.kind !== 'resent') throw new Error(result.why);
    expect(result.item.trouble).toBeUndefined();
    const ask = { hash: 'A', versionMs: 900, refresh: false };
    const policy = { idCheck: false, onUncertain: 'park' } as const;
    expect(classify(given, 'A', policy, false).outcome).toBe('skipped');
    expect(classify(result.item, 'A', policy, false).outcome).toBe('enqueued');
    expect(decide(result.item, ask, policy, NOW_MS)).toEqual({ kind: 'claim' });
    expect(withClaim(result.item, '1', { ...claim, hash: 'A' }, undefined)).not.toHaveProperty('toSend');
  });

  test.each<[string, IdCheck | undefined]>([
    ['unknown-id', undefined],
    ['not-refused', { id: '1', rev: 1, loaded }],
    ['not-refused', { id: '1', rev: 1, trouble: trouble({ kind: 'exhausted' }) }],
    ['under-way', { ...refused(), claim: { ...claim, untilMs: NOW_MS + 1 } }],
    ['uncertain', { ...refused(), claim }],
    ['uncertain', parked],
    ['parent-refused', refused({ parentId: '5' })],
    ['letter-waits', refused({ letterMs: 600 })],
  ])('not what is otherwise: %s', (why, stored) => {
    expect(resent(stored, NOW_MS)).toEqual({ kind: 'unsendable', why });
  });
});
