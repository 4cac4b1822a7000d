import type { RateLimiter } from '../connection/limit/rate-limit.ts';
import type { Integration } from '../integration/schema/schema.ts';
import type { RunRecord } from '../runs/record.ts';
import type { RunStore } from '../runs/store.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Backlog } from './follow-run.ts';

/** One end of an integration that asked everybody to wait: until when (ms since the epoch), and in which words. */
export type ConnectionPause = { side: 'source' | 'target'; connection: string; untilMs: number; why?: string };

const sides = ['source', 'target'] as const;

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

export type PauseWatch = {
  integration: Integration;
  runs: Pick<RunStore, 'lease' | 'run' | 'runs'>;
  limiter: Pick<RateLimiter, 'pauseOf'>;
  backlog: () => Backlog;
  clock: Clock;
  /** Longer than this nobody waits for the end of pauses, ms. */
  maxWaitMs: number;
  isOver: () => boolean;
  onPaused: (pause: ConnectionPause) => void;
};

const LOOK_EVERY_MS = 1_000;
/** Pauses that follow each other are one wait: between two of them a request is answered. */
const SAME_WAIT_MS = 10_000;
/** Work that can go on does so first: this long without any, by whether a message is being worked on. */
const QUIET_MS = { idle: 3_000, busy: 60_000 } as const;

/** What a run could go on with but for the pause: a source that is read, or a target once all is read. */
const holdsUp = ({ side }: ConnectionPause, run: RunRecord | undefined): boolean =>
  (side === 'source') === (run === undefined || run.status === 'extracting');

/**
 * Watches a run until its connection's pauses have lasted too long, or are known to; gives the run and that pause. A wait
 * counts from its first pause on while nothing is read or loaded. Undefined once the run is over.
 */
export const pausedTooLong = async (
  watch: PauseWatch,
): Promise<{ run: RunRecord; pause: ConnectionPause } | undefined> => {
  const { integration, runs, limiter, clock, maxWaitMs } = watch;
  const { name } = integration;
  const look = async () => {
    const lease = await runs.lease(name);
    const leased = lease && (await runs.run(name, lease.runId));
    const [run] = leased ? [leased] : await runs.runs(name, 1);
    return { run, pauses: (await pausesOf(integration, limiter)).filter((pause) => holdsUp(pause, run)) };
  };
  const progress = progressOf(clock.nowMs());
  let sinceMs: number | undefined;
  let lastPausedMs = 0;
  let toldMs = 0;
  for (; !watch.isOver(); await clock.sleep(LOOK_EVERY_MS)) {
    // Whoever cannot look waits on.
    const { run, pauses } = await look().catch(() => ({ run: undefined, pauses: [] }));
    const backlog = watch.backlog();
    const nowMs = clock.nowMs();
    const movedMs = progress(run, backlog, nowMs);
    const [pause] = pauses;
    if (pause === undefined) {
      if (nowMs - lastPausedMs > SAME_WAIT_MS) sinceMs = undefined;
      continue;
    }
    if (pause.untilMs > toldMs) watch.onPaused(pause);
    toldMs = Math.max(toldMs, pause.untilMs);
    lastPausedMs = nowMs;
    sinceMs = Math.max(sinceMs ?? nowMs, movedMs);
    const quietMs = backlog.visible + backlog.inFlight === 0 ? QUIET_MS.idle : QUIET_MS.busy;
    if (run !== undefined && nowMs - movedMs >= quietMs && pause.untilMs - sinceMs > maxWaitMs) return { run, pause };
  }
  return undefined;
};

/** When something was last read or loaded: more rows, or fewer messages than there ever were since. */
const progressOf = (startMs: number) => {
  let fetched: number | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  let movedMs = startMs;
  return (run: RunRecord | undefined, { visible, inFlight, delayed }: Backlog, nowMs: number): number => {
    const messages = visible + inFlight + delayed;
    const hasRead = run !== undefined && run.counts.fetched !== fetched;
    if (hasRead || messages < fewest) movedMs = nowMs;
    fewest = hasRead ? messages : Math.min(fewest, messages);
    fetched = run?.counts.fetched ?? fetched;
    return movedMs;
  };
};
