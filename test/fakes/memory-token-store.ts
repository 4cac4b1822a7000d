import type { StoredToken, TokenStore } from '../../lib/connection/auth/token.ts';
import { lasts, reachMs } from '../../lib/runtime/clock.ts';

type Entry = { token?: StoredToken; lock?: { owner: string; untilMs: number } };

/** Tokens in memory, shared by all who hold the store. */
export const memoryTokenStore = (): TokenStore => {
  const entries = new Map<string, Entry>();
  const entryOf = (connection: string): Entry => entries.get(connection) ?? {};
  return {
    read: async (connection) => entryOf(connection).token,
    lock: async (connection, { owner, seenObtainedAtMs, nowMs, untilMs }) => {
      const entry = entryOf(connection);
      const isLocked = entry.lock !== undefined && lasts(entry.lock.untilMs, nowMs, reachMs.tokenLock);
      if (isLocked || entry.token?.obtainedAtMs !== seenObtainedAtMs) return 'conflict';
      entries.set(connection, { ...entry, lock: { owner, untilMs } });
      return 'locked';
    },
    save: async (connection, owner, token) => {
      if (entryOf(connection).lock?.owner !== owner) return 'conflict';
      entries.set(connection, { token });
      return 'saved';
    },
    unlock: async (connection, owner) => {
      const { lock, ...rest } = entryOf(connection);
      if (lock?.owner === owner) entries.set(connection, rest);
    },
  };
};
