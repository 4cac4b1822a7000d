/** Exit codes of the program; outside checks rely on them. */
export const exitCodes = {
  /** Balanced, and nothing is dead-lettered. */
  ok: 0,
  /** Finished, but records are rejected, uncertain, open or dead-lettered. */
  unfinishedRecords: 1,
  /** Bad usage or configuration. */
  usage: 2,
  /** The run could not finish: source down, token refused. */
  runFailed: 3,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Thrown for what the operator asked for and cannot be done; the message is all that he sees. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'USAGE';
}
