import { refusalIn, refusedRowIn } from '../connection/api/refusal.ts';
import type { Success } from '../integration/schema/schema.ts';
import { isCompound, type JsonValue, parsedOrUndefined, stringifyJson } from '../json/json.ts';
import { readPath } from '../json/path.ts';
import { failureOf, type OutcomeCause, type OutcomeFailure } from './target.ts';

/** What the body of a 2xx says: that it was applied, that it was refused or throttled, or nothing that anybody knows. */
export type Judged = { as: 'loaded' } | { as: 'rejected' | 'throttled' | 'uncertain'; failure: OutcomeFailure };

/** What a rule finds at its path: a success, something else, nothing, or something that is no status at all. */
type Verdict = 'kept' | 'broken' | 'absent' | 'unreadable';

const verdictOf = (body: JsonValue, { path, equals }: Success['rules'][number]): Verdict => {
  const value = readPath(body, path);
  if (value === undefined || value === null) return 'absent';
  if (typeof value === 'object') return 'unreadable';
  return isAnyOf(value, equals) ? 'kept' : 'broken';
};

/** Compared as text: `"200"` is 200. An object is none of them, whatever its own `toString` says. */
const isAnyOf = (value: JsonValue | undefined, wanted: ReadonlyArray<string | number | boolean>): boolean =>
  value !== undefined && value !== null && !isCompound(value) && wanted.some((one) => String(one) === String(value));

const isThrottledBody = (body: JsonValue, { throttled }: Success): boolean =>
  throttled !== undefined && isAnyOf(readPath(body, throttled.path), throttled.equals);

/** Whether the body of a refusal says "too many", as the file names it. Pure. */
export const saysThrottled = (text: string, success: Success): boolean => {
  const body = success.throttled && parsedOrUndefined(text);
  return body !== undefined && isThrottledBody(body, success);
};

/**
 * Judges the body of a 2xx. Some targets answer 200 to everything and say in the body how it went, so a rule of the file
 * that finds nothing it knows leaves the outcome open: a page of a proxy, a cut answer, another envelope.
 *
 * `rowsPath`: where the answer speaks of each row by itself. Pure.
 */
export const judgeBody = (text: string, status: number, success: Success, rowsPath?: string): Judged => {
  const ends = (as: 'rejected' | 'throttled' | 'uncertain', cause: OutcomeCause, words = text): Judged => ({
    as,
    failure: failureOf(cause, status, words),
  });
  const { rules } = success;
  // No body at all (201, 202, 204) says nothing against the status.
  if (text.trim() === '')
    return rules.some(({ required }) => required) ? ends('uncertain', 'unreadable-answer') : loaded;
  const body = parsedOrUndefined(text);
  if (body === undefined) return isStatusEnough(text, success) ? loaded : ends('uncertain', 'unreadable-answer');

  if (isThrottledBody(body, success)) return ends('throttled', 'throttled');
  const verdicts = rules.map((rule) => verdictOf(body, rule));
  if (verdicts.includes('broken')) return ends('rejected', 'business-error', wordsIn(body, success) ?? text);
  const refusal = refusalIn(body, (path) => rules.some((rule) => rule.path === path), rowsPath);
  if (refusal !== undefined) {
    const { path, value, words } = refusal;
    const shown = typeof value === 'object' ? path : `${path}: ${stringifyJson(value)}`;
    const told = wordsIn(body, success) ?? words;
    return ends('rejected', 'business-error', told === undefined ? `${shown} ${text}` : `${shown} "${told}"`);
  }
  // Which records the row stands for is what `target.results` would say.
  const row = rowsPath === undefined ? refusedRowIn(body) : undefined;
  if (row !== undefined) return ends('uncertain', 'no-row-result', `${row.path}: ${stringifyJson(row.value)} ${text}`);
  const isMissing = rules.some(({ required }, index) => required && verdicts[index] !== 'kept');
  const isUnknown = rules.length > 0 && !verdicts.includes('kept');
  const isCovered = success.status === true && !verdicts.includes('unreadable');
  return isMissing || (isUnknown && !isCovered) ? ends('uncertain', 'no-known-status') : loaded;
};

const loaded: Judged = { as: 'loaded' };

/**
 * Text that is not JSON is enough where no rule needs JSON. A web page or JSON that was cut off is not: the target did
 * not write it.
 */
const isStatusEnough = (text: string, { rules, status }: Success): boolean =>
  rules.length === 0 && (status === true || !/^\s*[<{[]/.test(text));

const wordsIn = (body: JsonValue, { message }: Success): string | undefined =>
  message.map((path) => readPath(body, path)).find((value) => typeof value === 'string');
