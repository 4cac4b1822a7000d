import { beforeEach, describe, expect, it } from 'vitest';
import { type ConnectionHealth, type HealthStore, healthy } from '../../lib/connection/limit/health.ts';

const whole: ConnectionHealth = {
  tries: [
    { atMs: 1_000, well: 3 },
    { atMs: 2_000, failed: ['groups 1', 'groups 2'], isUnsent: true },
  ],
  unclear: { groups: 2 },
  rests: [
    { cause: 'down', why: 'refused', sinceMs: 2_000, probeAtMs: 4_000, failedProbes: 0, runs: [] },
    {
      cause: 'not-understood',
      integration: 'groups',
      why: 'no-known-status 200 <html>',
      sinceMs: 2_000,
      failedProbes: 1,
      failedMs: 3_000,
      probe: { owner: 'one', untilMs: 9_000 },
      runs: [{ integration: 'groups', runId: 'groups-1' }],
    },
  ],
};

/** What every store of a connection's health keeps to. `create` gives an empty one. */
export const healthStoreContract = (create: () => Promise<HealthStore> | HealthStore) => {
  describe('as a store of health', () => {
    let store: HealthStore;
    beforeEach(async () => {
      store = await create();
    });

    it('takes a connection of which nothing is stored for healthy', async () => {
      await store.write('crm', whole, 0);
      expect(await store.read('okki')).toEqual({ rev: 0, health: healthy });
    });

    it('gives back all that was written, under the next revision', async () => {
      expect(await store.write('okki', whole, 0)).toBe('written');
      expect(await store.read('okki')).toEqual({ rev: 1, health: whole });
      expect(await store.write('okki', healthy, 1)).toBe('written');
      expect(await store.read('okki')).toEqual({ rev: 2, health: healthy });
    });

    it('refuses a write of who has not seen what is stored', async () => {
      expect(await store.write('okki', whole, 1)).toBe('conflict');
      await store.write('okki', whole, 0);
      expect(await store.write('okki', healthy, 0)).toBe('conflict');
      expect(await store.write('okki', healthy, 2)).toBe('conflict');
      expect(await store.read('okki')).toEqual({ rev: 1, health: whole });
    });

    it('lets one of 20 writes at once through', async () => {
      await store.write('okki', healthy, 0);
      const results = await Promise.all(Array.from({ length: 20 }, () => store.write('okki', whole, 1)));
      expect(results.filter((result) => result === 'written')).toHaveLength(1);
    });
  });
};
