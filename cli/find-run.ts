import { join } from 'node:path';
import { readIntegrations } from '../lib/integration/read.ts';
import type { Integration } from '../lib/integration/schema/schema.ts';
import type { RunRecord } from '../lib/runs/record.ts';
import type { RunStore } from '../lib/runs/store.ts';
import { SERVICE_DIR } from './embedded.ts';
import { UsageError } from './exit-code.ts';
import { chooseIntegration } from './integration-choice.ts';

/** The integrations that a command looks at: the one that is named, by name or file, or all shipped ones. */
export const integrationsMeant = (nameOrPath: string | undefined): Integration[] =>
  nameOrPath === undefined
    ? readIntegrations([join(SERVICE_DIR, 'integrations')]).integrations
    : [chooseIntegration(nameOrPath, SERVICE_DIR).integration];

/** The newest runs of several integrations, newest first. */
export const recentRuns = async (
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

/** The part of a run's id after its integration: `20261122T210000Z`. */
export const stampOf = ({ runId, integration }: Pick<RunRecord, 'runId' | 'integration'>): string =>
  runId.startsWith(`${integration}-`) ? runId.slice(integration.length + 1) : runId;

/** Says of which integrations no run is known: one that is not shipped must be named. */
export const noRuns = (integrations: readonly Integration[]): string => {
  const names = integrations.map(({ name }) => name).join(', ');
  return `There is no run of ${names} yet. --integration FILE looks at another. 还没有任何运行。`;
};

/** Runs looked through for one whose name is not given in full. */
const LOOKED_THROUGH = 500;

/**
 * The run that an operator means: its id, the beginning of its id or of its time, or `last`.
 * Throws UsageError where there is none, or more than one.
 */
export const findRun = async (
  runs: RunStore,
  integrations: readonly Integration[],
  word: string,
): Promise<RunRecord> => {
  if (word === 'last') {
    const [newest] = await recentRuns(runs, integrations, 1);
    if (newest === undefined) throw new UsageError(noRuns(integrations));
    return newest;
  }
  // A whole id names its integration, be it among the files here or not.
  const named = /^(.+)-\d{8}T\d{6}Z$/.exec(word)?.[1];
  const exact = named === undefined ? undefined : await runs.run(named, word);
  if (exact !== undefined) return exact;
  const candidates = (await recentRuns(runs, integrations, LOOKED_THROUGH)).filter(
    (run) => run.runId.startsWith(word) || stampOf(run).startsWith(word),
  );
  const [only, ...more] = candidates;
  if (only === undefined) {
    throw new UsageError(`There is no run ${JSON.stringify(word)}. okki-sync runs lists them. 没有这个运行。`);
  }
  if (more.length > 0) {
    const ids = candidates.slice(0, 5).map(({ runId }) => `  ${runId}`);
    throw new UsageError([`${JSON.stringify(word)} fits ${candidates.length} runs, such as`, ...ids].join('\n'));
  }
  return only;
};
