import { describe, expect, it, test } from 'vitest';
import { decideOnParent } from '../../lib/idcheck/decide.ts';
import type { IdCheck, Trouble } from '../../lib/idcheck/item.ts';

const loaded = { hash: 'A', versionMs: 1, atMs: 1 };
const trouble = (kind: Trouble['kind'], versionMs: number, parentId?: string): Trouble => ({
  kind,
  hash: 'A',
  versionMs,
  sinceMs: 1,
  reason: 'status 422',
  ...(parentId === undefined ? {} : { parentId }),
});
const claim = { owner: 'w', hash: 'A', versionMs: 5, sinceMs: 1, untilMs: 2 };
const item = (parts: Partial<IdCheck>): IdCheck => ({ id: '1', rev: 1, ...parts });
const rejected = (word: string) => ({ kind: 'rejected', reason: `parent 1 was ${word}` });

describe('a record of version 5 whose parent', () => {
  test.each<[string, IdCheck | undefined, object]>([
    ['is not known', undefined, { kind: 'wait' }],
    ['is being posted', item({ claim }), { kind: 'wait' }],
    ['is loaded', item({ loaded }), { kind: 'go' }],
    ['is loaded, with other content under way', item({ loaded, claim }), { kind: 'go' }],
    ['is loaded, with other content refused', item({ loaded, trouble: trouble('rejected', 5) }), { kind: 'go' }],
    ['was deleted', item({ deleted: loaded }), { kind: 'wait' }],
    ['was rejected', item({ trouble: trouble('rejected', 5) }), rejected('rejected')],
    ['was rejected by an earlier run', item({ trouble: trouble('rejected', 4) }), rejected('rejected')],
    ['was rejected and is posted again', item({ trouble: trouble('rejected', 5), claim }), { kind: 'wait' }],
    ['is uncertain', item({ trouble: trouble('uncertain', 5) }), { kind: 'wait' }],
    ['is parked', item({ trouble: trouble('parked', 4) }), rejected('left to a person')],
    ['was given up', item({ trouble: trouble('exhausted', 5) }), rejected('given up')],
    ['was given up by an earlier run, and is sent again', item({ trouble: trouble('exhausted', 4) }), { kind: 'wait' }],
    ['has itself a rejected parent', item({ trouble: trouble('rejected', 5, '0') }), rejected('rejected')],
    ['had one in an earlier run, and is sent again', item({ trouble: trouble('rejected', 4, '0') }), { kind: 'wait' }],
  ])('%s', (_, parent, expected) => {
    expect(decideOnParent(parent, { parentId: '1', versionMs: 5, refresh: false }, 'reject')).toEqual(expected);
  });

  it('was rejected before a full refresh waits for the parent to be sent again', () => {
    const parent = item({ trouble: trouble('rejected', 4) });
    expect(decideOnParent(parent, { parentId: '1', versionMs: 5, refresh: true }, 'reject')).toEqual({ kind: 'wait' });
  });

  it('was rejected goes all the same where the file says so', () => {
    const parent = item({ trouble: trouble('rejected', 5) });
    expect(decideOnParent(parent, { parentId: '1', versionMs: 5, refresh: false }, 'root')).toEqual({ kind: 'go' });
  });
});
