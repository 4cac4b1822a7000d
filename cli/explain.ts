import { CommanderError } from 'commander';
import { ItemBusyError } from '../lib/operate/change-item.ts';
import { type ExitCode, exitCodes } from '../lib/operate/exit-code.ts';
import { RunNotStartedError } from '../lib/operate/run-now.ts';
import { ConfigurationError } from '../lib/runtime/fault.ts';
import { SandboxPortError, StoreFileError } from '../local/sandbox/sandbox.ts';
import { DataDirInUseError, DataDirUnreadableError, FunctionError, ServiceFileError } from '../local/stack/errors.ts';
import { UsageError } from './input/usage-error.ts';

/** The errors that are the operator's to mend: their message says how. Any other is a bug, or an edge that broke. */
const exitOf: ReadonlyArray<readonly [kind: new (...given: never[]) => Error, exit: ExitCode]> = [
  [UsageError, exitCodes.usage],
  [ConfigurationError, exitCodes.usage],
  [DataDirInUseError, exitCodes.usage],
  [DataDirUnreadableError, exitCodes.usage],
  [ServiceFileError, exitCodes.usage],
  [SandboxPortError, exitCodes.usage],
  [StoreFileError, exitCodes.usage],
  [RunNotStartedError, exitCodes.runFailed],
  [ItemBusyError, exitCodes.runFailed],
  [FunctionError, exitCodes.runFailed],
];

/** What an error is to the operator: words for stderr, and an exit code. What he cannot mend is shown whole. */
export const explain = (error: unknown): { words: string; exit: ExitCode } => {
  // Help and version end so, too; commander has printed its words.
  if (error instanceof CommanderError)
    return { words: '', exit: error.exitCode === 0 ? exitCodes.ok : exitCodes.usage };
  if (!(error instanceof Error)) return { words: `${error}\n`, exit: exitCodes.runFailed };
  const exit = exitOf.find(([kind]) => error instanceof kind)?.[1];
  if (exit === undefined) return { words: `${error.stack}\n`, exit: exitCodes.runFailed };
  const lead = error instanceof ConfigurationError ? 'The configuration has faults:\n' : '';
  return { words: `${lead}${error.message}\n`, exit };
};
