import { loadPolicyOf } from '../integration/compile/target-plan.ts';
import type { Integration } from '../integration/schema/schema.ts';
import { gatherEvidence, readItems } from '../runs/evidence.ts';
import { leftIn } from '../runs/line.ts';
import type { RunRecord } from '../runs/record.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Stores } from '../stores/stores.ts';
import { isClosed } from './status.ts';

/** What is under way in an engine at one moment, exactly: messages of its queues, and what works on them. */
export type Backlog = {
  /** May be received now. */
  visible: number;
  /** Received, and not settled yet. */
  inFlight: number;
  /** Put off. */
  delayed: number;
  /** Batches that were received, and invocations under way or waiting for a place. */
  running: number;
};

/** What a follower sees of a run now and then. */
export type RunSeen = {
  run: RunRecord;
  backlog?: Backlog;
  /** How many records of the integration wait in ledgers for their turn. */
  unsent: number;
};

/** A run as it is when there is nothing left to wait for. */
export type Followed = {
  run: RunRecord;
  /** Messages whose function failed; they come back when their visibility timeout ends, or with the next start. */
  stranded: number;
};

export type Following = Pick<Stores, 'runs' | 'idStore'> & {
  integration: Integration;
  /** Exactly what is under way; absent where it is not known exactly (SQS estimates). */
  backlog?: () => Backlog;
  /** Draws up the books of the integration's open runs. */
  closeBooks: () => Promise<unknown>;
  /** Sends what waits in ledgers, as the limit has room; absent where a schedule does. */
  dispatch?: () => Promise<unknown>;
  clock: Clock;
  onSeen: (seen: RunSeen) => void;
  /** Whether the follower has given up; absent: never. */
  isStopped?: () => boolean;
};

/** Says whether there is something left to wait for, and how long to wait before the next look. */
type EndRule = (run: RunRecord) => Promise<{ kind: 'wait'; ms: number } | { kind: 'over'; end: Followed }>;

/**
 * Waits until a run is over, and reports its progress. Where the backlog is known the queues tell the end, else the
 * books do. Throws where the run has left no record.
 */
export const followRun = async (runId: string, following: Following): Promise<Followed> => {
  const { integration, runs, backlog, clock, onSeen, isStopped = () => false } = following;
  const read = async (): Promise<RunRecord> => {
    const run = await runs.run(integration.name, runId);
    if (run === undefined) throw new Error(`the run ${runId} has left no record`);
    return run;
  };
  const endRule = backlog === undefined ? endByBooks(following) : endByQueues(following, backlog, read);
  while (!isStopped()) {
    const run = await read();
    // Without a limit nothing waits there.
    const unsent = run.loadMs === undefined ? 0 : leftIn(await runs.line(integration.name));
    onSeen({ run, ...(backlog && { backlog: backlog() }), unsent });
    const next = await endRule(run);
    if (next.kind === 'over') return next.end;
    await clock.sleep(next.ms);
  }
  return { run: await read(), stranded: 0 };
};

const READ_EVERY_MS = 2_000;
/** Drawing up books reads the whole of idCheck, so the waits grow while a run goes on. */
const BOOKS_FIRST_MS = 5_000;
const BOOKS_LAST_MS = 60_000;

/** A run is over when its books are closed. They are drawn up once the source has been read. */
const endByBooks = ({ closeBooks, clock }: Following): EndRule => {
  let booksEveryMs = BOOKS_FIRST_MS;
  return async (run) => {
    if (isClosed(run)) return { kind: 'over', end: { run, stranded: 0 } };
    if (run.status === 'extracting') return { kind: 'wait', ms: READ_EVERY_MS };
    await clock.sleep(booksEveryMs);
    await closeBooks();
    booksEveryMs = Math.min(BOOKS_LAST_MS, booksEveryMs * 2);
    return { kind: 'wait', ms: 0 };
  };
};

const POLL_MS = 100;
/** How often idCheck is asked whether all records are settled while messages only wait. */
const EVIDENCE_EVERY_MS = 1_000;
/** The line of a connection is filled for minutes ahead. */
const DISPATCH_EVERY_MS = 30_000;
/** Messages that were just received are not in a worker's hands yet. Only after this long do they belong to nobody. */
const STRANDED_AFTER_MS = 3_000;
/** Runs looked back on for books that are still open, such as those of a run that was stopped. */
const RUNS_LOOKED_AT = 10;

/**
 * A run is over when
 *
 * - the queues are empty, and nothing waits in a ledger; or
 * - all its records are settled, those too that an earlier run sent, and what still waits are second copies of their
 *   messages; or
 * - what is left belongs to invocations that failed, whose messages stay hidden for minutes.
 *
 * Records that wait to be tried again are waited for, however long it takes; the books are drawn up only then, since
 * an outcome that is uncertain now may be known a second later.
 */
const endByQueues = (following: Following, backlog: () => Backlog, read: () => Promise<RunRecord>): EndRule => {
  const { integration, runs, idStore, clock, dispatch } = following;
  const policy = loadPolicyOf(integration);
  const closed = async (): Promise<RunRecord> => {
    const recent = await runs.runs(integration.name, RUNS_LOOKED_AT);
    const isOpen = recent.some(({ status }) => status === 'loading' || status === 'unbalanced');
    if (isOpen) await following.closeBooks();
    return read();
  };
  const isSettled = async (run: RunRecord): Promise<boolean> => {
    const items = await readItems(idStore, run);
    const { counts, deletions, waited } = await gatherEvidence(run, items, policy, runs);
    // What an earlier run sent is waited for as the run's own.
    const waiting = (waited ?? run.counts).waiting - (run.leftOut ?? 0);
    return waiting === 0 && [counts, ...(deletions ? [deletions] : [])].every((of) => of.open + of.uncertain === 0);
  };
  let quietSinceMs: number | undefined;
  let evidenceAtMs = Number.NEGATIVE_INFINITY;
  let dispatchedMs = Number.NEGATIVE_INFINITY;
  let left = 0;
  const fillLine = async (): Promise<void> => {
    dispatchedMs = clock.nowMs();
    left = leftIn(await runs.line(integration.name));
    if (left > 0) await dispatch?.();
  };
  return async (run) => {
    if (clock.nowMs() - dispatchedMs > (left > 0 ? DISPATCH_EVERY_MS : EVIDENCE_EVERY_MS)) await fillLine();
    const { visible, inFlight, delayed, running } = backlog();
    if (visible + inFlight + delayed + running === 0) {
      if (left > 0) await fillLine();
      return left > 0
        ? { kind: 'wait', ms: EVIDENCE_EVERY_MS }
        : { kind: 'over', end: { run: await closed(), stranded: 0 } };
    }
    const nowMs = clock.nowMs();
    quietSinceMs = visible + delayed + running === 0 ? (quietSinceMs ?? nowMs) : undefined;
    if (quietSinceMs !== undefined && nowMs - quietSinceMs > STRANDED_AFTER_MS) {
      const end = await closed();
      return { kind: 'over', end: { run: end, stranded: end.status === 'balanced' ? 0 : inFlight } };
    }
    if (run.status === 'loading' && visible + running === 0 && nowMs - evidenceAtMs > EVIDENCE_EVERY_MS) {
      if (await isSettled(run)) return { kind: 'over', end: { run: await closed(), stranded: 0 } };
      evidenceAtMs = clock.nowMs();
    }
    return { kind: 'wait', ms: POLL_MS };
  };
};
