import { type Command, Option } from 'commander';
import { faultHelp } from '../../local/sandbox/sandbox.ts';
import {
  collect,
  dataDirOption,
  type Ending,
  faultOption,
  groupsOption,
  idOption,
  integrationOption,
  jsonOption,
  limitOption,
  named,
  onNamed,
  onStack,
  regionOption,
  sandboxOption,
  signed,
  someIntegrationOption,
  stageOption,
  wholeNumber,
} from '../input/options.ts';

/** Declares what runs an integration, and what makes and checks its file. */
export const declareRunning = (program: Command, ending: Ending): void => {
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
      ending(async (name, flags, command) =>
        (await import('../commands/run.ts')).runCommand(named(name, flags, command)),
      ),
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
        (await import('../commands/plan.ts')).planCommand(named(name, flags, command)),
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
        (await import('../commands/adopt.ts')).adoptCommand(named(name, flags, command)),
      ),
    );

  program
    .command('validate')
    .description('checks integration files, all faults at once  校验集成配置')
    .argument('[path...]', 'files or folders (default: the shipped ones)')
    .addOption(jsonOption())
    .action(ending(async (paths, flags) => (await import('../commands/validate.ts')).validateCommand(paths, flags)));

  program
    .command('init')
    .description('writes a new integration file from two pasted blocks, asking for what they lack  新建集成文件')
    .option('--source <file>', 'the source block (with --target; without both: the two blocks on stdin)')
    .option('--target <file>', 'the target block')
    .option('--out <file>', 'where the file goes (default: integrations/NAME.json)')
    .addOption(new Option('--set <key=value>', 'an answer given beforehand, may be repeated').argParser(collect))
    .action(ending(async (flags) => (await import('../commands/init.ts')).initCommand(flags)));

  program
    .command('sandbox')
    .description('serves the sandbox source and target alone  启动沙箱')
    .addOption(groupsOption())
    .option('--port <n>', 'port on 127.0.0.1', wholeNumber, 8787)
    .addOption(faultOption())
    .addHelpText('after', `\n${faultHelp}`)
    .action(ending(async (flags) => (await import('../commands/sandbox.ts')).sandboxCommand(flags)));
};
