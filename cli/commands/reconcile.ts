import { type ExitCode, exitCodes } from '../../lib/operate/exit-code.ts';
import type { RunRecord } from '../../lib/runs/record.ts';
import type { StackFlags } from '../input/flags.ts';
import { integrationsMeant } from '../input/integration-choice.ts';
import { fittedTable, terminalColumns } from '../screen/table.ts';
import { statusWord, waitingWords } from '../screen/words.ts';
import { closingBooks } from '../stack/closing-books.ts';
import { withStores } from '../stack/with-stores.ts';

export type ReconcileFlags = StackFlags & { integration?: string; json?: boolean };

/** Balances the books of open runs now, as functions/reconcile does on its schedule. Exit 1 where some do not balance. */
export const reconcileCommand = async (flags: ReconcileFlags): Promise<ExitCode> => {
  const integrations = integrationsMeant(flags.integration);
  const runs = await withStores(flags, (stores) => closingBooks(stores)(integrations));
  process.stdout.write(flags.json ? `${JSON.stringify({ runs })}\n` : reconciledText(runs));
  return runs.some(({ status }) => status === 'unbalanced' || status === 'failed')
    ? exitCodes.unfinishedRecords
    : exitCodes.ok;
};

const IDS_SHOWN = 5;

const reconciledText = (runs: readonly RunRecord[]): string => {
  if (runs.length === 0) return 'No run is open. 没有待结账的运行。\n';
  const rows = runs.map((run) => [
    run.runId,
    statusWord(run),
    waitingWords(run),
    (run.unsettled?.open ?? []).slice(0, IDS_SHOWN).join(', '),
  ]);
  return `${fittedTable(['run', 'status', 'waiting', 'open ids'], rows, terminalColumns(), { cut: ['waiting', 'open ids'] })}\n`;
};
