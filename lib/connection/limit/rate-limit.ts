/** At most `requests` in any `intervalMs`, over all workers of the connection. */
export type RateLimit = { requests: number; intervalMs: number };

/**
 * Leave to send: one request each, not before its time and not after `untilMs` (whole ms); what is not sent by then is
 * void. A timer may fire a ms early: compare with the clock before sending.
 */
export type Permit = { notBeforeMs: number; untilMs: number };

/**
 * A rate limit shared by all workers of one connection, as a port (one DynamoDB item).
 *
 * With `limit` undefined only pauses hold. A pause does not call back permits that were leased before it: a worker
 * that holds some asks again without a limit (one read a second) before it sends a late one.
 */
export interface RateLimiter {
  /**
   * Leases up to `count` permits that all start before `deadlineMs`. Fewer, or none, when the limit or a pause does
   * not allow more in time: then `retryAtMs` says when to ask again.
   */
  acquire(
    connection: string,
    limit: RateLimit | undefined,
    count: number,
    deadlineMs: number,
  ): Promise<{ permits: Permit[]; retryAtMs: number }>;
  /**
   * Holds every worker of the connection until `untilMs` (429, Retry-After, lock-out). Never shortens a pause. Gives by
   * how many ms it made the pause longer: added up over all workers that is how long the connection was paused.
   */
  pause(connection: string, untilMs: number): Promise<number>;
}
