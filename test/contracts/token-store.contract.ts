import { beforeEach, describe, expect, it } from 'vitest';
import type { StoredToken, TokenStore } from '../../lib/connection/auth/token.ts';

const token: StoredToken = { accessToken: 'one', obtainedAtMs: 1_000, expiresAtMs: 9_000, audience: 'okki' };
const other: StoredToken = { ...token, accessToken: 'two', obtainedAtMs: 2_000 };

/** What every token store keeps to. `create` gives an empty one. */
export const tokenStoreContract = (create: () => Promise<TokenStore> | TokenStore) => {
  describe('as a token store', () => {
    let store: TokenStore;
    beforeEach(async () => {
      store = await create();
    });
    const lock = (owner: string, nowMs: number, seenObtainedAtMs?: number) =>
      store.lock('okki', { owner, seenObtainedAtMs, nowMs, untilMs: nowMs + 100 });
    const save = async (stored: StoredToken, seenObtainedAtMs?: number) => {
      await lock('setup', 0, seenObtainedAtMs);
      await store.save('okki', 'setup', stored);
    };

    it('knows no token before one is saved, and each connection by itself', async () => {
      await save(token);
      expect(await store.read('other')).toBeUndefined();
      expect(await store.read('okki')).toEqual(token);
    });

    it('replaces a token whole', async () => {
      await save(token);
      await save(other, token.obtainedAtMs);
      expect(await store.read('okki')).toEqual(other);
    });

    it('gives the lock to one of 20 who want it at once', async () => {
      const results = await Promise.all(Array.from({ length: 20 }, (_, index) => lock(`worker ${index}`, 500)));
      expect(results.filter((result) => result === 'locked')).toHaveLength(1);
    });

    it('shows a lock without a token as no token', async () => {
      await lock('one', 500);
      expect(await store.read('okki')).toBeUndefined();
    });

    it('gives the lock to the next once its time has passed, not before', async () => {
      await lock('one', 500);
      expect(await lock('two', 599)).toBe('conflict');
      expect(await lock('two', 600)).toBe('locked');
    });

    it('refuses the lock to a worker that has not seen the stored token', async () => {
      await save(token);
      expect(await lock('one', 500)).toBe('conflict');
      expect(await lock('one', 500, 999)).toBe('conflict');
      expect(await lock('one', 500, token.obtainedAtMs)).toBe('locked');
    });

    it('refuses the lock to a worker that has seen a token where none is stored', async () => {
      expect(await lock('one', 500, 999)).toBe('conflict');
    });

    it('ends the lock with saving', async () => {
      await save(token);
      expect(await lock('two', 1, token.obtainedAtMs)).toBe('locked');
    });

    it('keeps the token of a worker whose lock another has taken over from being saved', async () => {
      await lock('one', 500);
      await lock('two', 600);
      expect(await store.save('okki', 'one', token)).toBe('conflict');
      expect(await store.read('okki')).toBeUndefined();
      expect(await store.save('okki', 'two', other)).toBe('saved');
      expect(await store.read('okki')).toEqual(other);
    });

    it('unlocks for its owner only', async () => {
      await save(token);
      await lock('one', 500, token.obtainedAtMs);
      await store.unlock('okki', 'two');
      expect(await lock('two', 501, token.obtainedAtMs)).toBe('conflict');
      await store.unlock('okki', 'one');
      expect(await lock('two', 502, token.obtainedAtMs)).toBe('locked');
      expect(await store.read('okki')).toEqual(token);
    });

    it('unlocks what is not locked without a word', async () => {
      await store.unlock('okki', 'one');
      expect(await store.read('okki')).toBeUndefined();
    });
  });
};
