import { type Answered, type FailureCause, sentBeforeFailing } from './http.ts';
import { isUsedUp } from './throttling.ts';

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
