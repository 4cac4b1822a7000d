import { CommanderError } from 'commander';
import { ItemBusyError } from '../lib/operate/close-letters.ts';
import { EndBusyError } from '../lib/operate/decide-end.ts';
import { type ExitCode, exitCodes } from '../lib/operate/exit-code.ts';
import { RenameBusyError } from '../lib/operate/rename.ts';
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
  [EndBusyError, exitCodes.runFailed],
  [RenameBusyError, exitCodes.runFailed],
  [FunctionError, exitCodes.runFailed],
];

/** What this machine has too little of: not the program's fault, and over once there is more. */
const scarcities: ReadonlyArray<{ code: string; signs: RegExp; words: string }> = [
  {
    code: 'disk-full',
    signs: /\bENOSPC\b|\bEDQUOT\b|no space left on device|database or disk is full/i,
    words:
      'The disk is full. Nothing is lost: make room and start again; the next run goes on. 磁盘已满:请腾出空间后再运行,数据不会丢失。',
  },
  {
    code: 'too-many-open-files',
    signs: /\bE[MN]FILE\b|too many open files/i,
    words:
      'Too many files are open. Nothing is lost: allow more (ulimit -n 1024) and start again. 打开的文件过多:请提高上限(ulimit -n 1024)后再运行,数据不会丢失。',
  },
];

/** An error's own words and those of what caused it. */
const allWords = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const { code = '' } = error as NodeJS.ErrnoException;
  const inner = error instanceof AggregateError ? error.errors.map(allWords).join(' ') : '';
  return `${code} ${error.message} ${inner} ${error.cause === undefined ? '' : allWords(error.cause)}`;
};

/** An error as the operator meets it: its code for scripts, words for him (none where they are printed), the exit code. */
type Explained = { code: string; words: string; exit: ExitCode };

/** What an error is to the operator. What he cannot mend is shown whole. */
export const explain = (error: unknown): Explained => {
  // Help and version end so, too; commander has printed its words.
  if (error instanceof CommanderError) {
    return { code: error.code, words: '', exit: error.exitCode === 0 ? exitCodes.ok : exitCodes.usage };
  }
  const all = allWords(error);
  const scarcity = scarcities.find(({ signs }) => signs.test(all));
  if (scarcity !== undefined) return { ...scarcity, exit: exitCodes.runFailed };
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unexpected';
  if (!(error instanceof Error)) return { code, words: String(error), exit: exitCodes.runFailed };
  const exit = exitOf.find(([kind]) => error instanceof kind)?.[1];
  if (exit === undefined) return { code, words: error.stack ?? error.message, exit: exitCodes.runFailed };
  const lead = error instanceof ConfigurationError ? 'The configuration has faults:\n' : '';
  return { code, words: `${lead}${error.message}`, exit };
};
