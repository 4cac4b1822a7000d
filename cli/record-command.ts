import { listLetters } from '../lib/messages/dead-letter-queue.ts';
import { type ExitCode, exitCodes, UsageError } from './exit-code.ts';
import { integrationsMeant } from './find-run.ts';
import { letterFacts } from './letter-text.ts';
import { type History, historyOf, isKnown, openSending } from './record-history.ts';
import { historyText } from './record-text.ts';
import { type StackFlags, withStores } from './with-stores.ts';

export type RecordFlags = StackFlags & { integration?: string; runs: number; json?: boolean };

/**
 * Prints everything known of a record: its idCheck item, the recent runs that carried it, its dead letters, and what
 * people did to them. Exit 1 where it is in trouble, or was sent and nothing came of it yet. Throws UsageError where
 * nothing is known of the id.
 */
export const recordCommand = async (id: string, flags: RecordFlags): Promise<ExitCode> => {
  const integrations = integrationsMeant(flags.integration);
  const histories = await withStores(flags, async (stores) => {
    const letters = await listLetters(stores.deadLetters, { id });
    const all: History[] = [];
    for (const integration of integrations) all.push(await historyOf(id, integration, letters, flags.runs, stores));
    return all.filter(isKnown);
  });
  if (histories.length === 0) {
    const names = integrations.map(({ name }) => name).join(', ');
    throw new UsageError(
      `Nothing is known of the id ${JSON.stringify(id)} in ${names}: idCheck has no item of it, none of the last ` +
        `${flags.runs} runs carried it (--runs N looks further back), and no dead letter waits for it. --integration FILE looks at another integration. 没有这条记录。`,
    );
  }
  process.stdout.write(
    flags.json ? `${JSON.stringify({ records: histories.map(forMachines) })}\n` : histories.map(historyText).join('\n'),
  );
  return histories.some(isTroubled) ? exitCodes.unfinishedRecords : exitCodes.ok;
};

const isTroubled = (history: History): boolean =>
  history.item?.trouble !== undefined || history.letters.length > 0 || openSending(history) !== undefined;

const forMachines = (history: History) => ({
  ...history,
  item: history.item ?? null,
  letters: history.letters.map(letterFacts),
  isOpen: openSending(history) !== undefined,
});
