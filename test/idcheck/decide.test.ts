import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Ask,
  type Decision,
  decide,
  type LoadPolicy,
  newestVersionMs,
  surelyLoaded,
} from '../../lib/idcheck/decide.ts';
import { isTombstone } from '../../lib/idcheck/hash.ts';
import type { IdCheck, TroubleKind } from '../../lib/idcheck/item.ts';
import { asks, items, NOW_MS as NOW, policies } from './arbitraries.ts';

/** What is stored of id 1; versions are v1 < v2 < v3, and every message of the table is of v2 unless it says otherwise. */
const [V1, V2, V3] = [1, 2, 3];
const item = (state: Omit<IdCheck, 'id' | 'rev'>): IdCheck => ({ id: '1', rev: 1, ...state });
const loaded = (hash: string, versionMs: number) => ({ loaded: { hash, versionMs, atMs: 4 } });
const claim = (hash: string, versionMs: number, untilMs: number) => ({
  claim: { owner: 'worker', hash, versionMs, sinceMs: 5, untilMs },
});
const trouble = (kind: TroubleKind, hash: string, versionMs: number) => ({
  trouble: { kind, hash, versionMs, sinceMs: 5, reason: 'words' },
});
const unsure = (hash: string, versionMs: number) => ({ loaded: { hash, versionMs, atMs: 4, unsureSinceMs: 5 } });
const doubt = (hash: string, untilMs: number) => ({ doubt: { hash, untilMs } });

const stored: Record<string, IdCheck | undefined> = {
  nothing: undefined,
  'no more than a revision': item({}),
  'A loaded at v1': item(loaded('A', V1)),
  'A loaded at v2': item(loaded('A', V2)),
  'A loaded at v3': item(loaded('A', V3)),
  'A loaded, first try of A may come': item({ ...loaded('A', V1), ...doubt('A', NOW + 1) }),
  'A loaded at v1 and deleted': item({ deleted: { hash: 'deleted@1', versionMs: V1, atMs: 4 } }),
  'A deleted at v3': item({ deleted: { hash: 'deleted@1', versionMs: V3, atMs: 4 } }),
  'A loaded, B rejected at v3': item({ ...loaded('A', V1), ...trouble('rejected', 'B', V3) }),
  'A loaded, its deletion rejected': item({ ...loaded('A', V1), ...trouble('rejected', 'deleted@1', V2) }),
  'A claimed, live': item(claim('A', V2, NOW + 1)),
  'A claimed at v3, live': item(claim('A', V3, NOW + 1)),
  'A claimed at v3, dead': item(claim('A', V3, NOW)),
  'A claimed, dead': item(claim('A', V2, NOW)),
  'X loaded, A claimed, dead': item({ ...loaded('X', V1), ...claim('A', V2, NOW) }),
  'A uncertain': item({ ...trouble('uncertain', 'A', V2), ...doubt('A', NOW) }),
  'A uncertain, may still come': item({ ...trouble('uncertain', 'A', V2), ...doubt('A', NOW + 1) }),
  'X loaded, A uncertain': item({ ...loaded('X', V1), ...trouble('uncertain', 'A', V2), ...doubt('A', NOW) }),
  'A parked': item({ ...trouble('parked', 'A', V2), ...doubt('A', NOW) }),
  'A parked, claimed again, dead': item({ ...trouble('parked', 'A', V2), ...claim('A', V2, NOW) }),
  'A rejected at v1': item(trouble('rejected', 'A', V1)),
  'A rejected at v2': item(trouble('rejected', 'A', V2)),
  'A rejected at v3': item(trouble('rejected', 'A', V3)),
  'A refused for its parent': item({ trouble: { ...trouble('rejected', 'A', V2).trouble, parentId: '7' } }),
  'B rejected at v3': item(trouble('rejected', 'B', V3)),
  'X loaded, A rejected': item({ ...loaded('X', V1), ...trouble('rejected', 'A', V1) }),
  'A loaded, its refresh rejected': item({ ...loaded('A', V1), ...trouble('rejected', 'A', V2) }),
  'A exhausted': item(trouble('exhausted', 'A', V2)),
  'A parked at v3': item(trouble('parked', 'A', V3)),
  'X unsure, A rejected': item({ ...unsure('X', V1), ...trouble('rejected', 'A', V1) }),
  'X unsure, A rejected at v3': item({ ...unsure('X', V1), ...trouble('rejected', 'A', V3) }),
  'X loaded, A exhausted': item({ ...loaded('X', V1), ...trouble('exhausted', 'A', V2) }),
};

const ask = (hash: string, more: Partial<Ask> = {}): Ask => ({ hash, versionMs: V2, refresh: false, ...more });
const messages: Record<string, Ask> = {
  A: ask('A'),
  B: ask('B'),
  X: ask('X'),
  deletion: ask('deleted@1'),
  'A, refresh': ask('A', { refresh: true }),
  'A, replayed': ask('A', { replayedMs: 5 }),
  'A, refresh replayed': ask('A', { refresh: true, replayedMs: 5 }),
  'A, newer refresh': ask('A', { refresh: true, versionMs: V3 }),
  'B, replayed': ask('B', { replayedMs: 5 }),
  'A, replayed before': ask('A', { replayedMs: 4 }),
};

const policiesByName: Record<string, LoadPolicy> = {
  'skip, resend': { idCheck: true, onUncertain: 'resend' },
  'skip, park': { idCheck: true, onUncertain: 'park' },
  'overwrite, resend': { idCheck: false, onUncertain: 'resend' },
  'overwrite, park': { idCheck: false, onUncertain: 'park' },
};

// `skip` is idCheck: true, `overwrite` is idCheck: false; `wait` means: put off until the claim or the doubt ends.
const table = `
stored                            | message            | skip, resend     | skip, park       | overwrite, resend | overwrite, park
nothing                           | A                  | claim            | claim            | claim             | claim
nothing                           | A, refresh         | claim            | claim            | claim             | claim
nothing                           | A, replayed        | claim            | claim            | claim             | claim
no more than a revision           | A                  | claim            | claim            | claim             | claim
A loaded at v1                    | A                  | already-loaded   | already-loaded   | already-loaded    | already-loaded
A loaded at v1                    | A, replayed        | already-loaded   | already-loaded   | already-loaded    | already-loaded
A loaded at v1                    | A, refresh         | already-loaded   | already-loaded   | claim             | claim
A loaded at v1                    | B                  | duplicate        | duplicate        | claim             | claim
A loaded at v1                    | B, replayed        | duplicate        | duplicate        | claim             | claim
A loaded at v2                    | A, refresh         | already-loaded   | already-loaded   | already-loaded    | already-loaded
A loaded at v2                    | B                  | duplicate        | duplicate        | claim             | claim
A loaded at v3                    | A                  | already-loaded   | already-loaded   | already-loaded    | already-loaded
A loaded at v3                    | A, refresh         | already-loaded   | already-loaded   | already-loaded    | already-loaded
A loaded at v3                    | B                  | superseded       | superseded       | superseded        | superseded
A loaded at v3                    | B, replayed        | superseded       | superseded       | superseded        | superseded
A loaded, first try of A may come | B                  | duplicate        | duplicate        | wait in-doubt     | wait in-doubt
A loaded, first try of A may come | A, refresh         | already-loaded   | already-loaded   | claim             | claim
A claimed, live                   | A                  | wait claimed     | wait claimed     | wait claimed      | wait claimed
A claimed, live                   | B                  | wait claimed     | wait claimed     | wait claimed      | wait claimed
A claimed, live                   | A, replayed        | wait claimed     | wait claimed     | wait claimed      | wait claimed
A claimed at v3, live             | A                  | wait claimed     | wait claimed     | wait claimed      | wait claimed
A claimed at v3, live             | B                  | superseded       | superseded       | superseded        | superseded
A claimed at v3, dead             | A                  | claim            | park             | claim             | park
A claimed at v3, dead             | B                  | superseded       | superseded       | superseded        | superseded
A claimed at v3, dead             | B, replayed        | superseded       | superseded       | superseded        | superseded
A claimed, dead                   | A                  | claim            | park             | claim             | park
A claimed, dead                   | B                  | claim            | park             | claim             | park
A claimed, dead                   | A, replayed        | claim            | claim            | claim             | claim
A claimed, dead                   | A, replayed before | claim            | park             | claim             | park
X loaded, A claimed, dead         | X                  | claim            | park             | claim             | park
A uncertain                       | A                  | claim            | park             | claim             | park
A uncertain                       | B                  | claim            | park             | claim             | park
A uncertain                       | A, refresh         | claim            | park             | claim             | park
A uncertain                       | A, replayed        | claim            | claim            | claim             | claim
A uncertain                       | A, replayed before | claim            | park             | claim             | park
A uncertain, may still come       | A                  | claim            | park             | claim             | park
A uncertain, may still come       | B                  | wait in-doubt    | park             | wait in-doubt     | park
A uncertain, may still come       | B, replayed        | wait in-doubt    | wait in-doubt    | wait in-doubt     | wait in-doubt
X loaded, A uncertain             | X                  | claim            | park             | claim             | park
A parked                          | A                  | already-parked   | already-parked   | already-parked    | already-parked
A parked                          | B                  | claim            | already-parked   | claim             | already-parked
A parked                          | A, replayed        | claim            | claim            | claim             | claim
A parked                          | A, replayed before | already-parked   | already-parked   | already-parked    | already-parked
A parked, claimed again, dead     | A                  | claim            | park             | claim             | park
A parked at v3                    | A                  | already-parked   | already-parked   | already-parked    | already-parked
A parked at v3                    | A, replayed        | claim            | claim            | claim             | claim
A parked at v3                    | B, replayed        | superseded       | superseded       | superseded        | superseded
A rejected at v2                  | A                  | already-rejected | already-rejected | already-rejected  | already-rejected
A rejected at v2                  | A, refresh         | already-rejected | already-rejected | already-rejected  | already-rejected
A rejected at v2                  | A, replayed        | claim            | claim            | claim             | claim
A rejected at v2                  | A, replayed before | already-rejected | already-rejected | already-rejected  | already-rejected
A rejected at v2                  | B                  | claim            | claim            | claim             | claim
A rejected at v1                  | A                  | already-rejected | already-rejected | already-rejected  | already-rejected
A rejected at v1                  | A, refresh         | claim            | claim            | claim             | claim
A rejected at v3                  | A                  | already-rejected | already-rejected | already-rejected  | already-rejected
A rejected at v3                  | A, replayed        | claim            | claim            | claim             | claim
A rejected at v3                  | B                  | superseded       | superseded       | superseded        | superseded
A refused for its parent          | A                  | claim            | claim            | claim             | claim
A loaded, B rejected at v3        | A                  | already-loaded   | already-loaded   | already-loaded    | already-loaded
A loaded, B rejected at v3        | X                  | superseded       | superseded       | superseded        | superseded
B rejected at v3                  | A                  | superseded       | superseded       | superseded        | superseded
X loaded, A rejected              | A                  | already-rejected | already-rejected | already-rejected  | already-rejected
X loaded, A rejected              | A, replayed        | duplicate        | duplicate        | claim             | claim
X loaded, A rejected              | A, refresh         | duplicate        | duplicate        | claim             | claim
X loaded, A rejected              | X                  | already-loaded   | already-loaded   | already-loaded    | already-loaded
X loaded, A rejected              | B                  | duplicate        | duplicate        | claim             | claim
A loaded, its refresh rejected    | A, refresh         | already-loaded   | already-loaded   | already-rejected  | already-rejected
A loaded, its refresh rejected    | A                  | already-loaded   | already-loaded   | already-loaded    | already-loaded
A loaded, its refresh rejected    | A, refresh replayed | already-loaded   | already-loaded   | claim             | claim
A loaded, its refresh rejected    | A, newer refresh   | already-loaded   | already-loaded   | claim             | claim
nothing                           | deletion           | claim            | claim            | claim             | claim
no more than a revision           | deletion           | already-deleted  | already-deleted  | already-deleted   | already-deleted
A loaded at v1                    | deletion           | claim            | claim            | claim             | claim
A loaded at v3                    | deletion           | superseded       | superseded       | superseded        | superseded
A loaded at v1 and deleted        | deletion           | already-deleted  | already-deleted  | already-deleted   | already-deleted
A loaded at v1 and deleted        | A                  | claim            | claim            | claim             | claim
A deleted at v3                   | A                  | superseded       | superseded       | superseded        | superseded
A loaded, its deletion rejected   | deletion           | already-rejected | already-rejected | already-rejected  | already-rejected
A rejected at v2                  | deletion           | already-deleted  | already-deleted  | already-deleted   | already-deleted
A exhausted                       | A                  | claim            | claim            | claim             | claim
A exhausted                       | B                  | claim            | claim            | claim             | claim
X loaded, A exhausted             | A                  | duplicate        | duplicate        | claim             | claim
X unsure, A rejected              | A                  | already-rejected | already-rejected | already-rejected  | already-rejected
X unsure, A rejected              | A, replayed        | claim            | claim            | claim             | claim
X unsure, A rejected              | X                  | claim            | claim            | claim             | claim
X unsure, A rejected              | B                  | claim            | claim            | claim             | claim
X unsure, A rejected              | deletion           | claim            | claim            | claim             | claim
X unsure, A rejected at v3        | X                  | superseded       | superseded       | superseded        | superseded
`;

const [head, ...rows] = table
  .trim()
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()));

const words = (decision: Decision): string => {
  if (decision.kind === 'acknowledge') return decision.as;
  return decision.kind === 'putOff' ? `wait ${decision.why}` : decision.kind;
};

const named = <Value>(from: Record<string, Value>, name: string | undefined): Value => {
  if (name === undefined || !(name in from)) throw new Error(`the table has no ${name}`);
  return from[name] as Value;
};

describe('the decision at claim', () => {
  it.each(rows)('%s; %s → %s | %s | %s | %s', (state, message, ...expected) => {
    const decided = head
      ?.slice(2)
      .map((policy) =>
        words(decide(named(stored, state), named(messages, message), named(policiesByName, policy), NOW)),
      );
    expect(decided).toEqual(expected);
  });

  it('puts off until the very end of the claim, or of the doubt', () => {
    const policy: LoadPolicy = { idCheck: false, onUncertain: 'resend' };
    expect(decide(stored['A claimed, live'], ask('A'), policy, NOW)).toMatchObject({ untilMs: NOW + 1 });
    expect(decide(stored['A uncertain, may still come'], ask('B'), policy, NOW)).toMatchObject({ untilMs: NOW + 1 });
  });
});

describe('whatever is stored and asked', () => {
  const anything = fc.tuple(fc.option(items, { nil: undefined }), asks, policies);
  const checked = (rule: (decision: Decision, stored: IdCheck | undefined, asked: Ask, policy: LoadPolicy) => void) =>
    fc.assert(
      fc.property(anything, ([known, asked, policy]) => rule(decide(known, asked, policy, NOW), known, asked, policy)),
      { numRuns: 2_000 },
    );
  const isInDoubt = (known: IdCheck) =>
    known.claim !== undefined || known.trouble?.kind === 'uncertain' || known.trouble?.kind === 'parked';
  const doubtSinceMs = (known: IdCheck) => known.claim?.sinceMs ?? known.trouble?.sinceMs ?? 0;

  it('never claims under a live claim', () => {
    checked(({ kind }, known) => {
      if (known?.claim && known.claim.untilMs > NOW) expect(kind).not.toBe('claim');
    });
  });

  it('never claims for content that is older than other content, settled or claimed', () => {
    checked(({ kind }, known, asked) => {
      const parts = [known?.loaded, known?.deleted, known?.claim, known?.trouble];
      const isOlder = parts.some((part) => part && part.hash !== asked.hash && part.versionMs > asked.versionMs);
      if (isOlder) expect(kind).toBe('acknowledge');
    });
  });

  it('knows the newest version that is settled or claimed', () => {
    checked((_decision, known) => {
      const parts = [known?.loaded, known?.deleted, known?.claim, known?.trouble];
      const versions = parts.flatMap((part) => (part ? [part.versionMs] : []));
      if (known) expect(newestVersionMs(known)).toBe(Math.max(0, ...versions));
    });
  });

  it('under park, claims what is in doubt only after a replay that came since', () => {
    checked(({ kind }, known, asked, policy) => {
      if (kind !== 'claim' || policy.onUncertain !== 'park' || !known || !isInDoubt(known)) return;
      expect(asked.replayedMs).toBeGreaterThanOrEqual(doubtSinceMs(known));
    });
  });

  it('never parks under resend', () => {
    checked(({ kind }, _known, _asked, policy) => {
      if (policy.onUncertain === 'resend') expect(kind).not.toBe('park');
    });
  });

  it('claims content that is loaded, and not in doubt, only for a newer full refresh that may overwrite', () => {
    checked(({ kind }, known, asked, policy) => {
      const sure = known && surelyLoaded(known);
      if (kind !== 'claim' || !known || isInDoubt(known) || sure?.hash !== asked.hash) return;
      expect(asked.refresh && !policy.idCheck && sure.versionMs < asked.versionMs).toBe(true);
    });
  });

  it('never claims an id that is surely loaded under idCheck: true, unless it is in doubt or to be deleted', () => {
    checked(({ kind }, known, asked, policy) => {
      if (!known || !surelyLoaded(known) || !policy.idCheck || isInDoubt(known) || isTombstone(asked.hash)) return;
      expect(kind).not.toBe('claim');
    });
  });

  it('never lets other content overtake a POST that may still be applied', () => {
    checked(({ kind }, known, asked) => {
      if (known?.doubt && known.doubt.hash !== asked.hash && known.doubt.untilMs > NOW) expect(kind).not.toBe('claim');
    });
  });

  it('waits until a known time, and at that time waits for something else or not at all', () => {
    checked((decision, known, asked, policy) => {
      if (decision.kind !== 'putOff') return;
      expect(decision.untilMs).toBeGreaterThan(NOW);
      const then = decide(known, asked, policy, decision.untilMs);
      if (then.kind === 'putOff') expect(then.why).not.toBe(decision.why);
    });
  });
});

describe('a claim that ends later than any claim can', () => {
  const claim = { owner: 'w', hash: 'A', versionMs: 1, sinceMs: NOW };
  const policy: LoadPolicy = { idCheck: false, onUncertain: 'park' };

  it.each([
    [60_000, 'putOff', 'putOff'],
    [3_600_000, 'park', 'claim'],
  ])('%i ms ahead: %s, and after such a doubt %s: a clock was wrong, nobody may be at it', (aheadMs, kind, other) => {
    expect(
      decide({ id: '1', rev: 1, claim: { ...claim, untilMs: NOW + aheadMs } }, ask('A'), policy, NOW),
    ).toMatchObject({ kind });
    const inDoubt: IdCheck = { id: '1', rev: 1, doubt: { hash: 'A', untilMs: NOW + aheadMs } };
    expect(decide(inDoubt, ask('B'), policy, NOW)).toMatchObject({ kind: other });
  });
});
