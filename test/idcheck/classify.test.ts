import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classify, type Skip, skipReason } from '../../lib/idcheck/classify.ts';
import { decide, type LoadPolicy } from '../../lib/idcheck/decide.ts';
import type { IdCheck, TroubleKind } from '../../lib/idcheck/item.ts';
import { items, NOW_MS, policies } from './arbitraries.ts';

const item = (state: Omit<IdCheck, 'id' | 'rev'>): IdCheck => ({ id: '1', rev: 1, ...state });
const loaded = (hash: string) => ({ loaded: { hash, versionMs: 1, atMs: 1 } });
const unsure = (hash: string) => ({ loaded: { hash, versionMs: 1, atMs: 1, unsureSinceMs: 2 } });
const trouble = (kind: TroubleKind, hash: string) => ({
  trouble: { kind, hash, versionMs: 2, sinceMs: 5, reason: 'status 422' },
});
const claim = { claim: { owner: 'w', hash: 'A', versionMs: 2, sinceMs: 5, untilMs: 9 } };

const skip: LoadPolicy = { idCheck: true, onUncertain: 'resend' };
const overwrite: LoadPolicy = { idCheck: false, onUncertain: 'resend' };
const park = (policy: LoadPolicy): LoadPolicy => ({ ...policy, onUncertain: 'park' });

const changed = 'skipped: duplicate: changed, but the id is loaded already';
const refused = 'skipped: rejected before: status 422';
const parked = 'skipped: parked: nobody knows whether it was applied, a person decides';

/** A record of content A against what is known: under idCheck: true and false, then the same in a full refresh. */
const table: Array<{ known: string; item: IdCheck | undefined; skip: string; over: string; full: [string, string] }> = [
  { known: 'nothing', item: undefined, skip: 'create', over: 'create', full: ['create', 'create'] },
  {
    known: 'A loaded',
    item: item(loaded('A')),
    skip: 'unchanged',
    over: 'unchanged',
    full: ['unchanged', 'overwrite'],
  },
  { known: 'B loaded', item: item(loaded('B')), skip: changed, over: 'overwrite', full: [changed, 'overwrite'] },
  { known: 'a claim', item: item(claim), skip: 'create', over: 'create', full: ['create', 'create'] },
  {
    known: 'A loaded, a claim',
    item: item({ ...loaded('A'), ...claim }),
    skip: 'overwrite',
    over: 'overwrite',
    full: ['overwrite', 'overwrite'],
  },
  {
    known: 'A uncertain',
    item: item(trouble('uncertain', 'A')),
    skip: 'create',
    over: 'create',
    full: ['create', 'create'],
  },
  {
    known: 'A loaded, B uncertain',
    item: item({ ...loaded('A'), ...trouble('uncertain', 'B') }),
    skip: 'overwrite',
    over: 'overwrite',
    full: ['overwrite', 'overwrite'],
  },
  { known: 'A parked', item: item(trouble('parked', 'A')), skip: parked, over: parked, full: [parked, parked] },
  { known: 'B parked', item: item(trouble('parked', 'B')), skip: 'create', over: 'create', full: ['create', 'create'] },
  {
    known: 'A rejected',
    item: item(trouble('rejected', 'A')),
    skip: refused,
    over: refused,
    full: ['create', 'create'],
  },
  {
    known: 'B rejected',
    item: item(trouble('rejected', 'B')),
    skip: 'create',
    over: 'create',
    full: ['create', 'create'],
  },
  {
    known: 'B loaded, A rejected',
    item: item({ ...loaded('B'), ...trouble('rejected', 'A') }),
    skip: changed,
    over: refused,
    full: [changed, 'overwrite'],
  },
  {
    known: 'A loaded, B rejected',
    item: item({ ...loaded('A'), ...trouble('rejected', 'B') }),
    skip: 'unchanged',
    over: 'unchanged',
    full: ['unchanged', 'overwrite'],
  },
  {
    known: 'A unsure, B rejected',
    item: item({ ...unsure('A'), ...trouble('rejected', 'B') }),
    skip: 'overwrite',
    over: 'overwrite',
    full: ['overwrite', 'overwrite'],
  },
  {
    known: 'B unsure, A rejected',
    item: item({ ...unsure('B'), ...trouble('rejected', 'A') }),
    skip: refused,
    over: refused,
    full: ['overwrite', 'overwrite'],
  },
  {
    known: 'A exhausted',
    item: item(trouble('exhausted', 'A')),
    skip: 'create',
    over: 'create',
    full: ['create', 'create'],
  },
];

const words = (known: IdCheck | undefined, policy: LoadPolicy, full: boolean): string => {
  const end = classify(known, 'A', policy, full);
  if (end.outcome === 'enqueued') return end.as;
  return end.outcome === 'skipped' ? `skipped: ${skipReason(end.skip)}` : end.outcome;
};

describe('a record of content A', () => {
  it.each(table)('where $known is known: $skip; may it overwrite: $over; full refresh: $full', (row) => {
    expect(words(row.item, skip, false)).toBe(row.skip);
    expect(words(row.item, overwrite, false)).toBe(row.over);
    expect([words(row.item, skip, true), words(row.item, overwrite, true)]).toEqual(row.full);
  });

  it('of a parked id is left to a person under park, unless a claim is on it', () => {
    const left = item({ ...loaded('A'), ...trouble('parked', 'B') });
    for (const policy of [park(skip), park(overwrite)]) {
      expect(words(left, policy, false)).toBe(parked);
      expect(words(left, policy, true)).toBe(parked);
      expect(words({ ...left, ...claim }, policy, false)).toBe('overwrite');
    }
  });
});

describe('a record whose parent was refused', () => {
  const heldUp = { outcome: 'skipped', skip: { why: 'parent-rejected', parentId: '7' } };
  const forItsParent = item({ trouble: { ...trouble('rejected', 'A').trouble, parentId: '7' } });
  it.each([
    { known: 'nothing', item: undefined, expected: heldUp, full: { outcome: 'enqueued', as: 'create' } },
    {
      known: 'its own refusal for that',
      item: forItsParent,
      expected: heldUp,
      full: { outcome: 'enqueued', as: 'create' },
    },
    {
      known: 'other content loaded',
      item: item(loaded('B')),
      expected: heldUp,
      full: { outcome: 'enqueued', as: 'overwrite' },
    },
    {
      known: 'this content loaded',
      item: item(loaded('A')),
      expected: { outcome: 'unchanged' },
      full: { outcome: 'enqueued', as: 'overwrite' },
    },
  ])('with $known: $expected; in a full refresh: $full', ({ item: known, expected, full }) => {
    expect(classify(known, 'A', overwrite, false, '7')).toEqual(expected);
    expect(classify(known, 'A', overwrite, true, '7')).toEqual(full);
  });

  it('and whose own POST is in doubt is sent again with the content that was sent, and with no other', () => {
    for (const inDoubt of [
      item(trouble('uncertain', 'A')),
      item(claim),
      item({ ...claim, ...trouble('parked', 'A') }),
    ]) {
      expect(classify(inDoubt, 'A', overwrite, false, '7')).toEqual({ outcome: 'enqueued', as: 'create' });
      expect(classify(inDoubt, 'B', overwrite, false, '7')).toEqual(heldUp);
      expect(classify(inDoubt, 'B', overwrite, true, '7')).toEqual({ outcome: 'enqueued', as: 'create' });
    }
  });

  it('is sent where the vanished claim is on this content, whatever trouble came before', () => {
    const known = item({ ...claim, ...trouble('uncertain', 'B') });
    expect(classify(known, 'A', overwrite, false, '7')).toEqual({ outcome: 'enqueued', as: 'create' });
    expect(classify(known, 'B', overwrite, false, '7')).toEqual(heldUp);
  });

  it('is free as soon as the parent is', () => {
    expect(classify(forItsParent, 'A', overwrite, false)).toEqual({ outcome: 'enqueued', as: 'create' });
  });
});

describe('the words of the ledger', () => {
  it.each<[Skip, string]>([
    [{ why: 'parent-rejected', parentId: '7' }, 'parent 7 was rejected'],
    [{ why: 'parked' }, 'parked: nobody knows whether it was applied, a person decides'],
    [{ why: 'duplicate' }, 'duplicate: changed, but the id is loaded already'],
    [{ why: 'rejected-before', reason: 'status 422' }, 'rejected before: status 422'],
  ])('for %j are: %s', (why, words) => {
    expect(skipReason(why)).toBe(words);
  });
});

describe('whatever is known', () => {
  it('nothing is skipped or unchanged that the loader would POST', () => {
    fc.assert(
      fc.property(items, policies, fc.boolean(), (known, policy, refresh) => {
        if (classify(known, 'A', policy, refresh).outcome === 'enqueued') return;
        const ask = { hash: 'A', versionMs: 5, refresh };
        expect(decide(known, ask, policy, NOW_MS).kind).toBe('acknowledge');
      }),
      { numRuns: 2_000 },
    );
  });

  it('nothing is sent that is settled: loaded, refused or skipped, with nothing under way', () => {
    fc.assert(
      fc.property(items, policies, (known, policy) => {
        const ask = { hash: 'A', versionMs: 5, refresh: false };
        const decision = decide(known, ask, policy, NOW_MS);
        if (decision.kind !== 'acknowledge' || known.claim) return;
        expect(classify(known, 'A', policy, false).outcome).not.toBe('enqueued');
      }),
      { numRuns: 2_000 },
    );
  });
});
