import { type FailureCause, sentBeforeFailing } from '../../lib/connection/http.ts';
import { type ReactionTable, reactionToFailure, reactionToStatus } from '../../lib/connection/reactions.ts';

/** Every cause for which no whole answer comes. */
export const everyCause = Object.keys(sentBeforeFailing) as FailureCause[];

/** Every status of three digits: those of HTTP (RFC 9110 §15), and what servers make up beyond them. */
export const everyStatus: readonly number[] = Array.from({ length: 900 }, (_, index) => 100 + index);

/**
 * A whole table in the order of the statuses: `200-299 read`, with what headers change as `503 with Retry-After wait`,
 * then each cause of failure. `wordOf` says what counts of a reaction.
 */
export const tableInWords = <ToStatus, ToFailure>(
  table: ReactionTable<ToStatus, ToFailure>,
  wordOf: (reaction: ToStatus | ToFailure) => string,
): string[] => {
  const inWords = (headers: Record<string, string>) =>
    everyStatus.map((status) => wordOf(reactionToStatus(table, { status, headers })));
  const plain = inWords({});
  const starts = everyStatus.filter((_, index) => index === 0 || plain[index] !== plain[index - 1]);
  const ranges = starts.map((from, index) => {
    const to = (starts[index + 1] ?? 1_000) - 1;
    return `${from === to ? from : `${from}-${to}`} ${plain[from - 100]}`;
  });
  const changedBy = (name: string, headers: Record<string, string>) =>
    inWords(headers).flatMap((word, index) => (word === plain[index] ? [] : [`${index + 100} with ${name} ${word}`]));
  const asked = changedBy('Retry-After', { 'retry-after': '1' });
  const usedUp = changedBy('nothing remaining', { 'x-ratelimit-remaining': '0' });
  return [
    ...ranges,
    ...asked,
    ...usedUp,
    ...everyCause.map((cause) => `${cause} ${wordOf(reactionToFailure(table, cause))}`),
  ];
};

/** The rows of a table without which it reacts as with them: they say nothing. `wordOf` as in `tableInWords`. */
export const idleRowsOf = <ToStatus, ToFailure>(
  table: ReactionTable<ToStatus, ToFailure>,
  wordOf: (reaction: ToStatus | ToFailure) => string,
): ReactionTable<ToStatus, ToFailure>['statuses'] => {
  const whole = tableInWords(table, wordOf).join();
  return table.statuses.filter(
    (row) => tableInWords({ ...table, statuses: table.statuses.filter((one) => one !== row) }, wordOf).join() === whole,
  );
};
