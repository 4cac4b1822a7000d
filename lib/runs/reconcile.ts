import type { LoadPolicy } from '../idcheck/decide.ts';
import { type IdStore, stateOf } from '../idcheck/item.ts';
import type { Clock, RemainingMs } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import type { EventsOf, Log } from '../runtime/log.ts';
import type { Tuning } from '../runtime/tuning.ts';
import { sentAndUnsettled } from './books.ts';
import { watermarkName } from './ends.ts';
import { drawnBy, type Evidence, gatherEvidence, isPastDeadline, type KnownItems, readItems } from './evidence.ts';
import { takenOf, unsentIn, unsentOf } from './line.ts';
import { type ExtractedRun, isUnfinished, type RunRecord, type RunStatus } from './record.ts';
import { runsStillMeant } from './sent-before.ts';
import { MissingChunkError, type RunStore } from './store.ts';

type OfRun = { integration: string; runId: string };

/** What reconciling logs. */
export type ReconcileEvent = EventsOf<{
  'run-reconciled': OfRun & { status: RunStatus } & RunRecord['counts'];
  /** A record that is still open after its run's deadline. */
  'record-open': OfRun & { id: string };
  'ledger-torn': OfRun & { words: string };
  'integration-reconciled': { integration: string } & Watched;
  'not-reconciled': { integration: string; error: string };
  /** Time ran out; so many integrations are left to the next invocation. */
  'not-all-reconciled': { left: number };
}>;

export type ReconcileDeps = {
  idStore: IdStore;
  runs: RunStore;
  clock: Clock;
  log: Log<ReconcileEvent>;
  tuning: Pick<Tuning, 'books'>;
  /** Told of every run that closes, or whose books came out differently, before that is written down. */
  onClosed?: (run: RunRecord, before: RunRecord) => Promise<void>;
};

/** What reconciling needs to know of an integration. */
export type Reconciling = {
  integration: string;
  policy: LoadPolicy;
  deadlineMs: number;
  /** What a request to the source takes by its rate limit, ms; absent: no limit, or one that the file does not say. */
  requestMs?: number;
  /** A run is missing when none has started for so long; absent: none is expected, as while it is paused. */
  missingAfterMs?: number;
};

/**
 * Balances the books of an integration's runs that are not closed: what each says it sent is compared with what idCheck
 * says of each id. A run closes when nothing is open, or, not balanced, when its deadline has passed; one that did not
 * balance is looked at again, since a later run mends it.
 *
 * Reads idCheck's partitions once for each state, however many runs are open. Returns the runs that it looked at, newest first.
 */
export const reconcile = async (reconciling: Reconciling, deps: ReconcileDeps): Promise<RunRecord[]> => {
  const { integration, policy, deadlineMs } = reconciling;
  const { idStore, runs, clock, log, tuning } = deps;
  const recent = await runsStillMeant(integration, runs, tuning.books.runsLookedAt);
  // The oldest first: what waits for an earlier run's entries is looked at when those are settled.
  const open = recent.filter(isOpen).reverse();
  const loading = new Set<string>();
  const line = open.length > 0 ? await runs.line(integration) : undefined;
  const keep = (run: ExtractedRun): Promise<void> => {
    const { chunks = 0, takes = 0 } = unsentIn(line, run.runId) ?? {};
    const ledgers = { [run.runId]: run.chunks, [unsentOf(run.runId)]: chunks, [takenOf(run.runId)]: takes };
    return runs.keepOpen(run, ledgers, clock.nowMs());
  };
  const reconciled: ExtractedRun[] = [];
  // Runs of one state follow each other: what is known of one state at a time is held in memory.
  let held: { state: string; items: KnownItems } | undefined;
  for (const run of open) {
    const { left = 0, movedMs } = unsentIn(line, run.runId) ?? {};
    const isLeft = left > 0 && !isPastDeadline(run, deadlineMs, clock.nowMs(), movedMs);
    if (isLeft || onlyWaits(run, loading)) {
      loading.add(run.runId);
      await keep(run);
      continue;
    }
    if (held?.state !== stateOf(run)) {
      held = undefined;
      held = { state: stateOf(run), items: await readItems(idStore, run) };
    }
    const next = await drawUp(run, held.items, policy, { deadlineMs, ...defined({ movedMs }) }, deps);
    const { runId, status, counts } = next;
    if (next.closedMs !== undefined && (status !== run.status || run.closedMs === undefined)) {
      await deps.onClosed?.(next, run);
    }
    if (status === 'balanced' && next.window && next.windowHeld === undefined)
      await runs.moveWatermark(watermarkName(next), next.window.toMs);
    await runs.saveRun(next);
    if (isOpen(next)) await keep(next);
    log.info('run-reconciled', { integration, runId, status, ...counts });
    if (status === 'unbalanced' && run.status !== 'unbalanced') {
      for (const id of next.unsettled?.open ?? []) log.warn('record-open', { integration, runId, id });
    }
    if (status === 'loading') loading.add(runId);
    reconciled.unshift(next);
  }
  const newer = new Map(reconciled.map((run) => [run.runId, run]));
  const state = watch(
    recent.map((run) => newer.get(run.runId) ?? run),
    reconciling,
    clock.nowMs(),
  );
  // Nobody expects a run of a paused one.
  const isPaused = state.missing > 0 && (await runs.ends(integration))?.pausedSinceMs !== undefined;
  log.info('integration-reconciled', { integration, ...state, ...(isPaused && { missing: 0 }) });
  return reconciled;
};

/** An integration is not begun with less than this left: its books would be cut off in the middle. */
const RESERVE_MS = 60_000;
const TURN_MS = 15 * 60_000;
/** Its multiples, less whole numbers, lie spread evenly between 0 and 1. */
const GOLDEN_RATIO = 0.618_033_988_75;

/** With which of so many an invocation begins, so that where time runs out it is not always the same ones that are left. Pure. */
export const firstInTurn = (count: number, nowMs: number): number =>
  Math.floor(((Math.floor(nowMs / TURN_MS) * GOLDEN_RATIO) % 1) * count);

/**
 * As `reconcile` for several: what fails for one is thrown when all others are done. Within `remainingMs`, where it is given:
 * what is left then is the next invocation's.
 */
export const reconcileAll = async (
  all: readonly Reconciling[],
  deps: ReconcileDeps,
  remainingMs?: RemainingMs,
): Promise<RunRecord[]> => {
  const reconciled: RunRecord[] = [];
  const errors: unknown[] = [];
  const first = remainingMs === undefined ? 0 : firstInTurn(all.length, deps.clock.nowMs());
  for (const [index, one] of [...all.slice(first), ...all.slice(0, first)].entries()) {
    if (index > 0 && remainingMs !== undefined && remainingMs() < RESERVE_MS) {
      deps.log.warn('not-all-reconciled', { left: all.length - index });
      break;
    }
    try {
      reconciled.push(...(await reconcile(one, deps)));
    } catch (error) {
      errors.push(error);
      deps.log.error('not-reconciled', { integration: one.integration, error: String(error) });
    }
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} integrations could not be reconciled`);
  return reconciled;
};

/** Its books are to be drawn up (again). */
const isOpen = (run: RunRecord): run is ExtractedRun => run.status === 'loading' || run.status === 'unbalanced';

/** Whether nothing of a run's own is open: it only waits for entries of runs whose records are still loaded. */
const onlyWaits = (run: ExtractedRun, loading: ReadonlySet<string>): boolean =>
  run.counts.waiting > (run.leftOut ?? 0) &&
  sentAndUnsettled(run) === 0 &&
  (run.waitsFor ?? []).some((runId) => loading.has(runId));

const drawUp = async (
  run: ExtractedRun,
  items: KnownItems,
  policy: LoadPolicy,
  { deadlineMs, movedMs }: { deadlineMs: number; movedMs?: number },
  { runs, clock, log }: ReconcileDeps,
): Promise<ExtractedRun> => {
  let evidence: Evidence;
  try {
    evidence = await gatherEvidence(run, items, policy, runs);
  } catch (error) {
    if (!(error instanceof MissingChunkError)) throw error;
    // One run's torn ledger must not keep the others open.
    const { code, message } = error;
    log.error('ledger-torn', { integration: run.integration, runId: run.runId, words: message });
    return { ...run, status: 'unbalanced', closedMs: run.closedMs ?? clock.nowMs(), failure: { code, message } };
  }
  const nowMs = clock.nowMs();
  const drawn = drawnBy(run, evidence, deadlineMs, nowMs, movedMs);
  return { ...drawn, ...(drawn.status !== 'loading' && { closedMs: run.closedMs ?? nowMs }) };
};

/** What alarms watch of an integration at one moment. */
export type Watched = {
  /** Runs whose books do not balance after their deadline; the newest one, too, where it has failed. */
  notBalanced: number;
  /** 1: the newest run has not read the source to its end within the deadline, and the time that its requests take. */
  overdue: number;
  /** 1: no run has started for as long as `missingAfterMs`, and none is under way. */
  missing: number;
  /** Since the newest run started, s; absent where there is none. */
  newestRunAgeSec?: number;
};

/** Pages that come late, and invocations between them. */
const READ_MARGIN = 1.1;

/** Reads the state that alarms watch from the newest runs, newest first. Pure. */
export const watch = (
  recent: readonly RunRecord[],
  { deadlineMs, requestMs = 0, missingAfterMs }: Pick<Reconciling, 'deadlineMs' | 'requestMs' | 'missingAfterMs'>,
  nowMs: number,
): Watched => {
  const [newest] = recent;
  const ageMs = newest === undefined ? undefined : nowMs - newest.startedMs;
  // An older run that was left incomplete does not matter: a later one has read the whole snapshot.
  // A long list under a slow limit is read as planned; where no page comes, no request makes the time longer.
  const overdue =
    isUnfinished(newest) && nowMs > newest.startedMs + deadlineMs + newest.requests.source * requestMs * READ_MARGIN;
  const missing =
    !isUnfinished(newest) && missingAfterMs !== undefined && (ageMs ?? Number.POSITIVE_INFINITY) > missingAfterMs;
  return {
    // A later run mends a failed one: only the newest that was read to its end counts.
    notBalanced:
      recent.filter(({ status }) => status === 'unbalanced').length +
      (recent.find((run) => !isUnfinished(run))?.status === 'failed' ? 1 : 0),
    overdue: overdue ? 1 : 0,
    missing: missing ? 1 : 0,
    ...(ageMs === undefined ? {} : { newestRunAgeSec: Math.round(ageMs / 1000) }),
  };
};
