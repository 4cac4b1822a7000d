import { type IdCheck, stateOf } from '../idcheck/item.ts';
import { loadPolicyOf } from '../integration/compile/target-plan.ts';
import type { Integration } from '../integration/schema/schema.ts';
import { messagesIn } from '../messages/queue.ts';
import { holds, isBalanced, noOpen, type OpenWhy, openWhy } from '../runs/books.ts';
import { drawnBy, type Evidence, gatherEvidence, type KnownItems, NAMED_IDS, readItems } from '../runs/evidence.ts';
import { leftIn, unsentIn } from '../runs/line.ts';
import { hasFailed, isUnfinished, needsLook, type RunRecord, type Unsettled } from '../runs/record.ts';
import { countedSetAside, noSetAside, type SetAside } from '../runs/set-aside.ts';
import { MissingChunkError } from '../runs/store.ts';
import type { Clock } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import type { Stores } from '../stores/stores.ts';

/** What is known of a record that is open: `sent` becomes `queued`, or `lost` where no message is left. */
export type OpenRecord =
  | { as: Exclude<OpenWhy, 'sent'> }
  | { as: 'lost' | 'queued'; idCheck: 'never-seen' | 'nothing-loaded' | 'other-content' };

/** A record that the run sent and that is not settled. Says why, where idCheck knows; an open one says where it is. */
export type UnsettledRecord = {
  fate: keyof Unsettled;
  id: string;
  reason?: string;
  open?: OpenRecord;
  discarded?: true;
};

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
  /** All open records were given up, or a person wants them sent: the next run sends them. */
  | 'open-next-run'
  /** What was read cannot be trusted as a whole. */
  | 'failed'
  /** Records wait that the run did not take on. */
  | 'waiting'
  /** Rows are invalid, most of them did not come, or ids were asked for in vain. */
  | 'uneasy'
  /** Settled, but for records that somebody left out on purpose. */
  | 'partial'
  /** Records are rejected or uncertain. */
  | 'troubled'
  /** Nothing is open, but records are set aside that the program has not seen loaded. */
  | 'set-aside'
  | 'settled';

/** A run's books as they stand now. Every view of a run is made from them. */
export type RunBooks = {
  /** Its counts, its deletions and its status are what the evidence says now. */
  run: RunRecord;
  unsettled: Unsettled;
  /** The same ids, with what is known of each. */
  records: UnsettledRecord[];
  setAside: SetAside;
  /** Whether the source was read to its end, the run has not failed, the sums hold and nothing is open. */
  balanced: boolean;
  state: BooksState;
};

export type BooksDeps = Pick<Stores, 'runs' | 'idStore' | 'records'> & { clock: Clock };

/**
 * Draws up the books of runs as they stand now: what each run sent and left out is compared with idCheck, as
 * reconciliation does. Writes nothing. So a replay, a person's word on an uncertain record, or a later run shows in the
 * books of the run that it mends. Names `named` ids of each kind.
 * Books are shown as they were stored where everything is loaded and nothing can change; where the ledger is gone; and
 * where the integration's file is missing, since without it nobody knows whether the run overwrites.
 */
export const drawUpRuns = async (
  all: readonly RunRecord[],
  integrations: readonly Integration[],
  { runs, idStore, records, clock }: BooksDeps,
  named = NAMED_IDS,
): Promise<RunBooks[]> => {
  // Whatever its messages carry: with none, nothing is on its way but what waits in ledgers.
  const messages = messagesIn(await records.depth());
  const known = new Map<string, Promise<KnownItems>>();
  const itemsOf = (run: RunRecord): Promise<KnownItems> => {
    const items = known.get(stateOf(run)) ?? readItems(idStore, run);
    known.set(stateOf(run), items);
    return items;
  };
  const drawUp = async (run: RunRecord): Promise<RunBooks> => {
    const line = isOverForGood(run) ? undefined : await runs.line(run.integration);
    const queued = messages + leftIn(line);
    const integration = integrations.find(({ name }) => name === run.integration);
    if (integration === undefined || isOverForGood(run)) return booksOf(run, asStored(run), new Map(), queued);
    const items = await itemsOf(run);
    const deadlineMs = integration.deadlineMinutes * 60_000;
    try {
      const evidence = await gatherEvidence(run, items, loadPolicyOf(integration), runs, named);
      const drawn = isUnfinished(run)
        ? { ...run, counts: { ...run.counts, ...evidence.counts } }
        : drawnBy(run, evidence, deadlineMs, clock.nowMs(), unsentIn(line, run.runId)?.movedMs);
      return booksOf(drawn, evidence, items, queued);
    } catch (error) {
      if (!(error instanceof MissingChunkError)) throw error;
      return booksOf(run, asStored(run), items, queued);
    }
  };
  return Promise.all(all.map(drawUp));
};

/** Closed with everything loaded or superseded, and nothing left out. */
const isOverForGood = ({ status, counts, deletions }: RunRecord): boolean =>
  status === 'balanced' &&
  [counts, ...(deletions ? [deletions] : [])].every(
    ({ open, rejected, uncertain }) => open + rejected + uncertain === 0,
  ) &&
  counts.skipped + counts.waiting === 0;

const asStored = ({ counts, deletions, unsettled }: RunRecord): Evidence => ({
  counts,
  unsettled: unsettled ?? { open: [], rejected: [], uncertain: [] },
  setAside: noSetAside(),
  open: { ...noOpen(), sent: counts.open + (deletions?.open ?? 0) },
});

const booksOf = (
  run: RunRecord,
  { unsettled, setAside, open }: Evidence,
  items: KnownItems,
  queued: number,
): RunBooks => ({
  run,
  unsettled,
  records: recordsOf(unsettled, items, queued),
  setAside,
  balanced: isRunBalanced(run),
  state: booksState(run, open, setAside, queued),
});

const recordsOf = (unsettled: Unsettled, items: KnownItems, queued: number): UnsettledRecord[] =>
  (['open', 'rejected', 'uncertain'] as const).flatMap((fate) =>
    unsettled[fate].map((id): UnsettledRecord => {
      const item = items.get(id);
      const { reason, discardedMs } = item?.trouble ?? {};
      const isDiscarded = fate === 'rejected' && discardedMs !== undefined;
      const open = fate === 'open' ? openRecord(item, queued) : undefined;
      return { fate, id, ...defined({ reason, open }), ...(isDiscarded && { discarded: true }) };
    }),
  );

const openRecord = (item: IdCheck | undefined, queued: number): OpenRecord => {
  const as = openWhy(item);
  if (as !== 'sent') return { as };
  const other = item?.loaded === undefined ? 'nothing-loaded' : 'other-content';
  return { as: queued === 0 ? 'lost' : 'queued', idCheck: item === undefined ? 'never-seen' : other };
};

const isRunBalanced = (run: RunRecord): boolean => !isUnfinished(run) && isBalanced(run) && !hasFailed(run);

/** How the books of a run stand while `queued` messages wait. Pure. */
export const booksState = (
  run: Pick<
    RunRecord,
    'status' | 'counts' | 'deletions' | 'failure' | 'toleratesInvalid' | 'shrunkFrom' | 'notGiven' | 'leftOut'
  >,
  open: Readonly<Record<OpenWhy, number>>,
  setAside: SetAside,
  queued: number,
): BooksState => {
  const { status, counts, deletions } = run;
  if (status === 'extracting') return 'reading';
  if (status === 'incomplete') return 'unfinished';
  if (!holds(counts)) return 'unequal';
  if (counts.open + (deletions?.open ?? 0) > 0) {
    if (open.claimed + open.sent === 0) return 'open-next-run';
    if (status === 'unbalanced') return 'open-overdue';
    return queued === 0 ? 'open-lost' : 'open';
  }
  if (hasFailed(run)) return 'failed';
  if (counts.waiting > (run.leftOut ?? 0)) return 'waiting';
  if (counts.rejected + counts.uncertain > 0) return 'troubled';
  if (needsLook(run)) return 'uneasy';
  if ((run.leftOut ?? 0) > 0) return 'partial';
  return countedSetAside(setAside).length > 0 ? 'set-aside' : 'settled';
};
