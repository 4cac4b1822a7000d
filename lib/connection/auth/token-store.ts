/** An access token and its life, ms since the epoch. */
export type Token = { accessToken: string; obtainedAtMs: number; expiresAtMs: number };

/**
 * What is stored of one connection: its token, and for whom it was made (`audience`: which server, client and scope),
 * since a token must never be shown to another server after a change of configuration.
 */
export type StoredToken = Token & { audience: string };

/**
 * The token of each connection, shared by all its workers, as a port (one DynamoDB item).
 *
 * Who renews holds a lock for that time, so that a revoked token is renewed once and not once per worker:
 *
 *   worker A  401 ─ lock ─ ask for a token ─ save ─ repeat
 *   worker B  401 ─ lock refused ─ wait ───── read ─ repeat
 */
export interface TokenStore {
  /** Strongly consistent. */
  read(connection: string): Promise<StoredToken | undefined>;
  /**
   * Takes the lock until `untilMs`, if nobody holds it at `nowMs` and the stored token is still the one obtained at
   * `seenObtainedAtMs` (undefined: none was stored).
   */
  lock(
    connection: string,
    lock: { owner: string; seenObtainedAtMs: number | undefined; nowMs: number; untilMs: number },
  ): Promise<'locked' | 'conflict'>;
  /** Replaces the token and ends the lock, if the lock is still `owner`'s. */
  save(connection: string, owner: string, token: StoredToken): Promise<'saved' | 'conflict'>;
  /** Ends the lock, if it is still `owner`'s. */
  unlock(connection: string, owner: string): Promise<void>;
}
