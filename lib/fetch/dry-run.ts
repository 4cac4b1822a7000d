import { type IdStore, stateOf } from '../idcheck/item.ts';
import { readKnown } from '../idcheck/known.ts';
import type { JsonObject } from '../json/json.ts';
import type { ReadableQueue } from '../messages/queue.ts';
import type { Selection } from '../messages/run-request.ts';
import { noEnds, watermarkName } from '../runs/ends.ts';
import { addWarnings, needsLook, type RunWarning, runIdOf, type UnfinishedRun } from '../runs/record.ts';
import type { RunStore } from '../runs/store.ts';
import type { RemainingMs } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import { silentLog } from '../runtime/log.ts';
import { earlierRuns, noteShrinking } from './earlier-reading.ts';
import type { FetchDeps, FetchPlan } from './fetch-plan.ts';
import { failureOfRows } from './invalid-rows.ts';
import { openPass } from './pass.ts';
import type { Postponed } from './postponed.ts';
import { placePostponed, readPages } from './read-pages.ts';
import { type FetchWork, type Sink, sendNothing } from './sink.ts';
import { newRun } from './start-run.ts';
import { notGivenWarning, selectionOf, sentBeforeOf } from './taking.ts';
import { concludeVanished } from './vanished.ts';
import { failureOfMapping, isToBeWeighed } from './weigh-mapping.ts';
import { stateFacts, stateWarnings } from './whose-state.ts';

/** What a run would do with a record. */
export type Planned = 'create' | 'overwrite' | 'unchanged' | 'skip' | 'wait' | 'filter' | 'merge' | 'reject';

type PlannedRecord = {
  id: string;
  planned: Planned;
  reason?: string;
  /** The record before mapping: filtered and cleaned. */
  before?: JsonObject;
  /** The body that the target would get. */
  body?: JsonObject;
};

export type DryRun = {
  counts: Record<Planned, number> & { fetched: number };
  /** Loaded before and absent now. */
  vanished: string[];
  /** The first records of each kind, in the order of the source; unchanged ones only where they are asked for. */
  sample: PlannedRecord[];
  requests: number;
  warnings: RunWarning[];
  /** Whether somebody is to look at it: rows are invalid, most of them did not come, or ids were asked for in vain. */
  isTroubled: boolean;
  /** The ids that were asked for and that the source does not give; absent: no ids were asked for. */
  notGiven?: string[];
  /** Why the snapshot could not be read to its end, or why the run would fail. */
  failure?: { code: string; message: string };
};

type DryRunOptions = { fullRefresh: boolean; selection?: Selection; samplePerKind: number; showsUnchanged?: boolean };

/**
 * What the next run would do: the run's own steps into a sink that keeps counts and a few records. Nothing is sent and
 * nothing is written, but for the token and the rate limit that reading takes.
 */
export const dryRun = async (
  plan: FetchPlan,
  deps: Pick<FetchDeps, 'idStore' | 'clock' | 'tuning'> & {
    records: Pick<ReadableQueue, 'depth'>;
    runs: Pick<RunStore, 'watermark' | 'run' | 'runs' | 'chunks' | 'line' | 'ends'>;
  },
  options: DryRunOptions,
  remainingMs: RemainingMs,
): Promise<DryRun> => {
  const { idStore, runs, clock, tuning } = deps;
  const nowMs = clock.nowMs();
  const deadlineMs = nowMs + remainingMs();
  const { fullRefresh } = options;
  const times = { scheduledMs: nowMs, startedMs: nowMs, versionMs: nowMs };
  const { integration } = plan;
  const own = await plan.ends();
  const ends = (await runs.ends(integration)) ?? noEnds();
  const state = stateFacts(ends, own);
  const watermarkMs = plan.window && (await runs.watermark(watermarkName({ integration, ...state })));
  const [last] = await runs.runs(integration, 1);
  const facts = { runId: runIdOf(integration, nowMs), ...times, fullRefresh, ...state };
  const begun = newRun(plan, facts, watermarkMs, last, defined({ selection: options.selection }));
  begun.warnings = stateWarnings(integration, ends, ends, own, last !== undefined);
  const sink = countingSink(options);
  const asked = { ...selectionOf(options.selection), adopts: false };
  const readBefore = sentBeforeOf(begun, plan.policy, deps);
  const pass = await openPass(plan, idStore, begun, sink.chunks(begun), tuning.fetch, asked, readBefore);
  const time = { softMs: deadlineMs, hardMs: deadlineMs, isUp: () => false };
  const work: FetchWork = { plan, pass, sink, time, clock, log: silentLog, tuning: tuning.fetch };

  const pages = await readPages(begun, work);
  const { counts, sample } = sink;
  const resultOf = (run: UnfinishedRun, vanished: string[]): DryRun => ({
    counts: { fetched: run.counts.fetched, ...counts },
    vanished,
    sample,
    requests: run.requests.source,
    warnings: run.warnings,
    isTroubled: needsLook(run),
  });
  if (pages.end !== 'complete') {
    const outOfTime = { code: 'no-time', message: 'the source allows no further request in time' };
    const result = resultOf(pages.run, []);
    result.counts.fetched += sink.waiting();
    return { ...result, failure: pages.end === 'failed' ? pages.failure : outOfTime };
  }
  const placed = await placePostponed(pages.run, work);
  const absent = pass.absent();
  const earlier = await earlierRuns(begun, runs);
  const run = noteShrinking(placed.run, earlier.reading, plan);
  const { vanished, warnings } = concludeVanished(absent.length, pass.ofSourceCount, run, plan);
  const isWeighed = isToBeWeighed(begun, earlier, plan);
  const failed =
    (isWeighed
      ? failureOfMapping(counts.overwrite, await loadedIn(idStore, stateOf(begun)), plan, tuning.fetch)
      : undefined) ?? failureOfRows(run.counts, run.invalidRows, plan.invalidRows);
  const notGiven = pass.notGiven();
  if (notGiven.length > 0) warnings.push(notGivenWarning(notGiven));
  const result = resultOf({ ...run, warnings: addWarnings(run.warnings, warnings) }, vanished > 0 ? absent : []);
  return {
    ...result,
    isTroubled: result.isTroubled || notGiven.length > 0,
    ...(options.selection?.ids && { notGiven }),
    ...defined({ failure: failed }),
  };
};

const loadedIn = async (idStore: IdStore, state: string): Promise<number> =>
  (await readKnown(idStore, state)).loadedCount;

const plannedOf = {
  filtered: 'filter',
  invalid: 'reject',
  merged: 'merge',
  unchanged: 'unchanged',
  skipped: 'skip',
  waiting: 'wait',
} as const;

/** Keeps the counts, the first records of each kind, and what is postponed until the end of the snapshot. */
const countingSink = ({ samplePerKind, showsUnchanged = false }: DryRunOptions) => {
  const counts = { create: 0, overwrite: 0, unchanged: 0, skip: 0, wait: 0, filter: 0, merge: 0, reject: 0 };
  const sample: PlannedRecord[] = [];
  const postponed: { index: number; records: Postponed[] }[] = [];
  const note = (planned: Planned, id: string, shown: Omit<PlannedRecord, 'id' | 'planned'>): void => {
    counts[planned] += 1;
    const isShown = planned !== 'unchanged' || showsUnchanged;
    if (isShown && counts[planned] <= samplePerKind) sample.push({ id, planned, ...shown });
  };
  const sink: Sink = {
    async *chunks() {},
    send: sendNothing,
    write: async (_, index, part) => {
      const toLoad = part.toLoad.values();
      for (const {
        id,
        outcome,
        behind,
        reason = behind && `sent by ${behind.runId}, not settled yet`,
      } of part.entries) {
        const enqueued = outcome === 'enqueued' ? toLoad.next().value : undefined;
        if (enqueued) {
          const { as, record } = enqueued;
          note(as, id, { ...defined({ before: record.record }), body: record.body });
        } else if (outcome !== 'enqueued') note(plannedOf[outcome], id, defined({ reason }));
      }
      if (part.postponed.length > 0) postponed.push({ index, records: part.postponed.map(({ record }) => record) });
    },
    keep: async (run) => run,
    save: async () => {},
    async *postponed() {
      yield* postponed;
    },
  };
  const waiting = () => postponed.reduce((sum, { records }) => sum + records.length, 0);
  return { ...sink, counts, sample, waiting };
};
