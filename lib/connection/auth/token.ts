import type { Clock } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';
import type { ConnectionTuning } from '../../runtime/tuning.ts';

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

/** How one token request ended. `isNew`: the token is another than the one that was known. */
export type TokenAnswer =
  | { kind: 'token'; token: Token; isNew?: true }
  /** For good: wrong credentials, scope or request. */
  | { kind: 'refused'; message: string }
  /** For now; `retryAfterMs` where the server says when. `isThrottled`: it has been asked too often. */
  | { kind: 'unavailable'; message: string; retryAfterMs?: number; isThrottled?: true };

/** What asking for a token came to. `requests` counts token requests: 0 where one was at hand. */
export type TokenResult = { requests: number } & (
  | TokenAnswer
  /** The deadline comes first: before the next permit, or before the end of another worker's renewal. */
  | { kind: 'later'; retryAtMs: number }
);

/** Sends one token request. */
export type AskForToken = () => Promise<TokenAnswer | { kind: 'later'; retryAtMs: number }>;

/** How a caller wants its token: it waits until `deadlineMs` at most, and `ask` is how it would ask the server. */
type TokenWish = { deadlineMs: number; ask: AskForToken };

/** The token of one connection. */
export interface TokenSource {
  get(wish: TokenWish): Promise<TokenResult>;
  /** A token other than `stale`, which a 401 has refused: another worker's, where one has renewed it by now. */
  renew(stale: Token, wish: TokenWish): Promise<TokenResult>;
}

const isAlive = ({ expiresAtMs }: Token, nowMs: number): boolean => nowMs < expiresAtMs;

/** Whether the token is not yet to be renewed ahead of time. */
const isFresh = ({ obtainedAtMs, expiresAtMs }: Token, nowMs: number, { tokenAheadShare }: ConnectionTuning): boolean =>
  nowMs < obtainedAtMs + tokenAheadShare * (expiresAtMs - obtainedAtMs);

/** The server may give the same text again: what tells renewals apart is when they were made. */
const isSame = (one: Token | undefined, other: Token | undefined): boolean =>
  one?.accessToken === other?.accessToken && one?.obtainedAtMs === other?.obtainedAtMs;

/**
 * Asking within a token's life returns the same token, whose life is not extended (OKKI), whatever `expires_in` says:
 * keep the end that is known. The life left shrinks with each such answer, and so does the time to the next one.
 */
const keepEnd = (token: Token, known: Token | undefined): Token =>
  known?.accessToken === token.accessToken && isAlive(known, token.obtainedAtMs)
    ? { ...token, expiresAtMs: Math.min(token.expiresAtMs, known.expiresAtMs) }
    : token;

export type TokenDeps = {
  connection: string;
  /** Names server, client and scope: a token stored for another audience is none. */
  audience: string;
  /** The longest that a token request takes. */
  timeoutMs: number;
  store: TokenStore;
  clock: Clock;
  random: Random;
  tuning: ConnectionTuning;
};

/** A token kept in this process and shared with all other workers through the store. */
export const tokenSource = (deps: TokenDeps): TokenSource => {
  const { connection, audience, timeoutMs, store, clock, random, tuning } = deps;
  const { tokenPollMs, tokenLockMarginMs, tokenAheadPauseMs, tokenRefusedMs } = tuning;
  let current: Token | undefined;
  let nextAheadMs = 0;
  /** Refused for good: whoever was about to ask as well need not. */
  let refused: { result: Extract<TokenResult, { kind: 'refused' }>; untilMs: number } | undefined;
  let underWay: Promise<TokenResult> | undefined;

  /** Asks the server as the holder of the lock; ends the lock whatever happens. */
  const askLocked = async (owner: string, known: Token | undefined, wish: TokenWish): Promise<TokenResult> => {
    let saved = false;
    try {
      const answer = await wish.ask();
      if (answer.kind === 'later') return { ...answer, requests: 0 };
      if (answer.kind !== 'token') return { ...answer, requests: 1 };
      const token = keepEnd(answer.token, known);
      // A conflict means that the lock ran out and another renewed: this token is as good as theirs.
      saved = (await store.save(connection, owner, { ...token, audience })) === 'saved';
      current = token;
      return { kind: 'token', token, requests: 1, ...(token.accessToken !== known?.accessToken && { isNew: true }) };
    } finally {
      if (!saved) await store.unlock(connection, owner);
    }
  };

  /** The renewal ahead of time failed, or is another's: the old token still serves. */
  const serveOn = (token: Token, requests: number): TokenResult => {
    current = token;
    nextAheadMs = clock.nowMs() + tokenAheadPauseMs;
    return { kind: 'token', token, requests };
  };

  const obtain = async (stale: Token | undefined, wish: TokenWish): Promise<TokenResult> => {
    for (;;) {
      const stored = await store.read(connection);
      const nowMs = clock.nowMs();
      const known = stored?.audience === audience ? stored : undefined;
      const usable = known && !isSame(known, stale) && isAlive(known, nowMs) ? known : undefined;
      if (usable && isFresh(usable, nowMs, tuning)) {
        current = usable;
        return { kind: 'token', token: usable, requests: 0 };
      }
      const owner = random.token();
      const untilMs = nowMs + timeoutMs + tokenLockMarginMs;
      const lock = { owner, seenObtainedAtMs: stored?.obtainedAtMs, nowMs, untilMs };
      if ((await store.lock(connection, lock)) === 'locked') {
        const result = await askLocked(owner, known, wish);
        if (result.kind === 'token' || !usable) return result;
        return serveOn(usable, result.requests);
      }
      if (usable) return serveOn(usable, 0);
      if (nowMs + tokenPollMs > wish.deadlineMs) return { kind: 'later', retryAtMs: nowMs + tokenPollMs, requests: 0 };
      await clock.sleep(tokenPollMs);
    }
  };

  /** One at a time in this process: the others get what the first obtains. */
  const share = async (stale: Token | undefined, wish: TokenWish): Promise<TokenResult> => {
    while (underWay) {
      const result = await underWay;
      const isAnswer = result.kind !== 'later' && !(result.kind === 'token' && isSame(result.token, stale));
      if (isAnswer) return { ...result, requests: 0 };
    }
    if (refused !== undefined && clock.nowMs() < refused.untilMs) return { ...refused.result, requests: 0 };
    underWay = obtain(stale, wish).finally(() => {
      underWay = undefined;
    });
    const result = await underWay;
    if (result.kind === 'refused') refused = { result, untilMs: clock.nowMs() + tokenRefusedMs };
    return result;
  };

  return {
    get: async (wish) => {
      const nowMs = clock.nowMs();
      const serves =
        current && isAlive(current, nowMs) && (isFresh(current, nowMs, tuning) || nowMs < nextAheadMs || underWay);
      if (current && serves) return { kind: 'token', token: current, requests: 0 };
      return share(undefined, wish);
    },
    renew: async (stale, wish) => {
      if (current && !isSame(current, stale) && isAlive(current, clock.nowMs())) {
        return { kind: 'token', token: current, requests: 0 };
      }
      // From here on nobody in this process is given the stale one any more.
      current = undefined;
      return share(stale, wish);
    },
  };
};
