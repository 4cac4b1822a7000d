import { type Env, variableIn } from '../connection/secrets.ts';
import { ConfigurationError } from '../runtime/fault.ts';
import type { FetchTuning } from '../runtime/tuning.ts';

/** Until when an invocation works on a run, ms since the epoch. */
export type Deadlines = {
  /** No page but the first is begun after this: every invocation reads at least one. */
  softMs: number;
  /** Nothing is begun after this. */
  hardMs: number;
};

/** Deadlines by what Lambda leaves of the invocation and, where one is set, by the time budget. Pure. */
export const deadlinesOf = (
  nowMs: number,
  remainingMs: number,
  budgetMs: number | undefined,
  { maxReserveMs, reserveShare }: FetchTuning,
): Deadlines => {
  const withoutReserve = (ms: number): number => ms - Math.min(maxReserveMs, ms * reserveShare);
  const hardMs = nowMs + withoutReserve(remainingMs);
  const softMs = budgetMs === undefined ? hardMs : Math.min(hardMs, nowMs + withoutReserve(budgetMs));
  return { softMs, hardMs };
};

const VARIABLE = 'FETCH_TIME_BUDGET_MS';
const WHOLE_NUMBER = /^[1-9]\d{0,8}$/;

/**
 * How long one invocation may work on a run, ms: `FETCH_TIME_BUDGET_MS`. Unset: as long as the function's timeout
 * allows. Throws ConfigurationError.
 */
export const readTimeBudgetMs = (env: Env): number | undefined => {
  const text = variableIn(env, VARIABLE);
  if (text === '') return undefined;
  if (WHOLE_NUMBER.test(text)) return Number(text);
  const expected = 'milliseconds as a whole number, such as "60000"';
  throw new ConfigurationError([{ file: 'environment', path: VARIABLE, expected, found: JSON.stringify(text) }]);
};
