import type { HealthStore } from '../connection/limit/health.ts';
import type { RateLimit, RateLimiter } from '../connection/limit/rate-limit.ts';
import { restsOf } from '../connection/limit/rest.ts';
import type { Queue } from '../messages/queue.ts';
import { readMessage } from '../messages/record-message.ts';
import { type Line, leftIn, takenOf, type Unsent, unsentOf } from '../runs/line.ts';
import { MissingChunkError, type RunStore } from '../runs/store.ts';
import { type Clock, lasts, type RemainingMs, reachMs } from '../runtime/clock.ts';
import type { EventsOf, Log } from '../runtime/log.ts';
import type { Random } from '../runtime/random.ts';
import type { Tuning } from '../runtime/tuning.ts';
import { sendDue, withAppointment } from './wait-in-line.ts';

/** What dispatching needs to know of an integration. */
export type DispatchPlan = {
  integration: string;
  /** Name of the connection that its records go over. */
  target: string;
  /** Absent: all goes at once. */
  limit?: RateLimit;
  /** So many records go into one request. */
  rows: number;
};

/** What dispatching logs. */
export type DispatchEvent = EventsOf<{
  dispatched: { integration: string; sent: number; left: number };
  /** The target is another than the one that the state belongs to: all waits until somebody has decided. */
  'dispatch-held': { integration: string; left: number };
  /** A chunk of what was to be sent is gone: later runs send its records again. */
  'unsent-lost': { integration: string; runId: string; words: string };
  'dispatch-failed': { integration: string; error: string };
}>;

export type DispatchDeps = {
  runs: Pick<RunStore, 'line' | 'saveLine' | 'chunks' | 'saveChunk' | 'ends'>;
  records: Queue;
  limiter: Pick<RateLimiter, 'book'>;
  health: Pick<HealthStore, 'read'>;
  clock: Clock;
  random: Random;
  log: Log<DispatchEvent>;
  tuning: Pick<Tuning, 'dispatch'>;
};

/**
 * Fills the line of each connection with what waits in ledgers, as far as it is due soon: a block, its messages, the
 * cursor, and again; several integrations of one connection in turn. What one integration throws is thrown when the
 * others are done. Gives how many records still wait. While a target rests one request a tick is sent: somebody must try it,
 * and all others would only go round in the queue and age.
 */
export const dispatch = async (
  plans: readonly DispatchPlan[],
  deps: DispatchDeps,
  remainingMs: RemainingMs,
): Promise<{ left: number }> => {
  const errors: unknown[] = [];
  const opened: Sender[] = [];
  const failed = (integration: string, error: unknown): void => {
    errors.push(error);
    deps.log.error('dispatch-failed', { integration, error: String(error) });
  };
  for (const plan of plans) {
    try {
      const sender = await openSender(plan, deps);
      if (sender !== undefined) opened.push(sender);
    } catch (error) {
      failed(plan.integration, error);
    }
  }
  let going = opened;
  const full = new Set<string>();
  while (going.length > 0 && remainingMs() > deps.tuning.dispatch.reserveMs) {
    const next: Sender[] = [];
    for (const sender of going) {
      const { integration, target } = sender.plan;
      if (full.has(target)) continue;
      try {
        const end = await sender.block();
        if (end === 'full') full.add(target);
        if (end === 'sent') next.push(sender);
      } catch (error) {
        failed(integration, error);
      }
    }
    going = next;
  }
  let left = 0;
  for (const sender of opened) {
    try {
      left += await sender.close();
    } catch (error) {
      failed(sender.plan.integration, error);
    }
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1)
    throw new AggregateError(errors, `what waits of ${errors.length} integrations could not be sent`);
  return { left };
};

/** One integration whose line one dispatcher has for itself, for as long as its word lasts. */
type Sender = {
  plan: DispatchPlan;
  /** `full`: the connection's line reaches far enough; `over`: nothing more is to be sent, or another dispatcher has taken over. */
  block(): Promise<'sent' | 'full' | 'over'>;
  /** Gives back the line; gives how many records wait. */
  close(): Promise<number>;
};

const openSender = async (plan: DispatchPlan, deps: DispatchDeps): Promise<Sender | undefined> => {
  const { integration } = plan;
  const { runs, clock, random, log, tuning } = deps;
  const stored = await runs.line(integration);
  if (stored === undefined || leftIn(stored) === 0) return undefined;
  if (stored.sender !== undefined && lasts(stored.sender.untilMs, clock.nowMs(), reachMs.invocation)) return undefined;
  const ends = await runs.ends(integration);
  if (ends?.met?.target !== undefined) {
    log.info('dispatch-held', { integration, left: leftIn(stored) });
    return undefined;
  }
  const isResting = restsOf((await deps.health.read(plan.target)).health, integration).length > 0;
  const owner = random.token();
  let sent = 0;
  const sender = () => ({ owner, untilMs: clock.nowMs() + tuning.dispatch.leaseMs });
  // What is of a state that somebody has replaced is never sent.
  const present = ends?.generation ?? 0;
  const ours = stored.runs.filter(({ generation = 0 }) => generation === present);
  let line: Line = { rev: stored.rev + 1, sender: sender(), runs: ours };
  if ((await runs.saveLine(integration, line)) === 'conflict') return undefined;

  /** Writes a change of the line; false: another has taken over. Fetch may have added to it meanwhile. */
  const change = async (changed: (line: Line) => Line): Promise<boolean> => {
    for (;;) {
      const next = { ...changed(line), rev: line.rev + 1 };
      if ((await runs.saveLine(integration, next)) === 'saved') {
        line = next;
        return true;
      }
      const read = await runs.line(integration);
      if (read === undefined || read.sender?.owner !== owner) return false;
      line = read;
    }
  };
  const taken = takenIn(integration, runs);
  const chunkOf = messagesIn(integration, deps);

  return {
    plan,
    async block() {
      const run = line.runs.find(({ left }) => left > 0);
      if (run === undefined) return 'over';
      const messages = await chunkOf(run);
      const skipped = await taken(line, run);
      const { place } = run.at;
      const { requestsAtOnce, aheadMs } = tuning.dispatch;
      const upTo = Math.min(messages.length, place + (isResting ? 1 : requestsAtOnce) * plan.rows);
      const meant = Array.from({ length: Math.max(0, upTo - place) }, (_, index) => place + index).filter(
        (at) => !skipped.has(idIn(messages[at] ?? '')),
      );
      let behind = upTo;
      if (meant.length > 0) {
        const nowMs = clock.nowMs();
        const requests = Math.ceil(meant.length / plan.rows);
        const { appointments } = await deps.limiter.book(plan.target, plan.limit, requests, nowMs + aheadMs);
        if (appointments.length === 0) return 'full';
        const going = meant.slice(0, appointments.length * plan.rows);
        behind = meant[going.length] ?? upTo;
        const due = going.map((at, index) => {
          const dueMs = appointments[Math.floor(index / plan.rows)] ?? nowMs;
          return { body: withAppointment(messages[at] ?? '', dueMs, nowMs), dueMs };
        });
        await sendDue(deps.records, due, plan.target, nowMs);
        sent += going.length;
      }
      const isThrough = behind >= messages.length;
      // When its messages were sent stands in the chunk, which is left empty: before the cursor says so.
      if (isThrough) await leaveEmpty(integration, run, clock.nowMs(), runs);
      const at = isThrough ? { chunk: run.at.chunk + 1, place: 0 } : { chunk: run.at.chunk, place: behind };
      const isOurs = await change((now) => ({
        ...now,
        sender: sender(),
        runs: moved(now.runs, run, at, Math.max(0, behind - place), clock.nowMs()),
      }));
      return isOurs && !(isResting && sent > 0) ? 'sent' : 'over';
    },
    async close() {
      await change(({ sender: _, ...rest }) => rest);
      const left = leftIn(line);
      if (sent > 0) log.info('dispatched', { integration, sent, left });
      return left;
    },
  };
};

/** A run's entry with its cursor behind what was passed; past its last chunk nothing is left, whatever was counted. */
const moved = (
  all: readonly Unsent[],
  { runId }: Unsent,
  at: Unsent['at'],
  passed: number,
  movedMs: number,
): Unsent[] =>
  all.map((run) => {
    if (run.runId !== runId) return run;
    return { ...run, at, movedMs, left: at.chunk > run.chunks ? 0 : Math.max(1, run.left - passed) };
  });

const leaveEmpty = (
  integration: string,
  { runId, at }: Unsent,
  sentMs: number,
  runs: Pick<RunStore, 'saveChunk'>,
): Promise<void> =>
  runs.saveChunk(integration, {
    runId: unsentOf(runId),
    index: at.chunk,
    versionMs: sentMs,
    sentMs,
    entries: [],
    memory: [],
  });

/** The id of a message as fetch has written it. */
const idIn = (body: string): string => {
  const read = readMessage(body);
  return read.kind === 'message' ? read.message.id : '';
};

/** The messages of a run's present chunk, read once. */
const messagesIn = (integration: string, { runs, log }: Pick<DispatchDeps, 'runs' | 'log'>) => {
  let held: { key: string; messages: readonly string[] } | undefined;
  return async ({ runId, at: { chunk } }: Unsent): Promise<readonly string[]> => {
    const key = `${runId} ${chunk}`;
    if (held?.key === key) return held.messages;
    let messages: readonly string[] = [];
    try {
      for await (const { memory } of runs.chunks(integration, unsentOf(runId), chunk, chunk)) messages = memory;
    } catch (error) {
      if (!(error instanceof MissingChunkError)) throw error;
      log.error('unsent-lost', { integration, runId, words: error.message });
    }
    held = { key, messages };
    return messages;
  };
};

/** The ids that runs after this one have taken over: their own messages come, and the older content must not. */
const takenIn = (integration: string, runs: Pick<RunStore, 'chunks'>) => {
  const known = new Map<string, Set<string>>();
  const idsOf = async ({ runId, takes = 0 }: Unsent): Promise<Set<string>> => {
    const key = `${runId} ${takes}`;
    const ids = known.get(key) ?? new Set<string>();
    if (!known.has(key) && takes > 0) {
      for await (const { memory } of runs.chunks(integration, takenOf(runId), takes))
        for (const id of memory) ids.add(id);
    }
    known.set(key, ids);
    return ids;
  };
  return async (line: Line, run: Unsent): Promise<{ has(id: string): boolean }> => {
    const later = line.runs.slice(line.runs.findIndex(({ runId }) => runId === run.runId) + 1);
    const sets = await Promise.all(later.map(idsOf));
    return { has: (id) => sets.some((ids) => ids.has(id)) };
  };
};
