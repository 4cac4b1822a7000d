import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../lib/idcheck/decide.ts';
import type { Claim, IdCheck, TroubleKind } from '../../lib/idcheck/item.ts';
import {
  asLoaded,
  asOrphaned,
  asParked,
  asReleased,
  asTrouble,
  waitingLetterMs,
  withClaim,
  withLetter,
} from '../../lib/idcheck/transitions.ts';
import { claims, items, NOW_MS, troubles } from './arbitraries.ts';

const claimed = fc.tuple(items, claims).map(([item, claim]): IdCheck & { claim: Claim } => ({ ...item, claim }));
const DAY_MS = 86_400_000;

describe('every write', () => {
  it('raises the revision by one', () => {
    fc.assert(
      fc.property(claimed, troubles, (item, { kind, reason }) => {
        const next = [
          withClaim(item, item.id, item.claim, undefined),
          asLoaded(item, NOW_MS),
          asTrouble(item, { kind, reason }, undefined, NOW_MS),
          asParked(item, { hash: 'A', versionMs: 1 }, NOW_MS, NOW_MS),
          asReleased(item),
        ];
        for (const { rev, id } of next) expect([rev, id]).toEqual([item.rev + 1, item.id]);
      }),
    );
  });

  it('leaves the item that it was given as it was', () => {
    fc.assert(
      fc.property(claimed, (item) => {
        const before = structuredClone(item);
        asLoaded(item, NOW_MS);
        asTrouble(item, { kind: 'uncertain', reason: 'timeout' }, 1, NOW_MS);
        asReleased(withClaim(item, item.id, item.claim, undefined));
        asParked(item, { hash: 'A', versionMs: 1 }, NOW_MS, NOW_MS);
        expect(item).toEqual(before);
      }),
    );
  });
});

describe('withClaim', () => {
  it('starts an unknown id at revision 1 with nothing but the claim', () => {
    fc.assert(
      fc.property(claims, (claim) => {
        expect(withClaim(undefined, '7', claim, undefined)).toStrictEqual({ id: '7', rev: 1, claim });
      }),
    );
  });

  it('keeps what was loaded, refused and doubted where no claim was before', () => {
    fc.assert(
      fc.property(items, claims, ({ claim: _, ...item }, claim) => {
        const { turn: _turn, ...next } = withClaim(item, item.id, claim, undefined);
        const { turn: _before, ...before } = item;
        expect(next).toEqual({ ...before, rev: item.rev + 1, claim });
      }),
    );
  });

  it('turns a claim whose owner vanished into doubt, which outlives the new claim', () => {
    fc.assert(
      fc.property(claimed, claims, (item, claim) => {
        const { hash, versionMs, sinceMs, untilMs } = item.claim;
        const released = asReleased(withClaim(item, item.id, claim, undefined));
        expect(released).toMatchObject({
          trouble: { kind: 'uncertain', hash, versionMs, sinceMs, reason: 'worker-vanished' },
          doubt: { hash, untilMs },
        });
        const again = { hash, versionMs: 9, refresh: false };
        expect(decide(released, again, { idCheck: false, onUncertain: 'park' }, NOW_MS).kind).toBe('park');
      }),
    );
  });

  it('remembers a letter that waits for the content of the vanished owner, and no other', () => {
    const claim: Claim = { owner: 'a', hash: 'A', versionMs: 1, sinceMs: 1, untilMs: 2 };
    const trouble = { kind: 'rejected', versionMs: 1, sinceMs: 1, reason: 'status 422', letterMs: 5 } as const;
    const of = (hash: string) =>
      withClaim({ id: '1', rev: 1, claim, trouble: { ...trouble, hash } }, '1', claim, undefined);
    expect(of('A').trouble?.letterMs).toBe(5);
    expect(of('B').trouble).not.toHaveProperty('letterMs');
    const { letterMs: _, ...unwritten } = trouble;
    const none = withClaim({ id: '1', rev: 1, claim, trouble: { ...unwritten, hash: 'A' } }, '1', claim, undefined);
    expect(none.trouble).not.toHaveProperty('letterMs');
  });

  it.each([
    { replayed: 'not at all', replayedMs: undefined, letterMs: 5 },
    { replayed: 'before the letter was written', replayedMs: 4, letterMs: 5 },
    { replayed: 'at its very moment', replayedMs: 5, letterMs: undefined },
    { replayed: 'since', replayedMs: 6, letterMs: undefined },
  ])('knows that the letter it was replayed from is gone: $replayed → $letterMs', ({ replayedMs, letterMs }) => {
    const claim: Claim = { owner: 'a', hash: 'A', versionMs: 1, sinceMs: 7, untilMs: 9 };
    const trouble = { kind: 'parked', hash: 'A', versionMs: 1, sinceMs: 1, reason: 'timeout', letterMs: 5 } as const;
    const next = withClaim({ id: '1', rev: 1, trouble }, '1', claim, replayedMs);
    expect(next.trouble).toMatchObject({ kind: 'parked', hash: 'A', reason: 'timeout' });
    expect(next.trouble?.letterMs).toBe(letterMs);
    const vanished = withClaim({ id: '1', rev: 1, claim, trouble }, '1', claim, replayedMs);
    expect(vanished.trouble?.letterMs).toBe(letterMs);
  });
});

describe('asLoaded', () => {
  it('ends claim and trouble, keeps a doubt that is not over, and holds exactly the content that was claimed', () => {
    fc.assert(
      fc.property(claimed, (item) => {
        const { hash, versionMs } = item.claim;
        const next = asLoaded(item, NOW_MS);
        expect(next.trouble).toBeUndefined();
        const doubt = item.doubt !== undefined && item.doubt.untilMs > NOW_MS ? { doubt: item.doubt } : {};
        const turn = (item.turn ?? 0) + 1;
        expect(next).toEqual({
          id: item.id,
          rev: item.rev + 1,
          turn,
          loaded: { hash, versionMs, atMs: NOW_MS },
          ...doubt,
        });
      }),
    );
  });
});

describe('the turn, part of the Idempotency-Key', () => {
  const claimOf = (hash: string): Claim => ({ owner: 'w', hash, versionMs: 9, sinceMs: 1, untilMs: 5 });
  const claimedBy = (stored: IdCheck | undefined, hash: string) => {
    const claim = claimOf(hash);
    return { ...withClaim(stored, '1', claim, undefined), claim };
  };
  const uncertain = (stored: IdCheck | undefined, hash: string) =>
    asTrouble(claimedBy(stored, hash), { kind: 'uncertain', reason: 'timeout' }, undefined, NOW_MS);

  it('sets content that comes back after other content apart from its first time', () => {
    const first = claimedBy(undefined, 'A');
    const second = claimedBy(asLoaded(first, NOW_MS), 'B');
    const third = claimedBy(asLoaded(second, NOW_MS), 'A');
    expect([first.turn, second.turn, third.turn]).toEqual([undefined, 1, 2]);
  });

  it('stays while the same content is sent again: after an unknown outcome, a vanished worker, a release', () => {
    expect(claimedBy(uncertain(undefined, 'A'), 'A').turn).toBeUndefined();
    expect(claimedBy(claimedBy(undefined, 'A'), 'A').turn).toBeUndefined();
    expect(claimedBy(asReleased(claimedBy(undefined, 'A')), 'A').turn).toBeUndefined();
  });

  it('stays when a worker vanished with content that had taken the turn of other content in doubt', () => {
    const vanished = claimedBy(uncertain(undefined, 'A'), 'B');
    expect([vanished.turn, claimedBy(vanished, 'B').turn]).toEqual([1, 1]);
  });

  it('grows when content in doubt gives way to other content', () => {
    const other = uncertain(uncertain(undefined, 'A'), 'B');
    expect([other.turn, claimedBy(other, 'A').turn]).toEqual([1, 2]);
    expect(claimedBy(claimedBy(undefined, 'A'), 'B').turn).toBe(1);
  });

  it('grows by what was sent, not by what asks: other content that was parked meanwhile is not what is in doubt', () => {
    const asked = asParked(uncertain(undefined, 'A'), { hash: 'B', versionMs: 9 }, undefined, NOW_MS);
    expect([claimedBy(asked, 'A').turn, claimedBy(asked, 'B').turn]).toEqual([undefined, 1]);
  });

  it('grows although the content in doubt was refused when it was sent again', () => {
    const refused = asTrouble(
      claimedBy(uncertain(undefined, 'A'), 'A'),
      { kind: 'rejected', reason: '422' },
      1,
      NOW_MS,
    );
    expect([claimedBy(refused, 'A').turn, claimedBy(refused, 'B').turn]).toEqual([undefined, 1]);
  });
});

describe('asLoaded of a deletion', () => {
  it('leaves the id deleted and loaded no more', () => {
    fc.assert(
      fc.property(claimed, (item) => {
        const claim = { ...item.claim, hash: 'deleted@1' };
        const { deleted, loaded, trouble } = asLoaded({ ...item, claim }, NOW_MS);
        expect(deleted).toEqual({ hash: 'deleted@1', versionMs: claim.versionMs, atMs: NOW_MS });
        expect([loaded, trouble]).toEqual([undefined, undefined]);
      }),
    );
  });
});

describe('asOrphaned', () => {
  const ask = { id: '7', hash: 'A', versionMs: 3, parentId: '5' };
  const trouble = {
    kind: 'rejected',
    hash: 'A',
    versionMs: 3,
    sinceMs: NOW_MS,
    reason: 'parent refused',
    parentId: '5',
  };
  it('refuses the content for its parent, and keeps all else', () => {
    fc.assert(
      fc.property(items, (item) => {
        expect(asOrphaned(item, ask, 'parent refused', NOW_MS)).toEqual({ ...item, rev: item.rev + 1, trouble });
      }),
    );
    expect(asOrphaned(undefined, ask, 'parent refused', NOW_MS)).toEqual({ id: '7', rev: 1, trouble });
  });
});

describe('asTrouble', () => {
  it('ends the claim and keeps what the target had before', () => {
    fc.assert(
      fc.property(claimed, troubles, fc.option(fc.nat(), { nil: undefined }), (some, { kind, reason }, letterMs) => {
        const { trouble: _, ...item } = some;
        const { hash, versionMs, untilMs } = item.claim;
        const next = asTrouble(item, { kind, reason }, letterMs, NOW_MS);
        const letter = letterMs === undefined ? {} : { letterMs };
        expect(next.trouble).toStrictEqual({ kind, reason, hash, versionMs, sinceMs: NOW_MS, ...letter });
        expect(next.loaded).toEqual(item.loaded);
        expect(next).not.toHaveProperty('claim');
        const mayComeYet = kind === 'uncertain' || kind === 'parked';
        expect(next.doubt).toEqual(mayComeYet ? { hash, untilMs } : item.doubt);
      }),
    );
  });

  const troubled = (kind: TroubleKind): IdCheck & { claim: Claim } => ({
    id: '1',
    rev: 1,
    loaded: { hash: 'A', versionMs: 1, atMs: 1 },
    claim: { owner: 'w', hash: 'B', versionMs: 2, sinceMs: 3, untilMs: 4 },
    trouble: { kind, hash: 'B', versionMs: 2, sinceMs: 2, reason: 'timeout' },
  });
  it.each<[before: TroubleKind, now: TroubleKind, isUnsure: boolean]>([
    ['uncertain', 'rejected', true],
    ['uncertain', 'exhausted', true],
    ['parked', 'rejected', true],
    ['parked', 'exhausted', true],
    ['uncertain', 'uncertain', false],
    ['uncertain', 'parked', false],
    ['rejected', 'rejected', false],
    ['exhausted', 'rejected', false],
  ])('that was %s and is %s now leaves what was loaded unsure: %s', (kind, now, isUnsure) => {
    const { loaded } = asTrouble(troubled(kind), { kind: now, reason: 'words' }, undefined, NOW_MS);
    expect(loaded).toStrictEqual({ hash: 'A', versionMs: 1, atMs: 1, ...(isUnsure ? { unsureSinceMs: NOW_MS } : {}) });
  });

  it('makes nothing unsure where nothing was loaded', () => {
    const { loaded: _, ...never } = troubled('uncertain');
    expect(asTrouble(never, { kind: 'rejected', reason: '422' }, 1, NOW_MS)).not.toHaveProperty('loaded');
  });

  it('remembers since when what was loaded is unsure, until something is loaded', () => {
    const unsure = asTrouble(troubled('uncertain'), { kind: 'rejected', reason: '422' }, 1, 7);
    const claim: Claim = { owner: 'w', hash: 'A', versionMs: 3, sinceMs: 8, untilMs: 9 };
    const again = asTrouble({ ...unsure, claim }, { kind: 'uncertain', reason: 'timeout' }, undefined, 9);
    expect(asTrouble({ ...again, claim }, { kind: 'exhausted', reason: '401' }, 1, 10).loaded?.unsureSinceMs).toBe(7);
    expect(asLoaded({ ...again, claim }, 11).loaded).toStrictEqual({ hash: 'A', versionMs: 3, atMs: 11 });
  });
});

describe('asParked', () => {
  it('parks the content that was asked for, and keeps the doubt with the content that was sent', () => {
    fc.assert(
      fc.property(items, (item) => {
        const next = asParked(item, { hash: 'asked', versionMs: 9 }, 6, 7);
        const reason = item.claim ? 'worker-vanished' : (item.trouble?.reason ?? 'uncertain');
        expect(next.trouble).toEqual({
          kind: 'parked',
          hash: 'asked',
          versionMs: 9,
          sinceMs: 7,
          reason,
          letterMs: 6,
        });
        expect(next.doubt).toEqual(item.claim ? { hash: item.claim.hash, untilMs: item.claim.untilMs } : item.doubt);
        expect(next.loaded).toEqual(item.loaded);
        expect(next).not.toHaveProperty('claim');
      }),
    );
  });
});

it('asParked under an older version than is known keeps the newest', () => {
  const loaded = { hash: 'B', versionMs: 12, atMs: 1 };
  expect(asParked({ id: '1', rev: 1, loaded }, { hash: 'A', versionMs: 9 }, 6, 7).trouble?.versionMs).toBe(12);
});

it('asParked without a letter yet says so', () => {
  const parked = asParked({ id: '1', rev: 1 }, { hash: 'A', versionMs: 9 }, undefined, 7);
  expect(parked.trouble).toStrictEqual({ kind: 'parked', hash: 'A', versionMs: 9, sinceMs: 7, reason: 'uncertain' });
});

it('withLetter notes when the letter was written, forgets that one was discarded, and changes nothing else', () => {
  fc.assert(
    fc.property(items, (item) => {
      const { trouble } = item;
      const discarded = { ...item, ...(trouble && { trouble: { ...trouble, discardedMs: 98 } }) };
      const written = trouble && { trouble: { ...trouble, letterMs: 99 } };
      expect(withLetter(discarded, 99)).toEqual({ ...item, rev: item.rev + 1, ...written });
    }),
  );
});

describe('asReleased', () => {
  it('takes the claim away and nothing else', () => {
    fc.assert(
      fc.property(claimed, ({ claim, ...item }) => {
        expect(asReleased({ ...item, claim })).toEqual({ ...item, rev: item.rev + 1 });
      }),
    );
  });
});

describe('a letter that waits already', () => {
  const nowMs = 100 * DAY_MS;
  const troubled = (letterMs: number | undefined): IdCheck => ({
    id: '1',
    rev: 1,
    trouble: {
      kind: 'rejected',
      hash: 'A',
      versionMs: 1,
      sinceMs: 1,
      reason: 'status 422',
      ...(letterMs === undefined ? {} : { letterMs }),
    },
  });
  it.each([
    { what: 'of this content', item: troubled(nowMs - 1), waits: true },
    { what: 'of other content', item: troubled(nowMs - 1), hash: 'B', waits: false },
    { what: 'that was never written', item: troubled(undefined), waits: false },
    { what: 'of an item without trouble', item: { id: '1', rev: 1 }, waits: false },
    { what: 'just younger than 14 days', item: troubled(nowMs - 14 * DAY_MS + 1), waits: true },
    { what: 'of 14 days, gone with the retention', item: troubled(nowMs - 14 * DAY_MS), waits: false },
    { what: 'replayed before it was written', item: troubled(nowMs - 5), replayedMs: nowMs - 6, waits: true },
    { what: 'replayed at its very moment', item: troubled(nowMs - 5), replayedMs: nowMs - 5, waits: false },
    { what: 'replayed since', item: troubled(nowMs - 5), replayedMs: nowMs - 1, waits: false },
  ])('$what: $waits', ({ item, hash = 'A', replayedMs, waits }) => {
    const letterMs = waitingLetterMs(item, hash, replayedMs, nowMs);
    expect(letterMs).toBe(waits ? item.trouble?.letterMs : undefined);
  });
});
