import { setTimeout as sleep } from 'node:timers/promises';
import type { IdCheck } from '../../lib/idcheck/item.ts';
import type { Integration } from '../../lib/integration/schema.ts';
import { holds } from '../../lib/run/books.ts';
import { gatherEvidence, NAMED_IDS, readItems } from '../../lib/run/evidence.ts';
import { limitsOf } from '../../lib/run/limits.ts';
import type { RunRecord, Unsettled } from '../../lib/run/record.ts';
import type { ExitCode } from './exit-code.ts';
import { findRun, integrationsMeant } from './find-run.ts';
import { runExitCode, type Seen, statusText } from './status-text.ts';
import { messagesIn, type Stores } from './stores.ts';
import { type StackFlags, withStores } from './with-stores.ts';

export type StatusFlags = StackFlags & { integration?: string; watch?: boolean; ids?: boolean; json?: boolean };

const WATCH_EVERY_MS = 2_000;

/**
 * Prints a run's books by stage, drawn up now: what it sent is held against idCheck, as reconciliation does, and
 * nothing is written. With `watch` again and again until the run is closed. Throws UsageError for an unknown run.
 */
export const statusCommand = async (word: string, flags: StatusFlags): Promise<ExitCode> => {
  const integrations = integrationsMeant(flags.integration);
  return withStores(flags, async (stores) => {
    let run = await findRun(stores.runs, integrations, word);
    const integration = integrations.find(({ name }) => name === run.integration);
    for (;;) {
      const seen = await look(run, integration, stores, flags.ids === true);
      if (!flags.watch || isOver(seen.run)) {
        process.stdout.write(flags.json ? `${statusJson(seen)}\n` : statusText(seen));
        return runExitCode(seen.run);
      }
      // On a terminal the page is drawn again in its place; elsewhere pages follow each other.
      if (process.stdout.isTTY) process.stdout.write('\u001b[2J\u001b[H');
      process.stdout.write(flags.json ? `${statusJson(seen)}\n` : statusText(seen));
      await sleep(WATCH_EVERY_MS);
      run = (await stores.runs.run(run.integration, run.runId)) ?? run;
    }
  });
};

const isOver = ({ status }: RunRecord): boolean =>
  status === 'balanced' || status === 'unbalanced' || status === 'incomplete';

const look = async (
  run: RunRecord,
  integration: Integration | undefined,
  stores: Stores,
  isEveryIdNamed: boolean,
): Promise<Seen> => {
  const nowMs = Date.now();
  const lease = await stores.runs.lease(run.integration);
  const isUnderWay = lease !== undefined && lease.runId === run.runId && lease.untilMs > nowMs;
  const unsettled: Unsettled = { open: [], rejected: [], uncertain: [] };
  const queued = messagesIn(await stores.records.depth());
  const base = { integration, isUnderWay, queued, nowMs };
  // Without its file nobody knows whether the integration overwrites: then the books are shown as they were stored.
  if (integration === undefined) {
    return { ...base, run, unsettled: run.unsettled ?? unsettled, items: new Map<string, IdCheck>() };
  }
  const items = await readItems(stores.idStore, run.integration);
  const named = isEveryIdNamed ? Number.POSITIVE_INFINITY : NAMED_IDS;
  const evidence = await gatherEvidence(run, items, integration.target.metadata.idCheck, stores.runs, named);
  return {
    ...base,
    run: { ...run, counts: { ...run.counts, ...evidence.counts } },
    unsettled: evidence.unsettled,
    items,
  };
};

const statusJson = ({ run, unsettled, items, isUnderWay }: Seen): string => {
  const reasons = Object.values(unsettled)
    .flat()
    .flatMap((id) => {
      const { trouble } = items.get(id) ?? {};
      return trouble === undefined ? [] : [[id, trouble.reason] as const];
    });
  return JSON.stringify({
    ...run,
    limits: limitsOf(run),
    unsettled,
    reasons: Object.fromEntries(reasons),
    isUnderWay,
    balanced: run.status !== 'extracting' && run.status !== 'incomplete' && holds(run.counts),
  });
};
