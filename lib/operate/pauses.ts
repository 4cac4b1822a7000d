import type { ConnectionRest, HealthStore } from '../connection/limit/health.ts';
import type { RateLimiter } from '../connection/limit/rate-limit.ts';
import { shownRests } from '../connection/limit/rest.ts';
import type { Integration } from '../integration/schema/schema.ts';
import { isJsonObject, parsedOrUndefined } from '../json/json.ts';
import { type Side, sides } from '../runs/ends.ts';
import { leftIn } from '../runs/line.ts';
import type { RunRecord } from '../runs/record.ts';
import type { RunStore } from '../runs/store.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Backlog } from './follow-run.ts';

/** The rests that hold an integration's records now. Throws where the store cannot be reached. */
export const restsNow = async (
  { name, target }: Integration,
  health: Pick<HealthStore, 'read'>,
): Promise<ConnectionRest[]> => {
  const { connection } = target;
  return shownRests((await health.read(connection.name)).health, connection.name, name);
};

/** After so many records were tried in vain, a person at a terminal need not wait any longer. */
const PROBES_IN_VAIN = 5;

/**
 * Whether a rest is waited for no longer: it ends with the next run only, or enough records were tried in vain, the
 * last one after `sinceMs`. Pure.
 */
export const isGivenUp = (
  { probeAtMs, sinceMs: beganMs, failedMs = beganMs, failedProbes }: ConnectionRest,
  sinceMs: number,
): boolean => failedMs >= sinceMs && (probeAtMs === undefined || failedProbes >= PROBES_IN_VAIN);

/** An end of an integration that asked all workers to wait: until when (ms since the epoch), and in which words. */
export type ConnectionPause = { side: Side; connection: string; untilMs: number; why?: string };

/** Which ends of an integration are paused now. */
export const pausesOf = async (
  integration: Integration,
  limiter: Pick<RateLimiter, 'pauseOf'>,
): Promise<ConnectionPause[]> => {
  const found = await Promise.all(
    sides.map(async (side): Promise<ConnectionPause[]> => {
      const connection = integration[side].connection.name;
      const pause = await limiter.pauseOf(connection);
      return pause === undefined ? [] : [{ side, connection, ...pause }];
    }),
  );
  return found.flat();
};

type PauseWatch = {
  integration: Integration;
  runs: Pick<RunStore, 'lease' | 'run' | 'runs' | 'line'>;
  limiter: Pick<RateLimiter, 'pauseOf'>;
  health: Pick<HealthStore, 'read'>;
  backlog: () => Backlog;
  clock: Clock;
  /** Longer than this nobody waits for the end of pauses, ms. */
  maxWaitMs: number;
  isOver: () => boolean;
  onPaused: (pause: ConnectionPause) => void;
  onRest: (rest: ConnectionRest) => void;
};

/** What is not waited for: a pause, or the end of a rest. */
type Hold = { kind: 'pause'; pause: ConnectionPause } | { kind: 'rest'; rest: ConnectionRest };

const LOOK_EVERY_MS = 1_000;
/** Pauses that follow each other this closely count as one wait: between them only a request was answered. */
const SAME_WAIT_MS = 10_000;
/** Other work goes first: a hold counts after this long without any, by whether a message is being worked on. */
const QUIET_MS = { idle: 3_000, busy: 60_000 } as const;

/** Whether a hold keeps the run from going on: one of the source while it is read, one of the target after that. */
const holdsUp = (side: ConnectionPause['side'], run: RunRecord | undefined): boolean =>
  (side === 'source') === (run === undefined || run.status === 'extracting');

const holdsNow = async ({ integration, limiter, health }: PauseWatch, run: RunRecord | undefined): Promise<Hold[]> => {
  const pauses = await pausesOf(integration, limiter);
  const rests = holdsUp('target', run) ? await restsNow(integration, health) : [];
  return [
    ...rests.map((rest): Hold => ({ kind: 'rest', rest })),
    ...pauses.flatMap((pause): Hold[] => (holdsUp(pause.side, run) ? [{ kind: 'pause', pause }] : [])),
  ];
};

/** Until when nothing is sent, ms since the epoch. */
const untilMsOf = (hold: Hold): number =>
  hold.kind === 'pause' ? hold.pause.untilMs : (hold.rest.probeAtMs ?? Number.POSITIVE_INFINITY);

/**
 * Watches a run until a pause or a rest has lasted too long, or is known to, or until a rest is waited for no longer.
 * Gives the run and what held it up; undefined once the run is over. A wait counts from its beginning, as long as
 * nothing is read or loaded.
 */
export const heldTooLong = async (watch: PauseWatch): Promise<{ run: RunRecord; hold: Hold } | undefined> => {
  const { integration, runs, clock, maxWaitMs } = watch;
  const { name } = integration;
  const look = async () => {
    const lease = await runs.lease(name);
    const leased = lease && (await runs.run(name, lease.runId));
    const [run] = leased ? [leased] : await runs.runs(name, 1);
    return { run, holds: await holdsNow(watch, run), unsent: leftIn(await runs.line(name)) };
  };
  const beganMs = clock.nowMs();
  const progress = progressOf(beganMs);
  let sinceMs: number | undefined;
  let lastPausedMs = 0;
  let toldMs = 0;
  let toldRestMs: number | undefined;
  for (; !watch.isOver(); await clock.sleep(LOOK_EVERY_MS)) {
    // Whoever cannot look waits on.
    const { run, holds, unsent } = await look().catch(() => ({ run: undefined, holds: [], unsent: undefined }));
    const backlog = watch.backlog();
    const nowMs = clock.nowMs();
    const movedMs = progress(run, backlog, unsent, nowMs);
    const [hold] = holds;
    if (hold === undefined) {
      if (nowMs - lastPausedMs > SAME_WAIT_MS) sinceMs = undefined;
      continue;
    }
    const untilMs = untilMsOf(hold);
    if (hold.kind === 'rest') {
      if (hold.rest.sinceMs !== toldRestMs) watch.onRest(hold.rest);
      toldRestMs = hold.rest.sinceMs;
    } else {
      if (untilMs > toldMs) watch.onPaused(hold.pause);
      toldMs = Math.max(toldMs, untilMs);
    }
    lastPausedMs = nowMs;
    sinceMs = Math.max(sinceMs ?? nowMs, movedMs);
    const quietMs = backlog.visible + backlog.inFlight === 0 ? QUIET_MS.idle : QUIET_MS.busy;
    if (run === undefined || nowMs - movedMs < quietMs) continue;
    // A rest from before this run is tried again as the run begins: only what comes of that counts.
    const isTooLong = untilMs !== Number.POSITIVE_INFINITY && Math.max(untilMs, nowMs) - sinceMs > maxWaitMs;
    if (isTooLong || (hold.kind === 'rest' && isGivenUp(hold.rest, beganMs))) return { run, hold };
  }
  return undefined;
};

/**
 * When something was last read or loaded: there are more rows than before, or fewer records than ever before that are
 * queued or wait in ledgers, from which the queue is filled again. `unsent`: undefined where nobody could look.
 */
const progressOf = (startMs: number) => {
  let fetched: number | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  let movedMs = startMs;
  return (
    run: RunRecord | undefined,
    { visible, inFlight, delayed }: Backlog,
    unsent: number | undefined,
    nowMs: number,
  ): number => {
    if (unsent === undefined) return movedMs;
    const waiting = visible + inFlight + delayed + unsent;
    const hasRead = run !== undefined && run.counts.fetched !== fetched;
    if (hasRead || waiting < fewest) movedMs = nowMs;
    fewest = hasRead ? waiting : Math.min(fewest, waiting);
    fetched = run?.counts.fetched ?? fetched;
    return movedMs;
  };
};

/** Why a record was put back: a cause of the loader's, and the status where the target answered. */
export type PutBack = { cause: string; status?: number };

/**
 * Why records were last put back, from the end of the load function's log: the queue itself does not tell. Undefined
 * where the log says nothing of it.
 */
export const lastPutBack = (log: string): PutBack | undefined => {
  for (const line of log.split('\n').reverse()) {
    const found = putBackIn(line);
    if (found !== undefined) return found;
  }
  return undefined;
};

const putBackIn = (line: string): PutBack | undefined => {
  const entry = parsedOrUndefined(line);
  if (!isJsonObject(entry) || typeof entry.cause !== 'string') return undefined;
  return { cause: entry.cause, ...(typeof entry.status === 'number' && { status: entry.status }) };
};
