import type { Command } from 'commander';
import { countFromOne, type Ending, jsonOption, onStack, signed, someIntegrationOption } from '../input/options.ts';

/** Declares what looks at runs and records, and what a person may say of a record. */
export const declareLooking = (program: Command, ending: Ending): void => {
  onStack(program.command('runs'))
    .description('recent runs, one line each, newest first  最近的运行')
    .addOption(someIntegrationOption())
    .option('--limit <n>', 'at most so many', countFromOne, 20)
    .addOption(jsonOption())
    .action(ending(async (flags) => (await import('../commands/runs.ts')).runsCommand(flags)));

  onStack(program.command('status'))
    .description('one run by stage: counts, times, requests, warnings, what is not settled  某次运行的各环节')
    .argument('<run>', 'its id, the beginning of its id or of its time (20261122T21), or: last')
    .addOption(someIntegrationOption())
    .option('--watch', 'again and again until the run is closed (with --json one object a line)')
    .option('--ids', 'name every id that is not settled')
    .addOption(jsonOption())
    .action(ending(async (run, flags) => (await import('../commands/status.ts')).statusCommand(run, flags)));

  onStack(program.command('record'))
    .description('everything known of one record: idCheck, runs, dead letters, work by hand  一条记录的来龙去脉')
    .argument('<id>', "the source's id")
    .addOption(someIntegrationOption())
    .option('--runs <n>', 'how many recent runs are looked through', countFromOne, 20)
    .addOption(jsonOption())
    .action(ending(async (id, flags) => (await import('../commands/record.ts')).recordCommand(id, flags)));

  signed(onStack(program.command('resend')))
    .description('has the next run send refused records again whose letters are gone (discarded, expired)  重新发送')
    .argument('<id...>', 'ids of the records')
    .addOption(someIntegrationOption())
    .option('--yes', 'do not ask')
    .addOption(jsonOption())
    .action(ending(async (ids, flags) => (await import('../commands/resend.ts')).resendCommand(ids, flags)));

  onStack(program.command('reconcile'))
    .description('balances the books of open runs now  立即对账')
    .addOption(someIntegrationOption())
    .addOption(jsonOption())
    .action(ending(async (flags) => (await import('../commands/reconcile.ts')).reconcileCommand(flags)));
};
