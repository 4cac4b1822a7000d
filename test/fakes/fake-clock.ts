import type { Clock } from '../../lib/runtime/clock.ts';

export interface FakeClock extends Clock {
  /** Moves time on by `ms`, waking each sleeper at its own time, in order. */
  advance(ms: number): Promise<void>;
  /** Jumps from sleeper to sleeper until nobody sleeps any more; throws when time has moved by more than `limitMs`. */
  runUntilIdle(limitMs?: number): Promise<void>;
  /** Runs `task` to its end, moving time whenever everything sleeps. Throws when it waits for something else. */
  run<Result>(task: Promise<Result>): Promise<Result>;
  /** How many sleep now. */
  sleepers(): number;
}

type Sleeper = { wakeMs: number; order: number; wake: () => void };

const DAY_MS = 24 * 60 * 60 * 1000;

/** Lets everything that can go on without time go on: all promise jobs are done when the next immediate runs. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Virtual time: it stands still but for `advance`, `runUntilIdle` and `run`. */
export const fakeClock = (startMs = Date.UTC(2026, 0, 5)): FakeClock => {
  let nowMs = startMs;
  let order = 0;
  let sleeping: Sleeper[] = [];

  const next = (): Sleeper | undefined =>
    sleeping.reduce<Sleeper | undefined>(
      (first, sleeper) =>
        !first || sleeper.wakeMs < first.wakeMs || (sleeper.wakeMs === first.wakeMs && sleeper.order < first.order)
          ? sleeper
          : first,
      undefined,
    );
  const wake = async (sleeper: Sleeper) => {
    nowMs = Math.max(nowMs, sleeper.wakeMs);
    sleeping = sleeping.filter((other) => other !== sleeper);
    sleeper.wake();
    await settle();
  };
  const advance = async (ms: number) => {
    const untilMs = nowMs + ms;
    await settle();
    for (let sleeper = next(); sleeper && sleeper.wakeMs <= untilMs; sleeper = next()) await wake(sleeper);
    nowMs = untilMs;
  };
  const runUntilIdle = async (limitMs = 30 * DAY_MS) => {
    const endMs = nowMs + limitMs;
    await settle();
    for (let sleeper = next(); sleeper; sleeper = next()) {
      if (sleeper.wakeMs > endMs) throw new Error(`still sleeping after ${limitMs} ms of virtual time`);
      await wake(sleeper);
    }
  };
  const run = async <Result>(task: Promise<Result>): Promise<Result> => {
    let running = true;
    const end = () => {
      running = false;
    };
    task.then(end, end);
    await settle();
    while (running) {
      const sleeper = next();
      if (!sleeper) throw new Error('the task waits for something that is not this clock');
      await wake(sleeper);
    }
    return task;
  };

  return {
    nowMs: () => nowMs,
    sleep: (ms) =>
      ms <= 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            sleeping.push({ wakeMs: nowMs + ms, order: order++, wake: resolve });
          }),
    advance,
    runUntilIdle,
    run,
    sleepers: () => sleeping.length,
  };
};

/**
 * Virtual time for tests over real input and output: a sleep takes no real time, it moves the clock on and yields.
 */
export const hastyClock = (startMs = Date.UTC(2026, 0, 5)): Clock & { advance(ms: number): void } => {
  let nowMs = startMs;
  const advance = (ms: number) => {
    nowMs += ms;
  };
  return {
    nowMs: () => nowMs,
    advance,
    sleep: async (ms) => {
      advance(Math.max(0, ms));
      await settle();
    },
  };
};
