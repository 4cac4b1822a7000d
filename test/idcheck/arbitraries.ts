import fc from 'fast-check';
import type { Ask, LoadPolicy } from '../../lib/idcheck/decide.ts';
import type { Claim, IdCheck, Trouble } from '../../lib/idcheck/item.ts';

// A small world, so that hashes and versions meet, and times lie on both sides of now and on it.
const hash = fc.constantFrom('A', 'B', 'C');
const tombstone = fc.constantFrom('deleted@1', 'deleted@2');
const versionMs = fc.integer({ min: 1, max: 4 });
/** A moment from 0 to 20; `NOW_MS` is in the middle. */
const moment = fc.integer({ min: 0, max: 20 });
export const NOW_MS = 10;

export const claims: fc.Arbitrary<Claim> = fc.record({
  owner: fc.constantFrom('worker-1', 'worker-2'),
  hash,
  versionMs,
  sinceMs: moment,
  untilMs: moment,
});

export const troubles: fc.Arbitrary<Trouble> = fc.record(
  {
    kind: fc.constantFrom('rejected', 'uncertain', 'parked', 'exhausted'),
    hash,
    versionMs,
    sinceMs: moment,
    reason: fc.constant('status 422'),
    letterMs: moment,
  },
  { requiredKeys: ['kind', 'hash', 'versionMs', 'sinceMs', 'reason'] },
);

/** Items in every state, the ones that should not come about as well. */
export const items: fc.Arbitrary<IdCheck> = fc.record(
  {
    id: fc.constant('1'),
    rev: fc.integer({ min: 1, max: 100 }),
    loaded: fc.record(
      { hash, versionMs, atMs: moment, unsureSinceMs: moment },
      { requiredKeys: ['hash', 'versionMs', 'atMs'] },
    ),
    deleted: fc.record({ hash: tombstone, versionMs, atMs: moment }),
    claim: claims,
    trouble: troubles,
    doubt: fc.record({ hash, untilMs: moment }),
    turn: fc.integer({ min: 1, max: 9 }),
  },
  { requiredKeys: ['id', 'rev'] },
);

export const asks: fc.Arbitrary<Ask> = fc.record(
  { hash: fc.oneof({ arbitrary: hash, weight: 4 }, tombstone), versionMs, refresh: fc.boolean(), replayedMs: moment },
  { requiredKeys: ['hash', 'versionMs', 'refresh'] },
);

export const policies: fc.Arbitrary<LoadPolicy> = fc.record({
  idCheck: fc.boolean(),
  onUncertain: fc.constantFrom('resend', 'park'),
});
