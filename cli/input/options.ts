import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ExitCode } from '../../lib/operate/exit-code.ts';
import { DEFAULT_DATA_DIR } from './flags.ts';
import { DEFAULT_INTEGRATION } from './integration-choice.ts';
import { UsageError } from './usage-error.ts';

// Options that several commands have, in the words of their help.

export const wholeNumber = (text: string): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError('expected a whole number.');
  return value;
};

export const countFromOne = (text: string): number => {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError('expected 1 or more.');
  return value;
};

export const ratePerSec = (text: string): number => {
  if (!/^\d+(\.\d+)?$/.test(text) || Number(text) === 0) {
    throw new InvalidArgumentError('expected a number above 0, such as 5 or 0.5.');
  }
  return Number(text);
};

export const collect = (text: string, before: string[] = []): string[] => [...before, text];

export const integrationOption = () =>
  new Option('--integration <name|path>', 'the integration, by name or by its file').default(DEFAULT_INTEGRATION);
export const dataDirOption = () =>
  new Option('--data-dir <dir>', 'where the embedded queues and tables are kept').default(DEFAULT_DATA_DIR);
export const stageOption = () =>
  new Option('--stage <name>', 'a deployed stack instead of the embedded one, with your own AWS credentials');
export const regionOption = () =>
  new Option('--region <name>', 'its AWS region (default: that of your AWS configuration)');
/** Which stack a command looks at. */
export const onStack = (command: Command): Command =>
  command.addOption(dataDirOption()).addOption(stageOption()).addOption(regionOption());
export const someIntegrationOption = () =>
  new Option('--integration <name|path>', 'one integration only, by name or by its file (default: all shipped ones)');
export const jsonOption = () => new Option('--json', 'print one JSON object and nothing else on stdout');
/** Who does it, and why. */
export const signed = (command: Command, why = 'why, for the audit log'): Command =>
  command.option('--why <text>', why).option('--by <name>', 'who does it, for the audit log (default: your name here)');
export const groupsOption = () =>
  new Option('--groups <file>', 'groups for the sandbox: a JSON array, or lines of "id - A > B > C"');
export const faultOption = () =>
  new Option(
    '--fault <fault>',
    'what the sandbox does wrong, may be repeated; see: npm start -- sandbox --help',
  ).argParser(collect);

export const sandboxOption = () =>
  new Option(
    '--sandbox <side>',
    'let the sandbox stand in for this end while the other is real; state is kept in a folder of its own',
  ).choices(['source', 'target']);

/** Which integration a command is about may be said without a flag, too. */
export const onNamed = (command: Command): Command => command.argument('[name]', 'the same as --integration');

/** The flags with the name that stands before them. Throws UsageError where the two say different things. */
export const named = <Flags extends { integration?: string }>(
  name: string | undefined,
  flags: Flags,
  command: Command,
): Flags => {
  if (name === undefined) return flags;
  const isSaidTwice = command.getOptionValueSource('integration') === 'cli' && flags.integration !== name;
  if (isSaidTwice) {
    throw new UsageError(`Which one: ${name}, or --integration ${flags.integration}? 指定了两个不同的集成。`);
  }
  return { ...flags, integration: name };
};

export const limitOption = () =>
  new Option('--limit <n>', 'send so many records at most; the rest waits for a later run').argParser(countFromOne);
export const idOption = () =>
  new Option('--id <id>', 'send only the record of this id, may be repeated; the rest waits').argParser(collect);

/** Has the program end with the code that a command gives. */
export type Ending = <Given extends unknown[]>(
  command: (...given: Given) => Promise<ExitCode>,
) => (...given: Given) => Promise<void>;
