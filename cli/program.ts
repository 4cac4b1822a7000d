import { Command, Option } from 'commander';
import { deadLetterReasons } from '../lib/messages/dead-letter-reasons.ts';
import { type ExitCode, exitCodes } from '../lib/operate/exit-code.ts';
import { faultHelp } from '../local/sandbox/sandbox.ts';
import {
  collect,
  countFromOne,
  dataDirOption,
  faultOption,
  groupsOption,
  idOption,
  integrationOption,
  jsonOption,
  limitOption,
  named,
  onNamed,
  onStack,
  ratePerSec,
  regionOption,
  sandboxOption,
  signed,
  someIntegrationOption,
  stageOption,
  wholeNumber,
} from './input/options.ts';

let exitCode: ExitCode = exitCodes.ok;
const ending =
  <Arguments extends unknown[]>(command: (...given: Arguments) => Promise<ExitCode>) =>
  async (...given: Arguments): Promise<void> => {
    exitCode = await command(...given);
  };

export const program = new Command('okki-sync')
  .description(
    'Keeps product groups of 小满 OKKI CRM in step with another system.\n' +
      '把小满 OKKI CRM 的产品分组(及其他列表)同步到另一个系统。',
  )
  .showHelpAfterError('(okki-sync --help lists the commands)')
  .exitOverride();

onNamed(program.command('run', { isDefault: true }))
  .description('one scheduled run to its end, on the embedded stack (the default command)  执行一次同步')
  .addOption(integrationOption())
  .addOption(limitOption())
  .addOption(idOption())
  .addOption(dataDirOption())
  .option('--fresh', 'forget what is known of this integration: all is sent again (asks where the target is real)')
  .option('--full-refresh', 'send every record again, known or not (where idCheck is false)')
  .option(
    '--yes',
    'take a list of less than half of the rows before as it is, send what a changed mapping overwrites, and do not ask for --fresh',
  )
  .option(
    '--max-wait <span>',
    'how long an end that asks to wait (429, Retry-After) or is down is waited for: 90s, 30m, 2h (default: 10m; not with --stage)',
  )
  .addOption(stageOption())
  .addOption(regionOption())
  .addOption(jsonOption())
  .addOption(sandboxOption())
  .addOption(groupsOption())
  .addOption(faultOption())
  .addHelpText(
    'after',
    '\nWith --stage the deployed stack is asked for a run, which is followed to its end.\n' +
      'Exit codes: 0 balanced, nothing dead-lettered; 1 finished, but records are rejected, uncertain or dead-lettered;\n' +
      '2 bad usage or configuration; 3 the run could not finish. Commands that only look end with 0 where they answer.\n\n' +
      'Environment: OKKI_BASE_URL, OKKI_CLIENT_ID, OKKI_CLIENT_SECRET; QINGYIYUN_BASE_URL, QINGYIYUN_TOKEN,\n' +
      'QINGYIYUN_RATE_LIMIT (such as 60/60s); CRM_BASE_URL, CRM_TOKEN, CRM_RATE_LIMIT.\n' +
      'Where neither base URL is set, the built-in sandbox stands in for both.',
  )
  .action(
    ending(async (name, flags, command) => (await import('./commands/run.ts')).runCommand(named(name, flags, command))),
  );

onNamed(program.command('plan'))
  .description('dry run: what would be created, overwritten, skipped, rejected; nothing is sent or written  预演')
  .addOption(integrationOption())
  .addOption(limitOption())
  .addOption(idOption())
  .addOption(dataDirOption())
  .option('--fresh', 'plan as if nothing were known')
  .option('--full-refresh', 'plan a full refresh')
  .option('--from <file>', 'plan on a saved answer of the source, without asking it')
  .option('--show <n>', 'show at most so many records of each kind, unchanged ones too (default: 5)', wholeNumber)
  .addOption(jsonOption())
  .addOption(sandboxOption())
  .addOption(groupsOption())
  .addOption(faultOption())
  .action(
    ending(async (name, flags, command) =>
      (await import('./commands/plan.ts')).planCommand(named(name, flags, command)),
    ),
  );

signed(onStack(onNamed(program.command('adopt'))))
  .description('records what the source gives as already loaded in the target; nothing is sent  接管已有数据的目标')
  .addOption(someIntegrationOption())
  .option('--ids <file>', 'only these ids: one a line, a JSON list, or the first column of a CSV')
  .option('--yes', 'do not ask')
  .addOption(jsonOption())
  .addOption(sandboxOption())
  .addOption(groupsOption())
  .addOption(faultOption())
  .addHelpText(
    'after',
    '\nThe next plan proves it: what was taken over is unchanged. What is known already is left as it is.\n' +
      'Exit codes: as of run; 1 also where an id of the file is not in the source.',
  )
  .action(
    ending(async (name, flags, command) =>
      (await import('./commands/adopt.ts')).adoptCommand(named(name, flags, command)),
    ),
  );

program
  .command('validate')
  .description('checks integration files, all faults at once  校验集成配置')
  .argument('[path...]', 'files or folders (default: the shipped ones)')
  .addOption(jsonOption())
  .action(ending(async (paths, flags) => (await import('./commands/validate.ts')).validateCommand(paths, flags)));

program
  .command('init')
  .description('writes a new integration file from two pasted blocks, asking for what they lack  新建集成文件')
  .option('--source <file>', 'the source block (with --target; without both: the two blocks on stdin)')
  .option('--target <file>', 'the target block')
  .option('--out <file>', 'where the file goes (default: integrations/NAME.json)')
  .addOption(new Option('--set <key=value>', 'an answer given beforehand, may be repeated').argParser(collect))
  .action(ending(async (flags) => (await import('./commands/init.ts')).initCommand(flags)));

program
  .command('sandbox')
  .description('serves the sandbox source and target alone  启动沙箱')
  .addOption(groupsOption())
  .option('--port <n>', 'port on 127.0.0.1', wholeNumber, 8787)
  .addOption(faultOption())
  .addHelpText('after', `\n${faultHelp}`)
  .action(ending(async (flags) => (await import('./commands/sandbox.ts')).sandboxCommand(flags)));

onStack(program.command('runs'))
  .description('recent runs, one line each, newest first  最近的运行')
  .addOption(someIntegrationOption())
  .option('--limit <n>', 'at most so many', countFromOne, 20)
  .addOption(jsonOption())
  .action(ending(async (flags) => (await import('./commands/runs.ts')).runsCommand(flags)));

onStack(program.command('status'))
  .description('one run by stage: counts, times, requests, warnings, what is not settled  某次运行的各环节')
  .argument('<run>', 'its id, the beginning of its id or of its time (20261122T21), or: last')
  .addOption(someIntegrationOption())
  .option('--watch', 'again and again until the run is closed (with --json one object a line)')
  .option('--ids', 'name every id that is not settled')
  .addOption(jsonOption())
  .action(ending(async (run, flags) => (await import('./commands/status.ts')).statusCommand(run, flags)));

onStack(program.command('record'))
  .description('everything known of one record: idCheck, runs, dead letters, work by hand  一条记录的来龙去脉')
  .argument('<id>', "the source's id")
  .addOption(someIntegrationOption())
  .option('--runs <n>', 'how many recent runs are looked through', countFromOne, 20)
  .addOption(jsonOption())
  .action(ending(async (id, flags) => (await import('./commands/record.ts')).recordCommand(id, flags)));

signed(onStack(program.command('resend')))
  .description('has the next run send refused records again whose letters are gone (discarded, expired)  重新发送')
  .argument('<id...>', 'ids of the records')
  .addOption(someIntegrationOption())
  .option('--yes', 'do not ask')
  .addOption(jsonOption())
  .action(ending(async (ids, flags) => (await import('./commands/resend.ts')).resendCommand(ids, flags)));

onStack(program.command('reconcile'))
  .description('balances the books of open runs now  立即对账')
  .addOption(someIntegrationOption())
  .addOption(jsonOption())
  .action(ending(async (flags) => (await import('./commands/reconcile.ts')).reconcileCommand(flags)));

/** What a person says of an end that is at another address. */
const onEnd = (side: 'source' | 'target', verdict: 'same' | 'new', parent: Command, description: string): void => {
  signed(onStack(parent.command(verdict)))
    .description(description)
    .argument('<name|path>', 'the integration, by name or by its file')
    .addOption(sandboxOption())
    .option('--yes', 'do not ask')
    .addOption(jsonOption())
    .action(ending(async (name, flags) => (await import('./commands/ends.ts')).endCommand(side, verdict, name, flags)));
};

const target = program
  .command('target')
  .description("after a change of the target's address: keep the state, or begin anew  目标地址变更后的处理");
onEnd('target', 'same', target, 'the same system at another address: the state is kept  系统搬迁,保留状态');
onEnd('target', 'new', target, 'another system: all is sent again, letters stay to be read  另一个系统,重新开始');

const source = program
  .command('source')
  .description("after a change of the source's address: keep the state, or begin anew  源地址变更后的处理");
onEnd('source', 'same', source, 'the same system at another address  系统搬迁,保留状态');
onEnd('source', 'new', source, 'another system: what it lacks has not vanished  另一个系统,旧记录不算消失');

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

onLetters(dlq.command('list'))
  .description('every dead letter by reason, with the words of the target  列出死信')
  .action(ending(async (flags) => (await import('./commands/letters.ts')).listCommand(flags)));

onStack(dlq.command('show'))
  .description('all that is known of one dead letter, and what a replay would send  查看一条死信')
  .argument('<id>', "the record's id, or the letter's message id")
  .addOption(someIntegrationOption())
  .addOption(jsonOption())
  .action(ending(async (id, flags) => (await import('./commands/letters.ts')).showCommand(id, flags)));

signed(onLetters(dlq.command('replay')))
  .description('sends dead letters to be loaded again, uncertain ones only where --reason or --id names them  重放死信')
  .option('--rate <n>', 'letters a second (default: as fast as the target is allowed to take them)', ratePerSec)
  .option('--force', 'also records that were refused again after three replays')
  .option('--dry-run', 'only say what would be sent')
  .addOption(sandboxOption())
  .addOption(groupsOption())
  .addOption(faultOption())
  .action(ending(async (flags) => (await import('./commands/replay.ts')).replayCommand(flags)));

signed(onLetters(dlq.command('discard')))
  .description('deletes dead letters of one integration for good; who and why goes into the audit log  丢弃死信')
  .option('--all', 'every letter of the integration')
  .option('--yes', 'do not ask')
  .option('--dry-run', 'only say what would be discarded')
  .action(ending(async (flags) => (await import('./commands/close-letters.ts')).discardCommand(flags)));

signed(onStack(dlq.command('resolve')), 'how you know, for the audit log')
  .description('says of uncertain records whether the target has them; their letters are deleted  裁定结果未知的记录')
  .argument('<id...>', 'ids of the records')
  .addOption(someIntegrationOption())
  .option('--loaded', 'the target has them: never sent again unless they change')
  .option('--not-loaded', 'the target has them not: the next run sends them')
  .addOption(jsonOption())
  .action(ending(async (ids, flags) => (await import('./commands/close-letters.ts')).resolveCommand(ids, flags)));

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
]);

/** Runs the command that the process was started with. Throws what it throws, and CommanderError for bad usage. */
export const runProgram = async (): Promise<ExitCode> => {
  await program.parseAsync();
  return exitCode;
};
