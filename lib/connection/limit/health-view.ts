import { type Backoff, backoffMs } from '../../runtime/backoff.ts';
import { type Clock, isRecent } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';
import { type ConnectionHealth, type HealthStore, healthy, type StoredHealth } from './health.ts';

/** What this worker knows of the health of connections, and tells the others. */
export type HealthView = {
  /** What all workers know, at most a second old. Throws where the store cannot be reached. */
  look(connection: string): Promise<ConnectionHealth>;
  /** What was last seen of it, without asking. */
  known(connection: string): ConnectionHealth;
  /** Changes what all know; `next` gives undefined where nothing is to be changed. Throws as `look` does. */
  change(
    connection: string,
    next: (health: ConnectionHealth) => ConnectionHealth | undefined,
  ): Promise<{ before: ConnectionHealth; after: ConnectionHealth }>;
  /** Remembers records that went well: nobody is told while nothing fails. */
  noteWell(connection: string, integration: string, records: number): void;
  /** How many were remembered so lately that they still count; they are forgotten with that. */
  takeWell(connection: string, integration: string, windowMs: number): number;
};

/** All workers learn of a rest within this time, and each asks no more often. */
const LOOK_EVERY_MS = 1_000;
/** A round trip is a few ms: the losers of a race come back spread over some of them. */
const CONTENTION_BACKOFF: Backoff = { baseMs: 20, capMs: 500 };
const MAX_TRIES = 12;
/** Seconds of successes that are remembered: longer than any window. */
const MAX_NOTED = 600;

/** Opens the view of one process. While all is well it costs one read a second at most, and no write. */
export const healthView = (store: HealthStore, { clock, random }: { clock: Clock; random: Random }): HealthView => {
  const looks = new Map<string, { atMs: number; stored: Promise<StoredHealth> }>();
  const last = new Map<string, ConnectionHealth>();
  const well = new Map<string, { atMs: number; records: number }[]>();

  const keep = (connection: string, stored: StoredHealth): StoredHealth => {
    last.set(connection, stored.health);
    return stored;
  };
  const read = async (connection: string): Promise<StoredHealth> => keep(connection, await store.read(connection));
  const known = (connection: string): ConnectionHealth => last.get(connection) ?? healthy;
  const wellKey = (connection: string, integration: string): string => JSON.stringify([connection, integration]);

  return {
    look: async (connection) => {
      const before = looks.get(connection);
      if (before !== undefined && isRecent(before.atMs, clock.nowMs(), LOOK_EVERY_MS)) {
        await before.stored;
        return known(connection);
      }
      const stored = read(connection);
      looks.set(connection, { atMs: clock.nowMs(), stored });
      // A failed read is thrown to those who wait for it, and not kept.
      stored.catch(() => looks.delete(connection));
      return (await stored).health;
    },
    known,
    change: async (connection, next) => {
      for (let tries = 1; ; tries++) {
        const { rev, health: before } = await read(connection);
        const after = next(before);
        if (after === undefined || after === before) return { before, after: before };
        const result = await store.write(connection, after, rev);
        if (result === 'written') {
          keep(connection, { rev: rev + 1, health: after });
          return { before, after };
        }
        if (tries === MAX_TRIES) throw new Error(`the health of ${connection} keeps changing`);
        await clock.sleep(backoffMs(tries, random.fraction(), CONTENTION_BACKOFF));
      }
    },
    noteWell: (connection, integration, records) => {
      const key = wellKey(connection, integration);
      const noted = well.get(key) ?? [];
      const atMs = Math.floor(clock.nowMs() / LOOK_EVERY_MS) * LOOK_EVERY_MS;
      const newest = noted.at(-1);
      if (newest?.atMs === atMs) newest.records += records;
      else well.set(key, [...noted.slice(-MAX_NOTED), { atMs, records }]);
    },
    takeWell: (connection, integration, windowMs) => {
      const key = wellKey(connection, integration);
      const noted = well.get(key) ?? [];
      well.delete(key);
      return noted.reduce((sum, { atMs, records }) => sum + (isRecent(atMs, clock.nowMs(), windowMs) ? records : 0), 0);
    },
  };
};
