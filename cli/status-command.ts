import { setTimeout as sleep } from 'node:timers/promises';
import type { IdCheck } from '../lib/idcheck/item.ts';
import type { Integration } from '../lib/integration/schema/schema.ts';
import { holds } from '../lib/runs/books.ts';
import { gatherEvidence, NAMED_IDS, readItems } from '../lib/runs/evidence.ts';
import { limitsOf } from '../lib/runs/limits.ts';
import type { RunRecord, Unsettled } from '../lib/runs/record.ts';
import type { ExitCode } from './exit-code.ts';
import { findRun, integrationsMeant } from './find-run.ts';
import { runExitCode, type Seen, statusText } from './status-text.ts';
import { messagesIn, type Stores } from './stores.ts';
import { type StackFlags, withStores } from './with-stores.ts';

export type StatusFlags = StackFlags & { integration?: string; watch?: boolean; ids?: boolean; json?: boolean };

const WATCH_EVERY_MS = 2_000;
/**
 * The stores are opened anew for each look: the process whose servers are used may end before the run's books are seen
 * closed, and its servers are gone while it does.
 */
const MAX_FAILED_LOOKS = 5;

/**
 * Prints a run's books by stage, drawn up now: what it sent is held against idCheck, as reconciliation does, and
 * nothing is written. With `watch` again and again until the run is closed. Throws UsageError for an unknown run.
 */
export const statusCommand = async (word: string, flags: StatusFlags): Promise<ExitCode> => {
  const integrations = integrationsMeant(flags.integration);
  let watched: RunRecord | undefined;
  const lookOnce = () =>
    withStores(flags, async (stores) => {
      const known = watched && (await stores.runs.run(watched.integration, watched.runId));
      watched = known ?? watched ?? (await findRun(stores.runs, integrations, word));
      const integration = integrations.find(({ name }) => name === watched?.integration);
      return look(watched, integration, stores, flags.ids === true);
    });
  for (let failed = 0; ; ) {
    let seen: Seen;
    try {
      seen = await lookOnce();
      failed = 0;
    } catch (error) {
      failed += 1;
      if (!flags.watch || watched === undefined || failed > MAX_FAILED_LOOKS) throw error;
      await sleep(WATCH_EVERY_MS);
      continue;
    }
    const isLast = !flags.watch || isOver(seen.run);
    // On a terminal the page is drawn again in its place; elsewhere pages follow each other.
    if (!isLast && process.stdout.isTTY && !flags.json) process.stdout.write('\u001b[2J\u001b[H');
    process.stdout.write(flags.json ? `${statusJson(seen)}\n` : statusText(seen));
    if (isLast) return runExitCode(seen.run);
    await sleep(WATCH_EVERY_MS);
  }
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
