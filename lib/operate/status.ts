import type { IdCheck } from '../idcheck/item.ts';
import { loadPolicyOf } from '../integration/compile/target-plan.ts';
import type { Integration } from '../integration/schema/schema.ts';
import { messagesIn } from '../messages/queue.ts';
import { holds, isBalanced } from '../runs/books.ts';
import { gatherEvidence, NAMED_IDS, readItems } from '../runs/evidence.ts';
import { limitsOf, type RunLimits } from '../runs/limits.ts';
import { hasFailed, isUnfinished, needsLook, type RunRecord, type Unsettled } from '../runs/record.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Stores } from '../stores/stores.ts';
import { type ConnectionPause, pausesOf } from './pauses.ts';

/** What is known of a record that was sent and of which nothing came yet. */
export type OpenRecord =
  | { as: 'claimed' }
  /** Lost: no message is left that could carry it. */
  | { as: 'lost' | 'queued-or-lost'; idCheck: 'never-seen' | 'nothing-loaded' | 'other-content' };

/** A record that the run sent and that is not settled; `reason` where idCheck says one, else where it may be. */
export type UnsettledRecord = { fate: keyof Unsettled; id: string } & ({ reason: string } | { open: OpenRecord });

/** How a run's books stand, as one word. */
export type BooksState =
  | 'reading'
  /** The source could not be read to its end; the next run goes on. */
  | 'unfinished'
  /** The sums do not hold. */
  | 'unequal'
  /** Records are open, and no message is left that could carry them. */
  | 'open-lost'
  /** Records are open after the deadline. */
  | 'open-overdue'
  | 'open'
  /** What was read cannot be trusted as a whole. */
  | 'failed'
  /** Rows are invalid, most of them did not come, or ids were asked for in vain. */
  | 'uneasy'
  /** Settled, but for records that somebody left out on purpose. */
  | 'partial'
  /** Closed; records are rejected or uncertain. */
  | 'troubled'
  | 'settled';

/** A run as it is seen at one moment. */
export type RunLook = {
  /** With its load side counted from the evidence. */
  run: RunRecord;
  /** Absent: no file of it is here, and the books are those that were stored last. */
  integration: Integration | undefined;
  limits: RunLimits;
  /** Ends that ask to wait now, while the run is not closed. */
  pauses: ConnectionPause[];
  unsettled: Unsettled;
  /** The same ids, with what is known of each. */
  records: UnsettledRecord[];
  /** An invocation holds the lease for it. */
  isUnderWay: boolean;
  /** Whether the source was read to its end and the sums hold. */
  balanced: boolean;
  state: BooksState;
  atMs: number;
};

export type LookDeps = Pick<Stores, 'runs' | 'idStore' | 'records' | 'limiter'> & { clock: Clock };

/**
 * Draws up a run's books now: what it sent is held against idCheck, as reconciliation does, and nothing is written.
 * Names a few ids of each kind that are not settled, or every one. Throws `MissingChunkError`.
 */
export const lookAtRun = async (
  run: RunRecord,
  integration: Integration | undefined,
  { runs, idStore, records, limiter, clock }: LookDeps,
  { everyId = false }: { everyId?: boolean } = {},
): Promise<RunLook> => {
  const atMs = clock.nowMs();
  const lease = await runs.lease(run.integration);
  // Whatever its messages carry: with none, nothing is on its way.
  const queued = messagesIn(await records.depth());
  const isUnderWay = lease !== undefined && lease.runId === run.runId && lease.untilMs > atMs;
  const drawn = await drawUp(run, integration, { runs, idStore }, everyId ? Number.POSITIVE_INFINITY : NAMED_IDS);
  return {
    run: drawn.run,
    integration,
    limits: limitsOf(run),
    pauses: integration === undefined || isClosed(run) ? [] : await pausesOf(integration, limiter),
    unsettled: drawn.unsettled,
    records: recordsOf(drawn.unsettled, drawn.items, queued),
    isUnderWay,
    balanced: isRunBalanced(drawn.run),
    state: booksState(drawn.run, queued),
    atMs,
  };
};

type Drawn = { run: RunRecord; unsettled: Unsettled; items: ReadonlyMap<string, IdCheck> };

const drawUp = async (
  run: RunRecord,
  integration: Integration | undefined,
  { runs, idStore }: Pick<LookDeps, 'runs' | 'idStore'>,
  named: number,
): Promise<Drawn> => {
  // Without its file nobody knows whether the integration overwrites: then the books are shown as they were stored.
  if (integration === undefined) {
    return { run, unsettled: run.unsettled ?? { open: [], rejected: [], uncertain: [] }, items: new Map() };
  }
  const items = await readItems(idStore, run.integration);
  const { counts, unsettled } = await gatherEvidence(run, items, loadPolicyOf(integration).idCheck, runs, named);
  return { run: { ...run, counts: { ...run.counts, ...counts } }, unsettled, items };
};

const recordsOf = (unsettled: Unsettled, items: ReadonlyMap<string, IdCheck>, queued: number): UnsettledRecord[] =>
  (['open', 'rejected', 'uncertain'] as const).flatMap((fate) =>
    unsettled[fate].map((id) => {
      const item = items.get(id);
      const reason = item?.trouble?.reason;
      return { fate, id, ...(reason === undefined ? { open: openRecord(item, queued) } : { reason }) };
    }),
  );

const openRecord = (item: IdCheck | undefined, queued: number): OpenRecord => {
  if (item?.claim !== undefined) return { as: 'claimed' };
  const known = item?.loaded === undefined ? 'nothing-loaded' : 'other-content';
  return { as: queued === 0 ? 'lost' : 'queued-or-lost', idCheck: item === undefined ? 'never-seen' : known };
};

/** Whether the source was read to its end, the run has not failed, the sums of the books hold and nothing is open. */
export const isRunBalanced = (run: RunRecord): boolean => !isUnfinished(run) && isBalanced(run) && !hasFailed(run);

/** How the books of a run stand while `queued` messages wait. Pure. */
export const booksState = (
  run: Pick<RunRecord, 'status' | 'counts' | 'failure' | 'toleratesInvalid' | 'shrunkFrom' | 'notGiven' | 'leftOut'>,
  queued: number,
): BooksState => {
  const { status, counts } = run;
  if (status === 'extracting') return 'reading';
  if (status === 'incomplete') return 'unfinished';
  if (!holds(counts)) return 'unequal';
  if (counts.open > 0) {
    if (status === 'unbalanced') return 'open-overdue';
    return queued === 0 ? 'open-lost' : 'open';
  }
  if (hasFailed(run)) return 'failed';
  if (counts.rejected + counts.uncertain > 0) return 'troubled';
  if (needsLook(run)) return 'uneasy';
  return (run.leftOut ?? 0) > 0 ? 'partial' : 'settled';
};

/** Whether nothing more comes of a run by itself. */
export const isClosed = ({ status }: Pick<RunRecord, 'status'>): boolean =>
  status === 'balanced' || status === 'unbalanced' || status === 'incomplete' || status === 'failed';

const WATCH_EVERY_MS = 2_000;
/** Looks that may fail in a row: the process whose servers are used may end before the run is seen closed. */
const MAX_FAILED_LOOKS = 5;

/** Looks again and again, until the run is closed; that look is the last one. Throws what looks throw that fail in a row. */
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
    if (isClosed(seen.run)) return;
  }
}
