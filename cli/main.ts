import { enableCompileCache } from 'node:module';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { deadLetterReasons } from '../lib/messages/dead-letter.ts';
import { ConfigurationError } from '../lib/runtime/fault.ts';
import { faultHelp } from '../local/sandbox/sandbox.ts';
import { type ExitCode, exitCodes, UsageError } from './exit-code.ts';
import { DEFAULT_INTEGRATION } from './integration-choice.ts';

// The stack's libraries are imported with the command that needs them; compiled once, they load in half the time.
enableCompileCache();

const wholeNumber = (text: string): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError('expected a whole number.');
  return value;
};

const countFromOne = (text: string): number => {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError('expected 1 or more.');
  return value;
};

const ratePerSec = (text: string): number => {
  if (!/^\d+(\.\d+)?$/.test(text) || Number(text) === 0) {
    throw new InvalidArgumentError('expected a number above 0, such as 5 or 0.5.');
  }
  return Number(text);
};

const collect = (text: string, before: string[] = []): string[] => [...before, text];

const integrationOption = () =>
  new Option('--integration <name|path>', 'the integration, by name or by its file').default(DEFAULT_INTEGRATION);
const dataDirOption = () =>
  new Option('--data-dir <dir>', 'where the embedded queues and tables are kept').default('.local');
const stageOption = () =>
  new Option('--stage <name>', 'a deployed stack instead of the embedded one, with your own AWS credentials');
const regionOption = () => new Option('--region <name>', 'its AWS region (default: that of your AWS configuration)');
/** Which stack a command looks at. */
const onStack = (command: Command): Command =>
  command.addOption(dataDirOption()).addOption(stageOption()).addOption(regionOption());
const someIntegrationOption = () =>
  new Option('--integration <name|path>', 'one integration only, by name or by its file (default: all shipped ones)');
const jsonOption = () => new Option('--json', 'print one JSON object and nothing else on stdout');
const groupsOption = () =>
  new Option('--groups <file>', 'groups for the sandbox: a JSON array, or lines of "id - A > B > C"');
const faultOption = () =>
  new Option(
    '--fault <fault>',
    'what the sandbox does wrong, may be repeated; see: npm start -- sandbox --help',
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
  .addOption(stageOption())
  .addOption(regionOption())
  .addOption(jsonOption())
  .addOption(groupsOption())
  .addOption(faultOption())
  .addHelpText(
    'after',
    '\nWith --stage the deployed stack is asked for a run, which is followed to its end.\n' +
      'Exit codes: 0 balanced, nothing dead-lettered; 1 finished, but records are rejected, uncertain or dead-lettered;\n' +
      '2 bad usage or configuration; 3 the run could not finish.\n\n' +
      'Environment: OKKI_BASE_URL, OKKI_CLIENT_ID, OKKI_CLIENT_SECRET; QINGYIYUN_BASE_URL, QINGYIYUN_TOKEN,\n' +
      'QINGYIYUN_RATE_LIMIT (such as 60/60s); CRM_BASE_URL, CRM_TOKEN, CRM_RATE_LIMIT.\n' +
      'Where a base URL is not set, the built-in sandbox stands in.',
  )
  .action(
    ending(async (flags) =>
      flags.stage === undefined
        ? (await import('./run-command.ts')).runCommand(flags)
        : (await import('./deployed-run-command.ts')).deployedRunCommand(flags),
    ),
  );

program
  .command('plan')
  .description('dry run: what would be created, overwritten, skipped, rejected; nothing is sent or written  预演')
  .addOption(integrationOption())
  .addOption(dataDirOption())
  .option('--fresh', 'plan as if nothing were known')
  .option('--full-refresh', 'plan a full refresh')
  .option('--from <file>', 'plan on a saved answer of the source, without asking it')
  .option('--limit <n>', 'show at most so many records of each kind, unchanged ones too (default: 5)', wholeNumber)
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
  .command('init')
  .description('writes a new integration file from two pasted blocks, asking for what they lack  新建集成文件')
  .option('--source <file>', 'the source block (with --target; without both: the two blocks on stdin)')
  .option('--target <file>', 'the target block')
  .option('--out <file>', 'where the file goes (default: integrations/NAME.json)')
  .addOption(new Option('--set <key=value>', 'an answer given beforehand, may be repeated').argParser(collect))
  .action(ending(async (flags) => (await import('./init-command.ts')).initCommand(flags)));

program
  .command('sandbox')
  .description('serves the sandbox source and target alone  启动沙箱')
  .addOption(groupsOption())
  .option('--port <n>', 'port on 127.0.0.1', wholeNumber, 8787)
  .addOption(faultOption())
  .addHelpText('after', `\n${faultHelp}`)
  .action(ending(async (flags) => (await import('./sandbox-command.ts')).sandboxCommand(flags)));

onStack(program.command('runs'))
  .description('recent runs, one line each, newest first  最近的运行')
  .addOption(someIntegrationOption())
  .option('--limit <n>', 'at most so many', countFromOne, 20)
  .addOption(jsonOption())
  .action(ending(async (flags) => (await import('./runs-command.ts')).runsCommand(flags)));

onStack(program.command('status'))
  .description('one run by stage: counts, times, requests, warnings, what is not settled  某次运行的各环节')
  .argument('<run>', 'its id, the beginning of its id or of its time (20261122T21), or: last')
  .addOption(someIntegrationOption())
  .option('--watch', 'again and again until the run is closed (with --json one object a line)')
  .option('--ids', 'name every id that is not settled')
  .addOption(jsonOption())
  .action(ending(async (run, flags) => (await import('./status-command.ts')).statusCommand(run, flags)));

onStack(program.command('record'))
  .description('everything known of one record: idCheck, runs, dead letters, work by hand  一条记录的来龙去脉')
  .argument('<id>', "the source's id")
  .addOption(someIntegrationOption())
  .option('--runs <n>', 'how many recent runs are looked through', countFromOne, 20)
  .addOption(jsonOption())
  .action(ending(async (id, flags) => (await import('./record-command.ts')).recordCommand(id, flags)));

onStack(program.command('reconcile'))
  .description('balances the books of open runs now  立即对账')
  .addOption(someIntegrationOption())
  .addOption(jsonOption())
  .action(ending(async (flags) => (await import('./reconcile-command.ts')).reconcileCommand(flags)));

const dlq = program.command('dlq').description('dead letters: what could not be loaded, and why  死信');
/** Which letters a command is about. */
const onLetters = (command: Command): Command =>
  onStack(command)
    .addOption(someIntegrationOption())
    .addOption(new Option('--reason <reason>', 'only letters with this reason').choices([...deadLetterReasons]))
    .option('--id <id>', 'only the letter of this record (or with this message id)')
    .option('--older-than <span>', 'only letters whose last failure is longer ago: 90s, 30m, 2h, 7d')
    .option('--limit <n>', 'at most so many', countFromOne)
    .addOption(jsonOption());
const byOption = () => new Option('--by <name>', 'who does it, for the audit log (default: your name here)');

onLetters(dlq.command('list'))
  .description('every dead letter by reason, with the words of the target  列出死信')
  .action(ending(async (flags) => (await import('./dlq-list-command.ts')).listCommand(flags)));

onStack(dlq.command('show'))
  .description('all that is known of one dead letter, and what a replay would send  查看一条死信')
  .argument('<id>', "the record's id, or the letter's message id")
  .addOption(someIntegrationOption())
  .addOption(jsonOption())
  .action(ending(async (id, flags) => (await import('./dlq-list-command.ts')).showCommand(id, flags)));

onLetters(dlq.command('replay'))
  .description('sends dead letters to be loaded again; on the embedded stack waits until they are  重放死信')
  .option('--rate <n>', 'letters a second (default: as fast as the target is allowed to take them)', ratePerSec)
  .option('--force', 'also records that were refused again after three replays')
  .option('--dry-run', 'only say what would be sent')
  .addOption(groupsOption())
  .addOption(faultOption())
  .action(ending(async (flags) => (await import('./dlq-replay-command.ts')).replayCommand(flags)));

onLetters(dlq.command('discard'))
  .description('deletes dead letters for good; who and why goes into the audit log  丢弃死信')
  .option('--all', 'every letter')
  .option('--why <text>', 'why, for the audit log')
  .addOption(byOption())
  .option('--yes', 'do not ask')
  .option('--dry-run', 'only say what would be discarded')
  .action(ending(async (flags) => (await import('./dlq-close-command.ts')).discardCommand(flags)));

onStack(dlq.command('resolve'))
  .description('says of uncertain records whether the target has them; their letters are deleted  裁定结果未知的记录')
  .argument('<id...>', 'ids of the records')
  .addOption(someIntegrationOption())
  .option('--loaded', 'the target has them: never sent again unless they change')
  .option('--not-loaded', 'the target has them not: the next run sends them')
  .option('--why <text>', 'how you know, for the audit log')
  .addOption(byOption())
  .addOption(jsonOption())
  .action(ending(async (ids, flags) => (await import('./dlq-close-command.ts')).resolveCommand(ids, flags)));

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
    case 'RunNotStartedError':
    case 'ItemBusyError':
    case 'FunctionError':
      return { words: error.message, code: exitCodes.runFailed };
    default:
      return undefined;
  }
};

/** `run` is what is meant where no command is named, but a misspelt one is no argument of it. */
const checkCommand = ([first]: readonly string[]): void => {
  if (first === undefined || first.startsWith('-') || first === 'help') return;
  if (program.commands.some((command) => command.name() === first)) return;
  const names = program.commands.map((command) => command.name()).join(', ');
  throw new UsageError(`There is no command ${JSON.stringify(first)}. There are: ${names}. 没有这个命令。`);
};

try {
  checkCommand(process.argv.slice(2));
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
