import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../lib/idcheck/decide.ts';
import type { IdCheck, TroubleKind } from '../../lib/idcheck/item.ts';
import {
  addCounts,
  countEntries,
  fateOf,
  holds,
  isBalanced,
  noExtractCounts,
  noLoadCounts,
} from '../../lib/runs/books.ts';
import { extractOutcomes } from '../../lib/runs/ledger.ts';
import { asks, items, NOW_MS, policies } from '../idcheck/arbitraries.ts';

const item = (state: Omit<IdCheck, 'id' | 'rev'>): IdCheck => ({ id: '1', rev: 1, ...state });
const loaded = (hash: string, versionMs: number) => ({ loaded: { hash, versionMs, atMs: 1 } });
const deleted = (hash: string, versionMs: number) => ({ deleted: { hash, versionMs, atMs: 1 } });
const trouble = (kind: TroubleKind, hash: string, versionMs: number) => ({
  trouble: { kind, hash, versionMs, sinceMs: 1, reason: 'words' },
});
const claim = (hash: string, versionMs: number) => ({
  claim: { owner: 'w', hash, versionMs, sinceMs: 1, untilMs: 2 },
});

/** A run sent content A under version 2; `skip` under idCheck: true, `over` under idCheck: false. */
const fates: Array<[what: string, item: IdCheck | undefined, skip: string, over: string]> = [
  ['nothing', undefined, 'open', 'open'],
  ['no more than a revision', item({}), 'open', 'open'],
  ['A loaded', item(loaded('A', 2)), 'loaded', 'loaded'],
  ['A loaded before the run', item(loaded('A', 1)), 'loaded', 'loaded'],
  ['A unsure', item({ loaded: { hash: 'A', versionMs: 1, atMs: 1, unsureSinceMs: 1 } }), 'open', 'open'],
  ['A loaded by a later run', item(loaded('A', 3)), 'loaded', 'loaded'],
  ['A loaded, newer content claimed', item({ ...loaded('A', 2), ...claim('B', 3) }), 'loaded', 'loaded'],
  ['A loaded, a claim of the same run', item({ ...loaded('A', 1), ...claim('A', 2) }), 'open', 'open'],
  ['newer content loaded', item(loaded('B', 3)), 'superseded', 'superseded'],
  ['newer content claimed', item(claim('B', 3)), 'superseded', 'superseded'],
  ['newer content rejected', item(trouble('rejected', 'B', 3)), 'superseded', 'superseded'],
  ['other content loaded before', item(loaded('B', 1)), 'superseded', 'open'],
  ['a claim', item(claim('A', 2)), 'open', 'open'],
  ['other content loaded, a claim', item({ ...loaded('B', 1), ...claim('A', 2) }), 'open', 'open'],
  ['A rejected', item(trouble('rejected', 'A', 2)), 'rejected', 'rejected'],
  ['A rejected before the run', item(trouble('rejected', 'A', 1)), 'rejected', 'rejected'],
  ['A rejected, claimed again', item({ ...trouble('rejected', 'A', 2), ...claim('A', 2) }), 'open', 'open'],
  ['older content rejected', item(trouble('rejected', 'B', 1)), 'open', 'open'],
  ['A uncertain, on its way to be sent again', item(trouble('uncertain', 'A', 2)), 'open', 'open'],
  [
    'A uncertain, given up with a letter',
    item({ trouble: { ...trouble('uncertain', 'A', 2).trouble, letterMs: 1 } }),
    'uncertain',
    'uncertain',
  ],
  ['older content uncertain', item(trouble('uncertain', 'B', 1)), 'open', 'open'],
  ['A parked', item(trouble('parked', 'A', 2)), 'uncertain', 'uncertain'],
  ['other content of this version parked', item(trouble('parked', 'B', 2)), 'open', 'open'],
  ['A loaded, B of this version parked', item({ ...loaded('A', 2), ...trouble('parked', 'B', 2) }), 'open', 'open'],
  ['A exhausted', item(trouble('exhausted', 'A', 2)), 'open', 'open'],
  [
    'A loaded, other content in trouble',
    item({ ...loaded('A', 2), ...trouble('rejected', 'B', 1) }),
    'loaded',
    'loaded',
  ],
  ['B loaded, A rejected', item({ ...loaded('B', 1), ...trouble('rejected', 'A', 2) }), 'rejected', 'rejected'],
  ['B loaded, A exhausted', item({ ...loaded('B', 1), ...trouble('exhausted', 'A', 2) }), 'superseded', 'open'],
];

const keeps = { idCheck: true, onUncertain: 'resend' } as const;
const overwrites = { idCheck: false, onUncertain: 'resend' } as const;

describe('the fate of an enqueued record', () => {
  it.each([
    ['resend', 'B', 'open'],
    ['resend', 'A', 'uncertain'],
    ['park', 'B', 'uncertain'],
    ['park', 'A', 'uncertain'],
  ] as const)('under %s, with %s parked: %s, as the loader treats its message', (onUncertain, hash, fate) => {
    const known = item(trouble('parked', hash, 1));
    expect(fateOf(known, { id: '1', hash: 'A', versionMs: 2 }, { idCheck: false, onUncertain })).toBe(fate);
  });

  it.each(fates)('with %s: %s → %s, may it overwrite %s', (_what, known, skip, over) => {
    const sent = { id: '1', hash: 'A', versionMs: 2 };
    expect([fateOf(known, sent, keeps), fateOf(known, sent, overwrites)]).toEqual([skip, over]);
  });

  const letter = { letterMs: 1 };
  it.each<[what: string, item: IdCheck, refresh: boolean, fate: string]>([
    [
      'given up as uncertain before',
      item({ trouble: { ...trouble('uncertain', 'A', 1).trouble, ...letter } }),
      false,
      'open',
    ],
    [
      'refused before for its parent',
      item({ trouble: { ...trouble('rejected', 'A', 1).trouble, parentId: '5' } }),
      false,
      'open',
    ],
    [
      'refused now for its parent',
      item({ trouble: { ...trouble('rejected', 'A', 2).trouble, parentId: '5' } }),
      false,
      'rejected',
    ],
    ['refused before, a full refresh', item(trouble('rejected', 'A', 1)), true, 'open'],
    ['refused again by a full refresh', item(trouble('rejected', 'A', 2)), true, 'rejected'],
    ['loaded before, a full refresh', item(loaded('A', 1)), true, 'open'],
    ['loaded again by a full refresh', item(loaded('A', 2)), true, 'loaded'],
  ])('the state that a record was sent again to mend is no evidence: %s', (_what, known, refresh, fate) => {
    expect(fateOf(known, { id: '1', hash: 'A', versionMs: 2, refresh }, overwrites)).toBe(fate);
  });

  it.each<[what: string, item: IdCheck | undefined, fate: string]>([
    ['the id still loaded', item(loaded('A', 1)), 'open'],
    ['the id deleted', item(deleted('deleted@1', 2)), 'loaded'],
    ['the id deleted by another run’s deletion', item(deleted('deleted@0', 2)), 'loaded'],
    ['nothing to delete', item(trouble('rejected', 'A', 1)), 'superseded'],
    ['a doubt to be settled first', item(trouble('uncertain', 'A', 1)), 'open'],
    ['the id loaded again since', item(loaded('A', 3)), 'superseded'],
    ['the deletion refused', item({ ...loaded('A', 1), ...trouble('rejected', 'deleted@1', 2) }), 'rejected'],
  ])('of a deletion, with %s: %s → %s', (_what, known, fate) => {
    const sent = { id: '1', hash: 'deleted@1', versionMs: 2 };
    expect([fateOf(known, sent, keeps), fateOf(known, sent, overwrites)]).toEqual([fate, fate]);
  });

  it('is not open once the loader has acknowledged its message: nothing would close the books any more', () => {
    fc.assert(
      fc.property(items, asks, policies, (known, { hash, versionMs }, policy) => {
        const decision = decide(known, { hash, versionMs, refresh: false }, policy, NOW_MS);
        if (decision.kind !== 'acknowledge' || known.claim !== undefined) return;
        expect(fateOf(known, { id: '1', hash, versionMs }, policy)).not.toBe('open');
      }),
      { numRuns: 5_000 },
    );
  });

  it('is one of five, whatever is stored', () => {
    fc.assert(
      fc.property(fc.option(items, { nil: undefined }), fc.nat(5), policies, (known, versionMs, policy) => {
        expect(Object.keys(noLoadCounts())).toContain(fateOf(known, { id: '1', hash: 'A', versionMs }, policy));
      }),
    );
  });
});

const counts = fc.record({
  filtered: fc.nat(9),
  invalid: fc.nat(9),
  merged: fc.nat(9),
  unchanged: fc.nat(9),
  skipped: fc.nat(9),
  waiting: fc.nat(9),
  loaded: fc.nat(9),
  superseded: fc.nat(9),
  rejected: fc.nat(9),
  uncertain: fc.nat(9),
  open: fc.nat(9),
});
const balancedBooks = counts.map((some) => {
  const enqueued = some.loaded + some.superseded + some.rejected + some.uncertain + some.open;
  const fetched = some.filtered + some.invalid + some.merged + some.unchanged + some.skipped + some.waiting + enqueued;
  return { ...some, enqueued, fetched };
});

describe('the books', () => {
  it('hold when both sums do, and balance when nothing is open or waits as well', () => {
    fc.assert(
      fc.property(balancedBooks, (books) => {
        expect(holds(books)).toBe(true);
        expect(isBalanced({ counts: books })).toBe(books.open + books.waiting === 0);
      }),
    );
  });

  it('balance with what waits where all of that, and no more, was left out on purpose', () => {
    fc.assert(
      fc.property(balancedBooks, fc.nat(9), (books, leftOut) => {
        expect(isBalanced({ counts: books, leftOut })).toBe(books.open === 0 && books.waiting === leftOut);
      }),
    );
  });

  it('balance with deletions only where their sum holds, too, and none of them is open', () => {
    fc.assert(
      fc.property(
        balancedBooks,
        balancedBooks,
        (books, { enqueued, loaded, superseded, rejected, uncertain, open }) => {
          const right = {
            ...books,
            open: 0,
            waiting: 0,
            enqueued: books.enqueued - books.open,
            fetched: books.fetched - books.open - books.waiting,
          };
          const deletions = { enqueued, loaded, superseded, rejected, uncertain, open };
          expect(isBalanced({ counts: right, deletions })).toBe(open === 0);
          const settled = { ...deletions, open: 0, enqueued: enqueued - open };
          expect(isBalanced({ counts: right, deletions: settled })).toBe(true);
          expect(isBalanced({ counts: right, deletions: { ...settled, loaded: loaded + 1 } })).toBe(false);
          expect(isBalanced({ counts: { ...right, open: 1, enqueued: right.enqueued + 1 }, deletions: settled })).toBe(
            false,
          );
        },
      ),
    );
  });

  it('neither hold nor balance with one record more or less in any single count', () => {
    fc.assert(
      fc.property(balancedBooks, fc.constantFrom(1, -1), (books, difference) => {
        for (const key of Object.keys(books) as Array<keyof typeof books>) {
          const right = {
            ...books,
            open: 0,
            waiting: 0,
            enqueued: books.enqueued - books.open,
            fetched: books.fetched - books.open - books.waiting,
          };
          expect(isBalanced({ counts: right })).toBe(true);
          const broken = { ...right, [key]: right[key] + difference };
          expect(holds(broken)).toBe(false);
          expect(isBalanced({ counts: broken })).toBe(false);
        }
      }),
    );
  });

  it('count every entry of a ledger once, and once only', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...extractOutcomes)), fc.nat(20), (outcomes, cut) => {
        const entries = outcomes.map((outcome, index) => ({ id: String(index), outcome }));
        const all = countEntries(entries);
        expect(all.fetched).toBe(entries.length);
        for (const outcome of extractOutcomes) {
          expect(all[outcome]).toBe(entries.filter((entry) => entry.outcome === outcome).length);
        }
        expect(addCounts(countEntries(entries.slice(0, cut)), countEntries(entries.slice(cut)))).toEqual(all);
        expect(addCounts(all, noExtractCounts())).toEqual(all);
      }),
    );
  });
});
