import type { LedgerEntry } from '../runs/ledger.ts';
import type { ExtractCounts, InvalidRow, RunFailure, UnfinishedRun } from '../runs/record.ts';
import type { FetchPlan } from './fetch-plan.ts';

const ROWS_NAMED = 5;
const REASON_CHARACTERS = 200;

/** Names the first invalid rows of a run. Pure. */
export const noteInvalidRows = (
  known: readonly InvalidRow[] | undefined,
  entries: readonly LedgerEntry[],
): Pick<UnfinishedRun, 'invalidRows'> => {
  const rows = [...(known ?? [])];
  for (const { id, outcome, reason = '' } of entries) {
    if (rows.length === ROWS_NAMED) break;
    if (outcome === 'invalid') rows.push({ id, reason: reason.slice(0, REASON_CHARACTERS) });
  }
  return rows.length === 0 ? {} : { invalidRows: rows };
};

/** Fewer rows say nothing of a share. */
const LEAST_ROWS = 10;

/**
 * Why a run has failed for its invalid rows: all are, or more than the share allows. Such a list is not the one that the
 * file speaks of. Undefined: it has not. Pure.
 */
export const failureOfRows = (
  { fetched, invalid }: Pick<ExtractCounts, 'fetched' | 'invalid'>,
  rows: readonly InvalidRow[] | undefined,
  { maxShare }: Pick<FetchPlan['invalidRows'], 'maxShare'>,
): { code: RunFailure; message: string } | undefined => {
  if (invalid === 0) return undefined;
  const reasons = (rows ?? []).map(({ id, reason }) => `${id}: ${reason}`).join('; ');
  if (invalid === fetched) {
    const every = fetched === 1 ? 'the only row is' : `all ${fetched} rows are`;
    return { code: 'rows-invalid', message: `${every} invalid; ${reasons}` };
  }
  if (fetched < LEAST_ROWS || invalid <= maxShare * fetched) return undefined;
  const share = `${invalid} of ${fetched} rows are invalid, more than source.maxInvalidShare (${maxShare})`;
  return { code: 'rows-invalid', message: `${share}; ${reasons}` };
};
