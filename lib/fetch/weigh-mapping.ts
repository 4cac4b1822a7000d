import type { IdStore } from '../idcheck/item.ts';
import { addCounts, countEntries, noExtractCounts } from '../runs/books.ts';
import type { RunFailure, UnfinishedRun, Weighing } from '../runs/record.ts';
import { nothingSentBefore } from '../runs/sent-before.ts';
import type { RunStore } from '../runs/store.ts';
import { defined } from '../runtime/defined.ts';
import { silentLog } from '../runtime/log.ts';
import type { FetchTuning } from '../runtime/tuning.ts';
import type { Earlier } from './earlier-reading.ts';
import type { FetchPlan } from './fetch-plan.ts';
import { openPass } from './pass.ts';
import type { Postponed } from './postponed.ts';
import { type PagesRead, placePostponed, readPages } from './read-pages.ts';
import { type FetchWork, type Sink, sendNothing } from './sink.ts';
import { selectionOf } from './taking.ts';

/** Why a run under a changed mapping is stopped before it sends; undefined: it is not. Pure. */
export const failureOfMapping = (
  overwrites: number,
  loadedCount: number,
  { maxChangedShare }: Pick<FetchPlan, 'maxChangedShare'>,
  { leastWeighed }: Pick<FetchTuning, 'leastWeighed'>,
): { code: RunFailure; message: string } | undefined => {
  if (loadedCount < leastWeighed || overwrites <= maxChangedShare * loadedCount) return undefined;
  const share = `${overwrites} of ${loadedCount} loaded records, more than target.maxChangedShare (${maxChangedShare})`;
  const message = `the mapping has changed and would overwrite ${share}: nothing was sent. "run --yes" sends it`;
  return { code: 'mapping-changed', message };
};

/** Whether a run must be weighed before it sends, since its mapping differs from that of the run before. Pure. */
export const isToBeWeighed = (
  run: Pick<UnfinishedRun, 'checkpoint' | 'confirmed' | 'weighing' | 'adoption'>,
  earlier: Pick<Earlier, 'mapping'>,
  { mapping, policy, maxChangedShare }: Pick<FetchPlan, 'mapping' | 'policy' | 'maxChangedShare'>,
): boolean => {
  // What is loaded is never overwritten there.
  if (policy.idCheck || maxChangedShare === 1) return false;
  // Nor by a run that takes over.
  if (run.adoption !== undefined) return false;
  if (run.confirmed === true || run.checkpoint !== undefined || run.weighing?.isDone === true) return false;
  return earlier.mapping !== undefined && earlier.mapping !== mapping;
};

/** How weighing ended: the run may go on, or as reading pages ends, or nothing may be sent. */
type Weighed =
  | { end: 'fine'; run: UnfinishedRun }
  | { end: 'stopped'; run: UnfinishedRun; failure: { code: RunFailure; message: string } }
  | Exclude<PagesRead, { end: 'complete' }>;

/**
 * The first of two readings under a changed mapping: the run's own steps, into a sink that keeps counts. Later
 * invocations resume it as they resume every reading; they keep only its counts.
 */
export const weighMapping = async (
  begun: UnfinishedRun,
  work: Omit<FetchWork, 'pass' | 'sink'>,
  { idStore, runs }: { idStore: IdStore; runs: Pick<RunStore, 'saveRun'> },
): Promise<Weighed> => {
  const { checkpoint, counts, overwrites } = begun.weighing ?? { counts: noExtractCounts(), overwrites: 0 };
  const sink = weighingSink(begun, { isDone: false, counts, overwrites }, runs);
  // It is compared with all of idCheck, also where the list is one of changes.
  const { window: _, checkpoint: __, ...whole } = begun;
  const at = defined({ checkpoint });
  const from = { ...whole, ...at, counts: { ...begun.counts, ...counts } };
  const asked = { ...selectionOf(begun.selection), adopts: false };
  const pass = await openPass(work.plan, idStore, from, none(), work.tuning, asked, async () => nothingSentBefore);
  const reading: UnfinishedRun = { ...begun, ...at };
  // The pages are measured, and their oddities said, when the run itself reads them.
  const counting: FetchWork = { ...work, pass, sink, log: silentLog };
  const pages = await readPages(reading, counting);
  if (pages.end !== 'complete') return { ...pages, run: sink.kept(pages.run) };
  await placePostponed(pages.run, { ...counting, time: { ...work.time, isUp: () => false } });
  const run = sink.done(pages.run);
  const failure = failureOfMapping(run.weighing?.overwrites ?? 0, pass.loadedCount, work.plan, work.tuning);
  return failure === undefined ? { end: 'fine', run } : { end: 'stopped', run, failure };
};

async function* none(): AsyncIterable<never> {}

const weighingSink = (begun: UnfinishedRun, from: Weighing, runs: Pick<RunStore, 'saveRun'>) => {
  let { counts, overwrites } = from;
  const postponed: { index: number; records: Postponed[] }[] = [];
  /** The run itself has not begun: it keeps only the cost of the reading and how far it came. */
  const kept = ({ requests, limits, hasLinked, checkpoint }: UnfinishedRun, isDone = false): UnfinishedRun => ({
    ...begun,
    requests,
    ...(limits && { limits }),
    ...(hasLinked && { hasLinked }),
    weighing: { isDone, counts, overwrites, ...(checkpoint && !isDone && { checkpoint }) },
  });
  const sink: Sink = {
    chunks: none,
    send: sendNothing,
    keep: async (run) => run,
    write: async (_, index, part) => {
      counts = addCounts(counts, countEntries(part.entries));
      overwrites += part.toLoad.filter(({ as }) => as === 'overwrite').length;
      if (part.postponed.length > 0) postponed.push({ index, records: part.postponed.map(({ record }) => record) });
    },
    // Placing is done again by the next invocation, if this one does not come to its end.
    save: async (run) => {
      if (run.checkpoint?.judged === undefined) await runs.saveRun(kept(run));
    },
    async *postponed() {
      yield* postponed;
    },
  };
  return { ...sink, kept, done: (run: UnfinishedRun) => kept(run, true) };
};

/** What a run that is stopped would have sent waits. Pure. */
export const stoppedCounts = ({ counts }: Weighing): Weighing['counts'] => ({
  ...counts,
  waiting: counts.waiting + counts.enqueued,
  enqueued: 0,
});
