import { type ExitCode, exitCodes } from '../../lib/operate/exit-code.ts';
import { type History, isOpen, recordHistories } from '../../lib/operate/record-history.ts';
import type { StackFlags } from '../input/flags.ts';
import { integrationsMeant } from '../input/integration-choice.ts';
import { UsageError } from '../input/usage-error.ts';
import { historyText } from '../screen/record.ts';
import { withStores } from '../stack/with-stores.ts';
import { print, shown } from '../terminal/print.ts';

export type RecordFlags = StackFlags & { integration?: string; runs: number; json?: boolean };

/**
 * Prints everything known of a record: its idCheck item, the recent runs that carried it, its dead letters, and what
 * people did to them. Throws UsageError where nothing is known of the id.
 */
export const recordCommand = async (id: string, flags: RecordFlags): Promise<ExitCode> => {
  const integrations = integrationsMeant(flags.integration);
  const histories = await withStores(flags, (stores) => recordHistories(id, integrations, flags.runs, stores));
  if (histories.length === 0) {
    const names = integrations.map(({ name }) => name).join(', ');
    throw new UsageError(
      `Nothing is known of the id ${JSON.stringify(id)} in ${names}: idCheck has no item of it, none of the last ` +
        `${flags.runs} runs carried it (--runs N looks further back), and no dead letter waits for it. --integration FILE looks at another integration. 没有这条记录。`,
    );
  }
  print(
    flags.json
      ? `${JSON.stringify({ records: histories.map(forMachines) })}\n`
      : histories.map((one) => historyText(shown(one))).join('\n'),
  );
  return exitCodes.ok;
};

const forMachines = (history: History) => ({ ...history, item: history.item ?? null, isOpen: isOpen(history) });
