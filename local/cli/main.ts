import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { ConfigurationError } from '../../lib/integration/fault.ts';
import { deadLetterReasons } from '../../lib/load/dead-letter.ts';
import { faultHelp } from '../sandbox/sandbox.ts';
import { type ExitCode, exitCodes, UsageError } from './exit-code.ts';
import { DEFAULT_INTEGRATION } from './integration-choice.ts';

const wholeNumber = (text: string): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError('expected a whole number.');
  return value;
};

const collect = (text: string, before: string[] = []): string[] => [...before, text];

const integrationOption = () =>
  new Option('--integration <name|path>', 'the integration, by name or by its file').default(DEFAULT_INTEGRATION);
const dataDirOption = () =>
  new Option('--data-dir <dir>', 'where the embedded queues and tables are kept').default('.local');
const jsonOption = () => new Option('--json', 'print one JSON object and nothing else on stdout');
const groupsOption = () =>
  new Option('--groups <file>', 'groups for the sandbox: a JSON array, or lines of "id - A > B > C"');
const faultOption = () =>
  new Option(
    '--fault <fault>',
    'what the sandbox does wrong, may be repeated; see: okki-sync sandbox --help',
  ).argParser(collect);

let exitCode: ExitCode = exitCodes.ok;
const ending =
  <Arguments extends unknown[]>(command: (...given: Arguments) => Promise<ExitCode>) =>
  async (...given: Arguments): Promise<void> => {
    exitCode = await command(...given);
  };

const program = new Command('okki-sync')
  .description(
    'Keeps product groups of 小满 OKKI CRM in step with another system.\n' +
      '把小满 OKKI CRM 的产品分组(及其他列表)同步到另一个系统。',
  )
  .showHelpAfterError('(okki-sync --help lists the commands)')
  .exitOverride();

program
  .command('run', { isDefault: true })
  .description('one scheduled run to its end, on the embedded stack (the default command)  执行一次同步')
  .addOption(integrationOption())
  .addOption(dataDirOption())
  .option('--fresh', 'forget everything known before')
  .option('--full-refresh', 'send every record again, known or not (where idCheck is false)')
  .addOption(jsonOption())
  .addOption(groupsOption())
  .addOption(faultOption())
  .addHelpText(
    'after',
    '\nExit codes: 0 balanced, nothing dead-lettered; 1 finished, but records are rejected, uncertain or dead-lettered;\n' +
      '2 bad usage or configuration; 3 the run could not finish.\n\n' +
      'Environment: OKKI_BASE_URL, OKKI_CLIENT_ID, OKKI_CLIENT_SECRET; QINGYIYUN_BASE_URL, QINGYIYUN_TOKEN,\n' +
      'QINGYIYUN_RATE_LIMIT (such as 60/60s); CRM_BASE_URL, CRM_TOKEN, CRM_RATE_LIMIT.\n' +
      'Where a base URL is not set, the built-in sandbox stands in.',
  )
  .action(ending(async (flags) => (await import('./run-command.ts')).runCommand(flags)));

program
  .command('plan')
  .description('dry run: what would be created, overwritten, skipped, rejected; nothing is sent or written  预演')
  .addOption(integrationOption())
  .addOption(dataDirOption())
  .option('--fresh', 'plan as if nothing were known')
  .option('--full-refresh', 'plan a full refresh')
  .addOption(jsonOption())
  .addOption(groupsOption())
  .addOption(faultOption())
  .action(ending(async (flags) => (await import('./plan-command.ts')).planCommand(flags)));

program
  .command('validate')
  .description('checks integration files, all faults at once  校验集成配置')
  .argument('[path...]', 'files or folders (default: the shipped ones)')
  .addOption(jsonOption())
  .action(ending(async (paths, flags) => (await import('./validate-command.ts')).validateCommand(paths, flags)));

program
  .command('sandbox')
  .description('serves the sandbox source and target alone  启动沙箱')
  .addOption(groupsOption())
  .option('--port <n>', 'port on 127.0.0.1', wholeNumber, 8787)
  .addOption(faultOption())
  .addHelpText('after', `\n${faultHelp}`)
  .action(ending(async (flags) => (await import('./sandbox-command.ts')).sandboxCommand(flags)));

const dlq = program.command('dlq').description('dead letters: what could not be loaded, and why  死信');
const reasonOption = () =>
  new Option('--reason <reason>', 'only letters with this reason').choices([...deadLetterReasons]);

dlq
  .command('list')
  .description('every dead letter with its reason and the words of the target')
  .addOption(dataDirOption())
  .addOption(reasonOption())
  .option('--id <id>', 'only the letter of this record')
  .addOption(jsonOption())
  .action(ending(async (flags) => (await import('./dlq-command.ts')).listCommand(flags)));

dlq
  .command('replay')
  .description('sends dead letters to be loaded again, and waits until they are')
  .addOption(dataDirOption())
  .addOption(new Option('--integration <name|path>', 'only letters of this integration').default(DEFAULT_INTEGRATION))
  .addOption(reasonOption())
  .option('--id <id>', 'only the letter of this record')
  .option('--limit <n>', 'at most so many', wholeNumber)
  .option('--dry-run', 'only say what would be sent')
  .addOption(jsonOption())
  .addOption(groupsOption())
  .addOption(faultOption())
  .action(ending(async (flags) => (await import('./dlq-command.ts')).replayCommand(flags)));

/** What a known error is to the operator: words for stderr and an exit code. Undefined: a bug, shown whole. */
const explain = (error: unknown): { words: string; code: ExitCode } | undefined => {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof UsageError) return { words: error.message, code: exitCodes.usage };
  if (error instanceof ConfigurationError) {
    return { words: `The configuration has faults:\n${error.message}`, code: exitCodes.usage };
  }
  switch (error.name) {
    case 'DataDirInUseError':
    case 'DataDirUnreadableError':
    case 'ServiceFileError':
    case 'SandboxPortError':
    case 'StoreFileError':
      return { words: error.message, code: exitCodes.usage };
    case 'FunctionError':
      return { words: error.message, code: exitCodes.runFailed };
    default:
      return undefined;
  }
};

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Help and version end so, too; commander has printed its words.
    exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  } else {
    const known = explain(error);
    process.stderr.write(`${known?.words ?? (error instanceof Error ? error.stack : String(error))}\n`);
    exitCode = known?.code ?? exitCodes.runFailed;
  }
}
process.exitCode = exitCode;
