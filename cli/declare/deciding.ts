import { type Command, Option } from 'commander';
import { deadLetterReasons } from '../../lib/messages/dead-letter-reasons.ts';
import {
  countFromOne,
  type Ending,
  faultOption,
  groupsOption,
  jsonOption,
  onStack,
  ratePerSec,
  sandboxOption,
  signed,
  someIntegrationOption,
} from '../input/options.ts';

/** Declares what a person decides: of an end that is at another address, and of dead letters. */
export const declareDeciding = (program: Command, ending: Ending): void => {
  /** What a person says of an end that is at another address. */
  const onEnd = (side: 'source' | 'target', verdict: 'same' | 'new', parent: Command, description: string): void => {
    signed(onStack(parent.command(verdict)))
      .description(description)
      .argument('<name|path>', 'the integration, by name or by its file')
      .addOption(sandboxOption())
      .option('--yes', 'do not ask')
      .addOption(jsonOption())
      .action(
        ending(async (name, flags) => (await import('../commands/ends.ts')).endCommand(side, verdict, name, flags)),
      );
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

  for (const [word, isPaused, description] of [
    ['pause', true, 'its schedule starts no run until resume; what is queued is loaded all the same  暂停调度'],
    ['resume', false, 'its schedule starts runs again  恢复调度'],
  ] as const) {
    signed(onStack(program.command(word)))
      .description(description)
      .argument('<name|path>', 'the integration, by name or by its file')
      .addOption(jsonOption())
      .action(
        ending(async (name, flags) => (await import('../commands/pause.ts')).pauseCommand(isPaused, name, flags)),
      );
  }

  signed(onStack(program.command('rename')))
    .description('lets an integration go on under another name: what is known and its letters go with it  集成改名')
    .argument('<old>', 'its name until now')
    .argument('<new>', 'its name from now on; its file is yours to rename')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nMessages of the old name that are on their way end without a request; the first run of the new name sends what they\n' +
        'carried. Exit codes: 0 renamed, or was so before; 2 it cannot be renamed now; 3 others write to it: try again.',
    )
    .action(ending(async (from, to, flags) => (await import('../commands/rename.ts')).renameCommand(from, to, flags)));

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
    .action(ending(async (flags) => (await import('../commands/letters.ts')).listCommand(flags)));

  onStack(dlq.command('show'))
    .description('all that is known of one dead letter, and what a replay would send  查看一条死信')
    .argument('<id>', "the record's id, or the letter's message id")
    .addOption(someIntegrationOption())
    .addOption(jsonOption())
    .action(ending(async (id, flags) => (await import('../commands/letters.ts')).showCommand(id, flags)));

  signed(onLetters(dlq.command('replay')))
    .description(
      'sends dead letters to be loaded again, uncertain ones only where --reason or --id names them  重放死信',
    )
    .option('--rate <n>', 'letters a second (default: as fast as the target is allowed to take them)', ratePerSec)
    .option('--force', 'also records that were refused again after three replays')
    .option('--dry-run', 'only say what would be sent')
    .addOption(sandboxOption())
    .addOption(groupsOption())
    .addOption(faultOption())
    .action(ending(async (flags) => (await import('../commands/replay.ts')).replayCommand(flags)));

  signed(onLetters(dlq.command('discard')))
    .description('deletes dead letters of one integration for good; who and why goes into the audit log  丢弃死信')
    .option('--all', 'every letter of the integration')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'only say what would be discarded')
    .action(ending(async (flags) => (await import('../commands/close-letters.ts')).discardCommand(flags)));

  signed(onStack(dlq.command('resolve')), 'how you know, for the audit log')
    .description('says of uncertain records whether the target has them; their letters are deleted  裁定结果未知的记录')
    .argument('<id...>', 'ids of the records')
    .addOption(someIntegrationOption())
    .option('--loaded', 'the target has them: never sent again unless they change')
    .option('--not-loaded', 'the target has them not: the next run sends them')
    .addOption(jsonOption())
    .action(ending(async (ids, flags) => (await import('../commands/close-letters.ts')).resolveCommand(ids, flags)));
};
