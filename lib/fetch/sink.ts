import type { JsonValue } from '../json/json.ts';
import type { LedgerChunk, LedgerEntry } from '../runs/ledger.ts';
import type { UnfinishedRun } from '../runs/record.ts';
import type { Clock } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import type { Log } from '../runtime/log.ts';
import type { FetchTuning } from '../runtime/tuning.ts';
import type { FetchDeps, FetchEvent, FetchPlan } from './fetch-plan.ts';
import { keepInvalidRows } from './invalid-rows.ts';
import type { Part, Pass } from './pass.ts';
import { type Postponed, readPostponed } from './postponed.ts';
import type { Deadlines } from './time-budget.ts';

type RowOf = (id: string) => JsonValue | undefined;

/** Where fetching puts what it makes: a run's into queue and tables, a dry run's into counts. */
export type Sink = {
  /** The ledger up to the run's checkpoint. */
  chunks(run: UnfinishedRun): AsyncIterable<LedgerChunk>;
  /**
   * The indexes of the messages that the queue would never take: those records are at fault, not the run. Throws
   * `QueueRefusedError` where it did not accept others.
   */
  send(messages: readonly string[]): Promise<ReadonlySet<number>>;
  /** Writes chunk `index` of the ledger. What its messages say must be sent before. */
  write(run: UnfinishedRun, index: number, part: Part & Pick<LedgerChunk, 'deletions'>): Promise<void>;
  /** Keeps invalid rows with the run, where its window may move on without them. */
  keep(run: UnfinishedRun, entries: readonly LedgerEntry[], rowOf: RowOf): Promise<UnfinishedRun>;
  /** Moves the checkpoint to where the run stands. */
  save(run: UnfinishedRun): Promise<void>;
  /** The records that were postponed, by the ledger chunk in which they wait. */
  postponed(run: UnfinishedRun): AsyncIterable<{ index: number; records: Postponed[] }>;
};

/** What one invocation fetches with. A dry run takes the same steps into another sink. */
export type FetchWork = {
  plan: FetchPlan;
  pass: Pass;
  sink: Sink;
  /** Writes down what a run takes over; absent: the run sends what it takes on. */
  adopt?: (part: Part, run: UnfinishedRun) => Promise<Part>;
  time: Deadlines & { isUp(): boolean };
  clock: Clock;
  log: Log<FetchEvent>;
  tuning: FetchTuning;
};

/** Thrown when the queue did not accept messages after all retries: what was being sent is not done. */
class QueueRefusedError extends Error {
  override readonly name = 'QueueRefusedError';
  readonly code = 'queue-refused';
}

/** What a run makes goes to the records queue and into the tables; `group`: the connection that its records go over. */
export const runSink = (
  { records, runs, clock }: Pick<FetchDeps, 'records' | 'runs' | 'clock'>,
  mayLeaveBehind: boolean,
  group: string,
): Sink => {
  const chunks = ({ integration, runId, checkpoint }: UnfinishedRun) =>
    runs.chunks(integration, runId, checkpoint?.chunks ?? 0);
  return {
    chunks,
    async send(messages) {
      if (messages.length === 0) return new Set();
      const { failed, refused = [] } = await records.sendAll(messages.map((body) => ({ body, group })));
      const open = failed.length - refused.length;
      if (open > 0) throw new QueueRefusedError(`the records queue refused ${open} of ${messages.length} messages`);
      return new Set(refused);
    },
    write: ({ integration, runId, versionMs }, index, { entries, postponed, deletions, memory, toLoad }) =>
      runs.saveChunk(integration, {
        runId,
        index,
        versionMs,
        ...(toLoad.length + (deletions?.length ?? 0) > 0 && { sentMs: clock.nowMs() }),
        entries,
        ...(postponed.length > 0 && { postponed: postponed.map(({ text }) => text) }),
        ...defined({ deletions }),
        memory,
      }),
    keep: async (run, entries, rowOf) => (mayLeaveBehind ? keepInvalidRows(run, entries, rowOf, runs) : run),
    save: (run) => runs.saveRun(run),
    async *postponed(run) {
      for await (const { index, postponed = [] } of chunks(run)) {
        if (postponed.length > 0) yield { index, records: postponed.map(readPostponed) };
      }
    },
  };
};

/** Why a record whose message the queue would never take is invalid, in words. */
export const REFUSED_BY_QUEUE = 'the queue does not take its message: too large, or with characters that it refuses';

/**
 * Sends a part's messages, or takes its records over. Gives the part as it came to be: a record whose message the queue
 * would never take is invalid.
 */
export const takeOn = async (
  part: Part,
  run: UnfinishedRun,
  { sink, adopt }: Pick<FetchWork, 'sink' | 'adopt'>,
): Promise<Part> => {
  if (adopt !== undefined) return adopt(part, run);
  const refused = await sink.send(part.toLoad.map(({ message }) => message));
  if (refused.size === 0) return part;
  let place = 0;
  const entries = part.entries.map((entry): LedgerEntry => {
    if (entry.outcome !== 'enqueued') return entry;
    return refused.has(place++) ? { id: entry.id, outcome: 'invalid', reason: REFUSED_BY_QUEUE } : entry;
  });
  return { ...part, entries, toLoad: part.toLoad.filter((_, index) => !refused.has(index)) };
};
