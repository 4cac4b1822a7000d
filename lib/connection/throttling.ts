import type { Answered } from './http.ts';
import { MAX_RETRY_AFTER_MS, retryAfterMs } from './retry-after.ts';

type AnswerHeaders = Answered['headers'];

/** The usual names of one header each: GitHub's, X's, and that of the IETF's draft. */
const PREFIXES = ['x-ratelimit', 'x-rate-limit', 'ratelimit'];

const headerOf = (headers: AnswerHeaders, what: 'remaining' | 'reset'): string | undefined =>
  PREFIXES.map((prefix) => headers[`${prefix}-${what}`]?.trim()).find((value) => value !== undefined);

/** Whether the headers say that no request is left in this interval. Pure. */
export const isUsedUp = (headers: AnswerHeaders): boolean => /^0+$/.test(headerOf(headers, 'remaining') ?? '');

/** A 403 in which the server says "too many", as GitHub does: it speaks of the rate, not of rights. Pure. */
export const isThrottled = ({ status, headers }: Pick<Answered, 'status' | 'headers'>): boolean =>
  status === 429 || (status === 403 && (headers['retry-after'] !== undefined || isUsedUp(headers)));

/** A pause that people are told of, ms. */
export const LONG_PAUSE_MS = 60_000;

/** Larger numbers are no seconds to wait, but a moment: seconds, or ms, since the epoch. */
const FIRST_EPOCH_SEC = 1_000_000_000;
const FIRST_EPOCH_MS = 1_000 * FIRST_EPOCH_SEC;

const resetMs = (headers: AnswerHeaders, nowMs: number): number | undefined => {
  const text = headerOf(headers, 'reset');
  if (text === undefined || !/^\d+(\.\d+)?$/.test(text) || !isUsedUp(headers)) return undefined;
  const value = Number(text);
  const waitMs =
    value >= FIRST_EPOCH_MS ? value - nowMs : value >= FIRST_EPOCH_SEC ? value * 1000 - nowMs : value * 1000;
  return Math.min(Math.max(Math.ceil(waitMs), 0), MAX_RETRY_AFTER_MS);
};

/**
 * How long the server asks to wait, in ms from `nowMs`: by `Retry-After`, else until the end of an interval that is used
 * up. Undefined where it does not say. Pure.
 */
export const askedWaitMs = (headers: AnswerHeaders, nowMs: number): number | undefined =>
  retryAfterMs(headers['retry-after'], nowMs) ?? resetMs(headers, nowMs);
