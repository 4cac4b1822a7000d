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
