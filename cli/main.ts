import { enableCompileCache } from 'node:module';
import type { ExitCode } from '../lib/operate/exit-code.ts';
import { explain } from './explain.ts';
import { checkNpmOptions } from './input/npm-options.ts';
import { UsageError } from './input/usage-error.ts';
import { program, runProgram, sendingCommands } from './program.ts';
import { isAnswered, print } from './terminal/print.ts';

// The stack's libraries are imported with the command that needs them; compiled once, they load in half the time.
enableCompileCache();

/** `run` is what is meant where no command is named, but a misspelt one is no argument of it. */
const checkCommand = ([first]: readonly string[]): void => {
  if (first === undefined || first.startsWith('-') || first === 'help') return;
  if (program.commands.some((command) => command.name() === first)) return;
  const names = program.commands.map((command) => command.name()).join(', ');
  throw new UsageError(`There is no command ${JSON.stringify(first)}. There are: ${names}. 没有这个命令。`);
};

/** Says what an error is; with --json, where the report would stand, too. */
const report = (error: unknown): ExitCode => {
  const { code, words, exit } = explain(error);
  if (words === '') return exit;
  print(`${words}\n`, process.stderr);
  if (process.argv.includes('--json') && !isAnswered()) {
    print(`${JSON.stringify({ error: { code, message: words } })}\n`);
  }
  return exit;
};

// What breaks beside the command, in a server or a stream of its own, ends it as well.
process.on('uncaughtException', (error) => {
  const exit = report(error);
  process.stdout.write('', () => process.exit(exit));
});

let exitCode: ExitCode;
try {
  const words = process.argv.slice(2);
  checkNpmOptions(program, words, process.env, sendingCommands);
  checkCommand(words);
  exitCode = await runProgram();
} catch (error) {
  exitCode = report(error);
}
process.exitCode = exitCode;
