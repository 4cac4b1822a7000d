import { randomUUID } from 'node:crypto';

/** Chance as a port: what decides gets a number, what names a worker gets a token. */
export interface Random {
  /** A number in [0, 1). */
  fraction(): number;
  /** A token that no other worker has. */
  token(): string;
}

export const systemRandom: Random = { fraction: () => Math.random(), token: () => randomUUID() };
