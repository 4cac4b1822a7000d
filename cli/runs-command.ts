import type { Integration } from '../lib/integration/schema/schema.ts';
import { gatherEvidence, readItems } from '../lib/runs/evidence.ts';
import type { RunRecord } from '../lib/runs/record.ts';
import { MissingChunkError } from '../lib/runs/store.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { integrationsMeant, noRuns, recentRuns, stampOf } from './find-run.ts';
import { fittedTable, terminalColumns } from './fitted-table.ts';
import type { Stores } from './stores.ts';
import { type StackFlags, withStores } from './with-stores.ts';
import { localTime, span, statusWord, waitingWords } from './words.ts';

export type RunsFlags = StackFlags & { integration?: string; limit: number; json?: boolean };

/** Prints the recent runs, newest first, one line each. */
export const runsCommand = async (flags: RunsFlags): Promise<ExitCode> => {
  const integrations = integrationsMeant(flags.integration);
  const runs = await withStores(flags, async (stores) =>
    withLoadCounts(await recentRuns(stores.runs, integrations, flags.limit), integrations, stores),
  );
  process.stdout.write(flags.json ? `${JSON.stringify({ runs })}\n` : runsText(runs, integrations));
  return exitCodes.ok;
};

/** Runs that are loading say how far they are: their books are stored only when they are reconciled. */
const withLoadCounts = async (
  runs: readonly RunRecord[],
  integrations: readonly Integration[],
  { idStore, runs: store }: Stores,
): Promise<RunRecord[]> => {
  const items = new Map<string, ReturnType<typeof readItems>>();
  return Promise.all(
    runs.map(async (run) => {
      const integration = integrations.find(({ name }) => name === run.integration);
      if (run.status !== 'loading' || integration === undefined) return run;
      const known = items.get(run.integration) ?? readItems(idStore, run.integration);
      items.set(run.integration, known);
      try {
        const { counts } = await gatherEvidence(run, await known, integration.target.metadata.idCheck, store);
        return { ...run, counts: { ...run.counts, ...counts } };
      } catch (error) {
        if (!(error instanceof MissingChunkError)) throw error;
        return run;
      }
    }),
  );
};

const runsText = (runs: readonly RunRecord[], integrations: readonly Integration[]): string => {
  if (runs.length === 0) return `${noRuns(integrations)}\n`;
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
  const fit = { cut: ['waiting'], cutFront: ['integration'], drop: ['started', 'took', 'integration', 'fetched'] };
  return `${fittedTable(header, rows, terminalColumns(), fit)}\n\nnpm start -- status RUN (or: last) shows one by stage 查看某次运行\n`;
};

const tookWords = ({ startedMs, closedMs }: RunRecord): string =>
  closedMs === undefined ? '-' : span(closedMs - startedMs);
