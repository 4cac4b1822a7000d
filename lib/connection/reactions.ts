import { type Answered, type FailureCause, sentBeforeFailing } from './http.ts';

/** A longer `Retry-After` counts as this: a server's mistake must not silence a connection for good. */
export const MAX_RETRY_AFTER_MS = 24 * 60 * 60 * 1000;

const DELTA_SECONDS = /^\d+$/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTH = `(?<month>${MONTHS.join('|')})`;
const TIME = '(?<hour>\\d{2}):(?<minute>\\d{2}):(?<second>\\d{2})';

// RFC 9110 §5.6.7: a recipient must accept all three forms. `Date.parse` takes far more than these, "7" included.
const HTTP_DATES = [
  new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\\d{2}) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(`^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\\d{2})-${MONTH}-(?<year>\\d{2}) ${TIME} GMT$`),
  new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${MONTH} (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`),
];

/** RFC 9110 §5.6.7: a two-digit year that looks more than 50 years ahead is the past year with the same digits. */
const fullYear = (year: string, nowMs: number): number => {
  if (year.length === 4) return Number(year);
  const thisYear = new Date(nowMs).getUTCFullYear();
  const guess = thisYear - (thisYear % 100) + Number(year);
  return guess > thisYear + 50 ? guess - 100 : guess;
};

const httpDateMs = (text: string, nowMs: number): number | undefined => {
  const parts = HTTP_DATES.map((form) => form.exec(text)?.groups).find((groups) => groups !== undefined);
  if (!parts) return undefined;
  const { year = '', month = '', day, hour, minute, second } = parts;
  const [dayOfMonth, hours, minutes, seconds] = [Number(day), Number(hour), Number(minute), Number(second)];
  const date = new Date(Date.UTC(fullYear(year, nowMs), MONTHS.indexOf(month), dayOfMonth));
  // 31 April would roll over into May; 60 is a leap second.
  const exists = date.getUTCDate() === dayOfMonth && hours < 24 && minutes < 60 && seconds <= 60;
  return exists ? date.getTime() + ((hours * 60 + minutes) * 60 + seconds) * 1000 : undefined;
};

/**
 * How long a `Retry-After` header asks to wait, in ms from `nowMs`: delta-seconds or HTTP-date (RFC 9110 §10.2.3).
 * A date that has passed is 0, more than `MAX_RETRY_AFTER_MS` is cut to it, and what is neither form is undefined.
 */
export const retryAfterMs = (headerValue: string | undefined, nowMs: number): number | undefined => {
  const text = headerValue?.trim() ?? '';
  const dateMs = httpDateMs(text, nowMs);
  const waitMs = DELTA_SECONDS.test(text) ? Number(text) * 1000 : dateMs === undefined ? undefined : dateMs - nowMs;
  return waitMs === undefined ? undefined : Math.min(Math.max(waitMs, 0), MAX_RETRY_AFTER_MS);
};

type AnswerHeaders = Answered['headers'];

/** The usual names of one header each: GitHub's, X's, and that of the IETF's draft. */
const PREFIXES = ['x-ratelimit', 'x-rate-limit', 'ratelimit'];

const headerOf = (headers: AnswerHeaders, what: 'remaining' | 'reset'): string | undefined =>
  PREFIXES.map((prefix) => headers[`${prefix}-${what}`]?.trim()).find((value) => value !== undefined);

/** Whether the headers say that no request is left in this interval. Pure. */
const isUsedUp = (headers: AnswerHeaders): boolean => /^0+$/.test(headerOf(headers, 'remaining') ?? '');

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

/** What the headers must say for a row to fit: when to come back, or that no request is left for now. */
const saidIn = {
  'retry-after': (headers: Answered['headers']): boolean => headers['retry-after'] !== undefined,
  'used-up': isUsedUp,
} as const;

/** Statuses from, to, and the reaction to them; with `needs`, only where the headers say so. */
type StatusRow<Reaction> = readonly [from: number, to: number, reaction: Reaction, needs?: keyof typeof saidIn];

/**
 * How to react to each way in which a request can end. Requests to a source, to a target and for a token have one table
 * of this shape each. A table is total: `otherStatus` is for what no row names, and no cause of failure is left out.
 */
export type ReactionTable<ToStatus, ToFailure> = {
  /** The first row that fits counts. */
  statuses: readonly StatusRow<ToStatus>[];
  otherStatus: ToStatus;
  /** No whole answer came: by its cause, or by whether the request was sent. */
  failures: Readonly<Record<FailureCause, ToFailure>> | Readonly<Record<'never' | 'maybe', ToFailure>>;
};

/** The reaction to an answer, by its status. Pure. */
export const reactionToStatus = <ToStatus>(
  { statuses, otherStatus }: Pick<ReactionTable<ToStatus, unknown>, 'statuses' | 'otherStatus'>,
  { status, headers }: Pick<Answered, 'status' | 'headers'>,
): ToStatus => {
  const row = statuses.find(
    ([from, to, , needs]) => from <= status && status <= to && (needs === undefined || saidIn[needs](headers)),
  );
  return row === undefined ? otherStatus : row[2];
};

/** The reaction to there being no whole answer. Pure. */
export const reactionToFailure = <ToFailure>(
  { failures }: Pick<ReactionTable<unknown, ToFailure>, 'failures'>,
  cause: FailureCause,
): ToFailure => ('never' in failures ? failures[sentBeforeFailing[cause]] : failures[cause]);
