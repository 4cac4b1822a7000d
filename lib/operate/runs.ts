import type { Integration } from '../integration/schema/schema.ts';
import type { RunRecord } from '../runs/record.ts';
import type { RunStore } from '../runs/store.ts';
import { type BooksDeps, drawUpRuns, type RunBooks } from './run-books.ts';

/** The newest runs of several integrations, newest first. */
const recentRuns = async (
  runs: RunStore,
  integrations: readonly Integration[],
  limit: number,
): Promise<RunRecord[]> => {
  const found = await Promise.all(integrations.map(({ name }) => runs.runs(name, limit)));
  return found
    .flat()
    .sort((a, b) => b.startedMs - a.startedMs)
    .slice(0, limit);
};

/** The newest runs of several integrations, newest first, with their books as they stand now. */
export const listRuns = async (
  integrations: readonly Integration[],
  limit: number,
  deps: BooksDeps,
): Promise<RunBooks[]> => drawUpRuns(await recentRuns(deps.runs, integrations, limit), integrations, deps);

/** The part of a run's id after its integration: `20261122T210000Z`. */
export const stampOf = ({ runId, integration }: Pick<RunRecord, 'runId' | 'integration'>): string =>
  runId.startsWith(`${integration}-`) ? runId.slice(integration.length + 1) : runId;

/** The run that somebody names, or why it is none. */
export type FoundRun =
  | { kind: 'found'; run: RunRecord }
  /** Asked for the last one, and there has never been any. */
  | { kind: 'no-runs' }
  | { kind: 'unknown' }
  | { kind: 'ambiguous'; runIds: string[] };

/** Runs looked through for one whose name is not given in full. */
const LOOKED_THROUGH = 500;

/** Finds a run by its id, by the beginning of its id or of its time, or by `last`. */
export const findRun = async (
  runs: RunStore,
  integrations: readonly Integration[],
  word: string,
): Promise<FoundRun> => {
  if (word === 'last') {
    const [run] = await recentRuns(runs, integrations, 1);
    return run === undefined ? { kind: 'no-runs' } : { kind: 'found', run };
  }
  // A whole id names its integration, be it among the files here or not.
  const named = /^(.+)-\d{8}T\d{6}Z$/.exec(word)?.[1];
  const exact = named === undefined ? undefined : await runs.run(named, word);
  if (exact !== undefined) return { kind: 'found', run: exact };
  const candidates = (await recentRuns(runs, integrations, LOOKED_THROUGH)).filter(
    (run) => run.runId.startsWith(word) || stampOf(run).startsWith(word),
  );
  const [run, ...more] = candidates;
  if (run === undefined) return { kind: 'unknown' };
  return more.length === 0
    ? { kind: 'found', run }
    : { kind: 'ambiguous', runIds: candidates.map(({ runId }) => runId) };
};
