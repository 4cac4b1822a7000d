import type { ConnectionRest } from '../connection/limit/health.ts';
import type { Integration } from '../integration/schema/schema.ts';
import { NAMED_IDS } from '../runs/evidence.ts';
import { limitsOf, type RunLimits } from '../runs/limits.ts';
import { unsentIn } from '../runs/line.ts';
import type { RunRecord } from '../runs/record.ts';
import { type Clock, lasts, reachMs } from '../runtime/clock.ts';
import type { Stores } from '../stores/stores.ts';
import { type ConnectionPause, pausesOf, restsNow } from './pauses.ts';
import { type BooksDeps, drawUpRuns, type RunBooks } from './run-books.ts';

/** A run as it is seen at one moment. */
export type RunLook = RunBooks & {
  /** Absent: there is no file of it here, and the books are those that were stored last. */
  integration: Integration | undefined;
  limits: RunLimits;
  /** Ends that ask to wait now, while the run is not closed. */
  pauses: ConnectionPause[];
  /** What holds up its records now, while it is not closed: the target is down, or not understood. */
  rests: ConnectionRest[];
  /** How many of its records wait in its ledger for their turn. */
  unsent: number;
  /** An invocation holds the lease for it. */
  isUnderWay: boolean;
  /** Letters of its integration that wait; absent: nobody counted them. */
  deadLetters?: number;
  atMs: number;
};

export type LookDeps = BooksDeps & Pick<Stores, 'limiter' | 'health'>;

/** A run's books as they stand now, with limits, pauses and who works on it. Names a few ids of each kind, or all. */
export const lookAtRun = async (
  run: RunRecord,
  integration: Integration | undefined,
  deps: LookDeps,
  { everyId = false }: { everyId?: boolean } = {},
): Promise<RunLook> => {
  const atMs = deps.clock.nowMs();
  const lease = await deps.runs.lease(run.integration);
  const isUnderWay = lease !== undefined && lease.runId === run.runId && lasts(lease.untilMs, atMs, reachMs.invocation);
  const known = integration === undefined ? [] : [integration];
  const [books] = await drawUpRuns([run], known, deps, everyId ? Number.POSITIVE_INFINITY : NAMED_IDS);
  if (books === undefined) throw new Error('one run has one books');
  return {
    ...books,
    integration,
    limits: limitsOf(run),
    pauses: integration === undefined || isClosed(run) ? [] : await pausesOf(integration, deps.limiter),
    rests: integration === undefined || isClosed(run) ? [] : await restsNow(integration, deps.health),
    unsent: unsentIn(await deps.runs.line(run.integration), run.runId)?.left ?? 0,
    isUnderWay,
    atMs,
  };
};

/** Whether nothing more comes of a run by itself. */
export const isClosed = ({ status }: Pick<RunRecord, 'status'>): boolean =>
  status === 'balanced' || status === 'unbalanced' || status === 'incomplete' || status === 'failed';

const WATCH_EVERY_MS = 2_000;
/** So many looks in a row may fail: a process that lends its servers may end before the run is seen closed. */
const MAX_FAILED_LOOKS = 5;

/**
 * Looks again and again; the last look is the one at the closed run. Throws a look's error when too many fail in a row.
 */
export async function* watchRun(look: () => Promise<RunLook>, clock: Clock): AsyncGenerator<RunLook, void> {
  for (let failed = 0; ; await clock.sleep(WATCH_EVERY_MS)) {
    let seen: RunLook;
    try {
      seen = await look();
    } catch (error) {
      failed += 1;
      if (failed > MAX_FAILED_LOOKS) throw error;
      continue;
    }
    failed = 0;
    yield seen;
    // A person may have reopened records of a closed run: nothing more comes of them by itself.
    if (isClosed(seen.run) || seen.run.closedMs !== undefined) return;
  }
}
