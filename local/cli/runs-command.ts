import type { RunRecord } from '../../lib/run/record.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { integrationsMeant, recentRuns, stampOf } from './find-run.ts';
import { fittedTable, terminalColumns } from './fitted-table.ts';
import { type StackFlags, withStores } from './with-stores.ts';
import { localTime, span, statusWord, waitingWords } from './words.ts';

export type RunsFlags = StackFlags & { integration?: string; limit: number; json?: boolean };

/** Prints the recent runs, newest first, one line each. */
export const runsCommand = async (flags: RunsFlags): Promise<ExitCode> => {
  const integrations = integrationsMeant(flags.integration);
  const runs = await withStores(flags, (stores) => recentRuns(stores.runs, integrations, flags.limit));
  process.stdout.write(flags.json ? `${JSON.stringify({ runs })}\n` : runsText(runs));
  return exitCodes.ok;
};

const runsText = (runs: readonly RunRecord[]): string => {
  if (runs.length === 0) return 'No runs yet. 还没有任何运行。\n';
  const header = ['run', 'integration', 'status', 'started', 'took', 'fetched', 'sent', 'loaded', 'waiting'];
  const rows = runs.map((run) => [
    stampOf(run),
    run.integration,
    statusWord(run),
    localTime(run.startedMs),
    tookWords(run),
    String(run.counts.fetched),
    String(run.counts.enqueued),
    String(run.counts.loaded),
    waitingWords(run),
  ]);
  return `${fittedTable(header, rows, terminalColumns())}\n\nokki-sync status RUN (or: last) shows one by stage 查看某次运行\n`;
};

const tookWords = ({ startedMs, closedMs }: RunRecord): string =>
  closedMs === undefined ? '-' : span(closedMs - startedMs);
