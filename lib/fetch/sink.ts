import { sendDue, waitInLine, withAppointment } from '../dispatch/wait-in-line.ts';
import type { JsonValue } from '../json/json.ts';
import type { LedgerChunk, LedgerEntry } from '../runs/ledger.ts';
import { leftIn } from '../runs/line.ts';
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

export type SentPart = { refused: ReadonlySet<number>; unsent?: number };

/** What a sink does that sends nothing. */
export const sendNothing = async (): Promise<SentPart> => ({ refused: new Set() });

/** Where fetching puts what it makes: a run's into queue and tables, a dry run's into counts. */
export type Sink = {
  /** The ledger up to the run's checkpoint. */
  chunks(run: UnfinishedRun): AsyncIterable<LedgerChunk>;
  /**
   * Sends messages, or leaves them in the ledger until the target's limit has room for them: `unsent`, the last chunk that
   * holds any. `takenIds`: of which an earlier run's messages wait that must not be sent any more. `refused`: the indexes of
   * those that the queue would never take: those records are at fault, not the run. Throws `QueueRefusedError` where it did
   * not accept others.
   */
  send(run: UnfinishedRun, messages: readonly string[], takenIds: readonly string[]): Promise<SentPart>;
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

type SinkDeps = Pick<FetchDeps, 'records' | 'runs' | 'clock' | 'limiter' | 'tuning'>;

/** What a run makes goes to the records queue and into the tables. */
export const runSink = (
  deps: SinkDeps,
  plan: Pick<FetchPlan, 'target' | 'limit' | 'rows'>,
  mayLeaveBehind: boolean,
): Sink => {
  const { runs, clock } = deps;
  const chunks = ({ integration, runId, checkpoint }: UnfinishedRun) =>
    runs.chunks(integration, runId, checkpoint?.chunks ?? 0);
  return {
    chunks,
    send: (run, messages, takenIds) => sendOrWait(run, messages, takenIds, plan, deps),
    write: ({ integration, runId, versionMs }, index, { entries, postponed, deletions, memory, toLoad, unsent }) =>
      runs.saveChunk(integration, {
        runId,
        index,
        versionMs,
        ...(toLoad.length + (deletions?.length ?? 0) > 0 && { sentMs: clock.nowMs() }),
        ...defined({ unsent }),
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

/**
 * Sends as many messages as the connection's line has room for, each with its appointment, and leaves the others in the
 * ledger, behind what waits there already. Without a limit, and where somebody named the ids, all go at once.
 */
const sendOrWait = async (
  run: UnfinishedRun,
  messages: readonly string[],
  takenIds: readonly string[],
  { target, limit, rows }: Pick<FetchPlan, 'target' | 'limit' | 'rows'>,
  { runs, records, limiter, clock, tuning }: SinkDeps,
): Promise<SentPart> => {
  if (messages.length === 0) return { refused: new Set() };
  const nowMs = clock.nowMs();
  const isAsked = run.selection?.ids !== undefined;
  const waits = leftIn(await runs.line(run.integration)) > 0;
  const { aheadMs } = tuning.dispatch;
  const dues: number[] = [];
  if (limit !== undefined && !waits) {
    dues.push(...(await limiter.book(target, limit, Math.ceil(messages.length / rows), nowMs + aheadMs)).appointments);
  }
  const going = limit === undefined || isAsked ? messages.length : Math.min(messages.length, dues.length * rows);
  const now = messages.slice(0, going).map((body, index) => {
    const dueMs = dues[Math.floor(index / rows)];
    return dueMs === undefined ? { body } : { body: withAppointment(body, dueMs, nowMs), dueMs };
  });
  const refused = await sendDue(records, now, target, nowMs);
  if (going === messages.length && takenIds.length === 0) return { refused };
  const unsent = await waitInLine(run, messages.slice(going), takenIds, { runs, clock, tuning: tuning.dispatch });
  return { refused, ...(going < messages.length && { unsent }) };
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
  const takenIds = part.toLoad.filter(({ takesOver }) => takesOver).map(({ record }) => record.id);
  const messages = part.toLoad.map(({ message }) => message);
  const { refused, unsent } = await sink.send(run, messages, takenIds);
  const sent = { ...part, ...defined({ unsent }) };
  if (refused.size === 0) return sent;
  let place = 0;
  const entries = part.entries.map((entry): LedgerEntry => {
    if (entry.outcome !== 'enqueued') return entry;
    return refused.has(place++) ? { id: entry.id, outcome: 'invalid', reason: REFUSED_BY_QUEUE } : entry;
  });
  return { ...sent, entries, toLoad: part.toLoad.filter((_, index) => !refused.has(index)) };
};
