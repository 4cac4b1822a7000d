import { addWarnings, type ExtractedRun, type UnfinishedRun } from '../runs/record.ts';
import type { FetchPlan } from './fetch-plan.ts';

/** So many runs ask for the same window because of single bad rows. */
const HELD_RUNS = 3;

/** Whether this is the last run that asks for a window with bad rows: what it cannot read either is left behind. Pure. */
export const mayLeaveBehind = (
  earlier: Pick<ExtractedRun, 'windowHeld'> | undefined,
  { window }: Pick<FetchPlan, 'window'>,
): boolean => window !== undefined && !window.staysAtInvalid && (earlier?.windowHeld ?? 0) + 1 >= HELD_RUNS;

/**
 * Whether the next run asks for the same window again, since rows of it are invalid: `windowHeld` counts such runs in a
 * row, and its presence keeps the watermark. After three the window moves on and its bad rows are left behind, unless
 * the file keeps it for ever. A failed run keeps it whatever it is, and does not count. Pure.
 */
export const holdWindow = (
  run: UnfinishedRun,
  hasFailed: boolean,
  earlier: Pick<ExtractedRun, 'windowHeld'> | undefined,
  { window }: Pick<FetchPlan, 'window'>,
): UnfinishedRun => {
  const { windowHeld: _, ...rest } = run;
  if (run.window === undefined || window === undefined) return rest;
  const before = earlier?.windowHeld ?? 0;
  if (hasFailed) return { ...rest, windowHeld: before };
  const { invalid } = run.counts;
  if (invalid === 0) return rest;
  const words = `${invalid} rows are invalid`;
  const noted = (code: string, message: string) => addWarnings(run.warnings, [{ code, count: invalid, message }]);
  if (!mayLeaveBehind(earlier, { window })) {
    return {
      ...rest,
      windowHeld: before + 1,
      warnings: noted('window-held', `${words}: the next run asks for the same window again`),
    };
  }
  const left = `${words} after ${HELD_RUNS} runs: the window moves on, each is kept as a dead letter`;
  return { ...rest, warnings: noted('rows-left-behind', left) };
};
