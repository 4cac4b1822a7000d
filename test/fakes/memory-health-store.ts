import { type HealthStore, healthy, type StoredHealth } from '../../lib/connection/limit/health.ts';

/** What is known of connections, in memory, shared by all who hold the store. */
export const memoryHealthStore = (): HealthStore => {
  const known = new Map<string, StoredHealth>();
  const stored = (connection: string): StoredHealth => known.get(connection) ?? { rev: 0, health: healthy };
  return {
    read: async (connection) => structuredClone(stored(connection)),
    write: async (connection, health, rev) => {
      if (stored(connection).rev !== rev) return 'conflict';
      known.set(connection, { rev: rev + 1, health: structuredClone(health) });
      return 'written';
    },
  };
};
