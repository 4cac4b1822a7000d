import { type Backoff, backoffMs } from '../../runtime/backoff.ts';
import { type Clock, isRecent } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';

/**
 * What the end of one request says of the system that it went to.
 *
 * - `well`: it answered, in words that are understood; a refusal is such an answer.
 * - `down`: no answer came, or only its gateway answered.
 * - `unsent`: there was no connection, so nothing was sent: that says nothing of the record.
 * - `unclear`: it answered, and nobody can tell what that means.
 * - `refused`: it refuses login or signature, whatever the record is.
 */
export type Sign = 'well' | 'down' | 'unsent' | 'unclear' | 'refused';

/** Why nothing but one record at a time is sent. */
export const restCauses = ['down', 'not-understood', 'refused'] as const;
export type RestCause = (typeof restCauses)[number];

/** Nothing is sent but one record, the probe, now and then. */
export type Rest = {
  cause: RestCause;
  /** Whose records rest; absent: all that go over the connection. */
  integration?: string;
  /** The failure in its own words, without secrets. */
  why: string;
  sinceMs: number;
  /** From then on one record is tried; absent: once the next run begins. */
  probeAtMs?: number;
  failedProbes: number;
  /** When the last probe failed. */
  failedMs?: number;
  /** The probe that is under way. Not reported by `untilMs`, it is lost with its worker. */
  probe?: { owner: string; untilMs: number };
  /** The runs that know of it, as far as they fit. */
  runs: readonly RestingRun[];
};

export type RestingRun = { integration: string; runId: string };

/** One thing that was seen lately: so many records that went well, or the records of a request that failed. */
export type Try = { atMs: number; well: number } | { atMs: number; failed: readonly string[]; isUnsent: boolean };

/** What all workers of a connection know of the system at its other end. */
export type ConnectionHealth = {
  /** What was seen since the last rest, oldest first; empty while all is well. */
  tries: readonly Try[];
  /** By integration: so many answers in a row that are not understood. */
  unclear: Readonly<Record<string, number>>;
  rests: readonly Rest[];
};

export const healthy: ConnectionHealth = { tries: [], unclear: {}, rests: [] };

/** A connection began to rest, or its rest is over. */
export type RestNews = { connection: string; rest: Rest } & ({ kind: 'began' } | { kind: 'ended'; endedMs: number });

/** A rest as people are told of it. */
export type ConnectionRest = Omit<Rest, 'probe' | 'runs'> & { connection: string };

/** What is known, and under which revision: 0 where nothing is stored. */
export type StoredHealth = { rev: number; health: ConnectionHealth };

/** What all workers know of each connection's other end, as a port. One small item each, written only in trouble. */
export interface HealthStore {
  /** Strongly consistent. */
  read(connection: string): Promise<StoredHealth>;
  /** Replaces what is stored if it still has this revision; the next one is `rev + 1`. */
  write(connection: string, health: ConnectionHealth, rev: number): Promise<'written' | 'conflict'>;
}

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
