import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentHash, isTombstone, tombstoneHash } from '../../lib/idcheck/hash.ts';

describe('the hash of a deletion', () => {
  it('differs for each content that was loaded, and never equals the hash of a content', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.jsonValue(), (a, b, content) => {
        expect(isTombstone(tombstoneHash(a))).toBe(true);
        expect(tombstoneHash(a) === tombstoneHash(b)).toBe(a === b);
        expect(isTombstone(contentHash(content as never))).toBe(false);
      }),
    );
    expect(isTombstone('')).toBe(false);
  });
});
