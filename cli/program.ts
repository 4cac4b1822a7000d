import { Command } from 'commander';
import { type ExitCode, exitCodes } from '../lib/operate/exit-code.ts';
import { declareDeciding } from './declare/deciding.ts';
import { declareLooking } from './declare/looking.ts';
import { declareRunning } from './declare/running.ts';
import type { Ending } from './input/options.ts';

let exitCode: ExitCode = exitCodes.ok;
const ending: Ending =
  (command) =>
  async (...given) => {
    exitCode = await command(...given);
  };

export const program = new Command('okki-sync')
  .description(
    'Keeps product groups of 小满 OKKI CRM in step with another system.\n' +
      '把小满 OKKI CRM 的产品分组(及其他列表)同步到另一个系统。',
  )
  .showHelpAfterError('(okki-sync --help lists the commands)')
  .exitOverride();

// In the order in which --help lists them.
declareRunning(program, ending);
declareLooking(program, ending);
declareDeciding(program, ending);

/** The commands that send or delete something: none of them is for looking only. */
export const sendingCommands: ReadonlySet<string> = new Set([
  'run',
  'adopt',
  'resend',
  'dlq replay',
  'dlq discard',
  'dlq resolve',
  'target same',
  'target new',
  'source same',
  'source new',
  'pause',
  'resume',
  'rename',
]);

/** Runs the command that the process was started with. Throws what it throws, and CommanderError for bad usage. */
export const runProgram = async (): Promise<ExitCode> => {
  await program.parseAsync();
  return exitCode;
};
