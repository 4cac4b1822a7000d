import type { Integration } from '../../lib/integration/schema/schema.ts';
import { type ExitCode, exitCodes } from '../../lib/operate/exit-code.ts';
import { pausedOf } from '../../lib/operate/pause.ts';
import type { RunBooks } from '../../lib/operate/run-books.ts';
import { listRuns, stampOf } from '../../lib/operate/runs.ts';
import type { RunRecord } from '../../lib/runs/record.ts';
import { systemClock as clock } from '../../lib/runtime/clock.ts';
import type { StackFlags } from '../input/flags.ts';
import { integrationsMeant } from '../input/integration-choice.ts';
import { booksJson, waitingWords } from '../screen/books.ts';
import { fittedTable, terminalColumns } from '../screen/table.ts';
import { localTime, noRuns, span, statusWord } from '../screen/words.ts';
import { withStores } from '../stack/with-stores.ts';
import { print, shown } from '../terminal/print.ts';

export type RunsFlags = StackFlags & { integration?: string; limit: number; json?: boolean };

/** Prints the recent runs, newest first, one line each, and which integrations are paused. */
export const runsCommand = async (flags: RunsFlags): Promise<ExitCode> => {
  const integrations = integrationsMeant(flags.integration);
  const names = integrations.map(({ name }) => name);
  const { runs, paused } = await withStores(flags, async (stores) => ({
    runs: await listRuns(integrations, flags.limit, { ...stores, clock }),
    paused: await pausedOf(names, stores),
  }));
  print(
    flags.json
      ? `${JSON.stringify({ runs: runs.map(({ run, ...books }) => ({ ...run, ...booksJson(books) })), paused })}\n`
      : `${runsText(shown(runs), integrations)}${pausedText(paused)}`,
  );
  return exitCodes.ok;
};

const runsText = (runs: readonly RunBooks[], integrations: readonly Integration[]): string => {
  if (runs.length === 0) return `${noRuns(integrations)}\n`;
  const header = ['run', 'integration', 'status', 'started', 'took', 'fetched', 'sent', 'loaded', 'waiting'];
  const rows = runs.map(({ run, ...books }) => [
    stampOf(run),
    run.integration,
    statusWord({ run, ...books }),
    localTime(run.startedMs),
    tookWords(run),
    String(run.counts.fetched),
    String(run.counts.enqueued),
    String(run.counts.loaded),
    waitingWords({ run, ...books }),
  ]);
  const fit = { cut: ['waiting'], cutFront: ['integration'], drop: ['started', 'took', 'integration', 'fetched'] };
  return `${fittedTable(header, rows, terminalColumns(), fit)}\n\nnpm start -- status RUN (or: last) shows one by stage 查看某次运行\n`;
};

const pausedText = (paused: Readonly<Record<string, number>>): string =>
  Object.entries(paused)
    .map(([name, sinceMs]) => `! ${name} is paused since ${localTime(sinceMs)} 已暂停 (npm start -- resume ${name})\n`)
    .join('');

const tookWords = ({ startedMs, closedMs }: RunRecord): string =>
  closedMs === undefined ? '-' : span(closedMs - startedMs);
