import { type ExitCode, exitCodes } from '../../lib/operate/exit-code.ts';
import { drawUpRuns, type RunBooks } from '../../lib/operate/run-books.ts';
import { systemClock as clock } from '../../lib/runtime/clock.ts';
import type { StackFlags } from '../input/flags.ts';
import { integrationsMeant } from '../input/integration-choice.ts';
import { booksJson, waitingWords } from '../screen/books.ts';
import { fittedTable, terminalColumns } from '../screen/table.ts';
import { statusWord } from '../screen/words.ts';
import { closingBooks } from '../stack/closing-books.ts';
import { withStores } from '../stack/with-stores.ts';
import { print, shown } from '../terminal/print.ts';

export type ReconcileFlags = StackFlags & { integration?: string; json?: boolean };

/** Balances the books of open runs now, as functions/reconcile does on its schedule. Exit 1 where some do not balance. */
export const reconcileCommand = async (flags: ReconcileFlags): Promise<ExitCode> => {
  const integrations = integrationsMeant(flags.integration);
  const runs = await withStores(flags, async (stores) =>
    drawUpRuns(await closingBooks(stores)(integrations), integrations, { ...stores, clock }),
  );
  print(
    flags.json
      ? `${JSON.stringify({ runs: runs.map(({ run, ...books }) => ({ ...run, ...booksJson(books) })) })}\n`
      : reconciledText(shown(runs)),
  );
  return runs.some(({ run: { status } }) => status === 'unbalanced' || status === 'failed')
    ? exitCodes.unfinishedRecords
    : exitCodes.ok;
};

const IDS_SHOWN = 5;

const reconciledText = (runs: readonly RunBooks[]): string => {
  if (runs.length === 0) return 'No run is open. 没有待结账的运行。\n';
  const rows = runs.map(({ run, unsettled, ...books }) => [
    run.runId,
    statusWord({ run, ...books }),
    waitingWords({ run, ...books }),
    unsettled.open.slice(0, IDS_SHOWN).join(', '),
  ]);
  return `${fittedTable(['run', 'status', 'waiting', 'open ids'], rows, terminalColumns(), { cut: ['waiting', 'open ids'] })}\n`;
};
