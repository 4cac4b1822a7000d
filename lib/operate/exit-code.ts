import type { ConnectionRest } from '../connection/limit/health.ts';
import { holds } from '../runs/books.ts';
import { hasFailed, needsLook, type RunRecord } from '../runs/record.ts';
import type { SetAside } from '../runs/set-aside.ts';
import type { ConnectionPause } from './pauses.ts';

/** Exit codes of the program; scripts rely on them. */
export const exitCodes = {
  /** Balanced, and nothing is dead-lettered. */
  ok: 0,
  /** Finished, but records are rejected, uncertain, open or dead-lettered, or rows are invalid. */
  unfinishedRecords: 1,
  /** Bad usage or configuration. */
  usage: 2,
  /** The run could not finish or has failed: source down, token refused, rows all invalid. */
  runFailed: 3,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A run, and what is known beside its books once nothing more is waited for: records that are open stay open. */
export type SeenRun = {
  run: Pick<RunRecord, 'status' | 'counts' | 'leftOut' | 'failure' | 'toleratesInvalid' | 'shrunkFrom' | 'notGiven'>;
  /** Records that it left out. */
  setAside?: Pick<SetAside, 'refused' | 'uncertain'>;
  /** Letters of its integration that wait, whichever run they are from. */
  deadLetters?: number;
  /** Messages whose function failed. */
  stranded?: number;
  /** A pause that was not waited for. */
  pause?: ConnectionPause;
  /** A rest whose end was not waited for. */
  rest?: Pick<ConnectionRest, 'cause'>;
};

/** The exit code that a run stands for. Pure. */
export const exitCodeOf = ({ run, setAside, deadLetters = 0, stranded = 0, pause, rest }: SeenRun): ExitCode => {
  const { status, counts } = run;
  if (status === 'incomplete' || status === 'failed' || pause !== undefined) {
    return exitCodes.runFailed;
  }
  if (rest !== undefined && rest.cause !== 'not-understood') {
    return exitCodes.runFailed;
  }
  if (status === 'extracting' || stranded > 0 || hasFailed(run)) return exitCodes.runFailed;
  // The target was reached: its answers are what somebody has to look at.
  if (rest !== undefined) return exitCodes.unfinishedRecords;
  if (counts.rejected + counts.uncertain + deadLetters > 0) return exitCodes.unfinishedRecords;
  // Letters expire after two weeks; refused and uncertain records stay so. Records that a person discarded are no
  // trouble.
  if (setAside !== undefined && setAside.refused + setAside.uncertain > 0) return exitCodes.unfinishedRecords;
  if (needsLook(run)) return exitCodes.unfinishedRecords;
  // What waits for an earlier run is as open as what this one sent.
  const open = counts.open + counts.waiting - (run.leftOut ?? 0);
  return status === 'unbalanced' || !holds(counts) || open > 0 ? exitCodes.unfinishedRecords : exitCodes.ok;
};
