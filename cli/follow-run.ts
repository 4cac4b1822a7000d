import { setTimeout as sleep } from 'node:timers/promises';
import type { Integration } from '../lib/integration/schema/schema.ts';
import { gatherEvidence, readItems } from '../lib/runs/evidence.ts';
import type { RunRecord } from '../lib/runs/record.ts';
import type { Backlog } from '../local/stack/stack.ts';
import type { Embedded } from './embedded.ts';

/** A run as it is when there is nothing left to wait for. */
export type Followed = {
  run: RunRecord;
  /** Messages whose function failed; they come back when their visibility timeout ends, or with the next start. */
  stranded: number;
};

export type Following = {
  onState(run: RunRecord, backlog: Backlog): void;
  isStopped(): boolean;
};

const POLL_MS = 100;
const READING_POLL_MS = 500;
/** How often idCheck is asked whether all records are settled while messages only wait. */
const EVIDENCE_EVERY_MS = 1_000;
/** A poller holds messages up to its batching window (1 s) before a function gets them: only then are they nobody's. */
const STRANDED_AFTER_MS = 3_000;
/** Runs looked back on for books that are still open, such as those of a run that was stopped. */
const RUNS_LOOKED_AT = 10;

/**
 * Waits until a run is over, which is when
 *
 * - the queues are empty; or
 * - all its records are settled, and what still waits are second copies of their messages; or
 * - what is left belongs to invocations that failed, whose messages stay hidden for minutes.
 *
 * Records that wait to be tried again are waited for, however long it takes; the books are drawn up only then, since
 * an outcome that is uncertain now may be known a second later.
 */
export const followRun = async (
  { stack, stores }: Embedded,
  { name: integration, target }: Integration,
  runId: string,
  { onState, isStopped }: Following,
): Promise<Followed> => {
  const read = async (): Promise<RunRecord> => {
    const run = await stores.runs.run(integration, runId);
    if (run === undefined) throw new Error(`the run ${runId} has left no record`);
    return run;
  };
  const closeBooks = async (): Promise<RunRecord> => {
    const recent = await stores.runs.runs(integration, RUNS_LOOKED_AT);
    const isOpen = recent.some(({ status }) => status === 'loading' || status === 'unbalanced');
    if (isOpen) await stack.invoke('reconcile', { kind: 'reconcile' });
    return read();
  };

  const isSettled = async (run: RunRecord): Promise<boolean> => {
    const items = await readItems(stores.idStore, integration);
    const { counts, deletions } = await gatherEvidence(run, items, target.metadata.idCheck, stores.runs);
    return [counts, ...(deletions ? [deletions] : [])].every(({ open, uncertain }) => open + uncertain === 0);
  };

  let quietSinceMs: number | undefined;
  let evidenceAtMs = 0;
  while (!isStopped()) {
    const run = await read();
    const backlog = stack.backlog();
    onState(run, backlog);
    const { visible, inFlight, delayed, running } = backlog;
    if (visible + inFlight + delayed + running === 0) return { run: await closeBooks(), stranded: 0 };

    const nowMs = Date.now();
    quietSinceMs = visible + delayed + running === 0 ? (quietSinceMs ?? nowMs) : undefined;
    if (quietSinceMs !== undefined && nowMs - quietSinceMs > STRANDED_AFTER_MS) {
      const closed = await closeBooks();
      return { run: closed, stranded: closed.status === 'balanced' ? 0 : inFlight };
    }
    if (run.status === 'loading' && visible + running === 0 && nowMs - evidenceAtMs > EVIDENCE_EVERY_MS) {
      if (await isSettled(run)) return { run: await closeBooks(), stranded: 0 };
      evidenceAtMs = Date.now();
    }
    await sleep(POLL_MS);
  }
  return { run: await read(), stranded: 0 };
};

/** Waits for the invocation that reads the source, and shows meanwhile how far the run is that it has begun. */
export const whileReading = async <End>(
  invocation: Promise<End>,
  { stack, stores }: Embedded,
  integration: string,
  onState: Following['onState'],
): Promise<End> => {
  const ended = Symbol('ended');
  const over = invocation.then(
    () => ended,
    () => ended,
  );
  while ((await Promise.race([over, sleep(READING_POLL_MS)])) !== ended) {
    const lease = await stores.runs.lease(integration);
    const run = lease && (await stores.runs.run(integration, lease.runId));
    if (run?.status === 'extracting') onState(run, stack.backlog());
  }
  return invocation;
};
