import type { RemainingMs } from '../../lib/runtime/clock.ts';
import { nextClockOffMs } from './clocks.ts';
import type { Reply } from './source-faults.ts';
import type { World } from './world.ts';

/** How an invocation ended, as whoever invoked it sees it. */
export type InvocationEnd =
  | { kind: 'returned'; value: unknown }
  | { kind: 'threw'; error: unknown }
  /** Killed, or cut off at the function's time-out: nothing of it goes on. */
  | { kind: 'crashed'; why: string };

type Handler = (event: unknown, remainingMs: RemainingMs) => Promise<unknown>;

/** A function with its warm execution environments. */
export type LambdaFunction = { name: string; timeoutMs: number; open(environment: Environment): Handler };

/**
 * One execution environment: it runs one invocation at a time, stands still in between (what its handler left behind
 * goes on with the next event), and loses all that it was doing when it dies.
 */
export type Environment = {
  name: string;
  state: 'idle' | 'running' | 'dead';
  /** Another version of the function has been deployed: it gets no more events. */
  isRetired: boolean;
  handler: Handler | undefined;
  /** Answers that came while it stood still. */
  pending: (() => void)[];
  /** Ends the invocation under way. */
  end: (end: InvocationEnd) => void;
  /** Counts invocations; 0 before the first. */
  invocation: number;
  /** Whether a fault of the queues made this invocation give messages back. */
  sendFaults: number;
  /** By how much its clock is wrong, ms. */
  clockOffMs: number;
  /** What the source meant by its last answer; absent: it has given none. */
  heard?: Reply['said'];
};

/** One invocation in one environment: whom a claim belongs to. */
export const workerOf = ({ name, invocation }: Environment): string => `${name}/${invocation}`;

const newEnvironment = (name: string): Environment => ({
  name,
  state: 'idle',
  isRetired: false,
  handler: undefined,
  pending: [],
  end: () => {},
  invocation: 0,
  sendFaults: 0,
  clockOffMs: 0,
});

/** Dies: its awaits never resume. What is on the wire already may arrive all the same. */
const kill = (world: World, environment: Environment, why: string): void => {
  if (environment.state !== 'running') return;
  world.note(environment.name, 'dies', why);
  environment.state = 'dead';
  environment.end({ kind: 'crashed', why });
};

const LONGEST_STALL_MS = 60_000;

/** Lets an environment go on after an await: at once, late, with its next event, or never. */
export const resume = (world: World, environment: Environment, goOn: () => void): void => {
  if (environment.state === 'dead') return;
  const { chance, scheduler } = world;
  const { rates } = world.weather;
  if (environment.state === 'idle') {
    environment.pending.push(goOn);
    return;
  }
  if (chance.happens(rates.kill)) {
    kill(world, environment, 'killed');
    return;
  }
  if (chance.happens(rates.stall)) {
    const ms = chance.whole(1_000, LONGEST_STALL_MS);
    world.note(environment.name, 'stands still', `${ms} ms`);
    scheduler.after(ms, () => resume(world, environment, goOn));
    return;
  }
  goOn();
  scheduler.woke();
};

const COLD_START_MS = 400;

/** Runs an event in a warm environment, if there is one, else in a new one. */
export const invoke = (
  world: World,
  { name, timeoutMs, open }: LambdaFunction,
  event: unknown,
  onEnd: (end: InvocationEnd, environment: Environment) => void,
): void => {
  const { scheduler, fleet } = world;
  const isWarm = (one: Environment) => one.state === 'idle' && !one.isRetired && one.name.startsWith(`${name}-`);
  const warm = fleet.environments.filter(isWarm);
  const environment =
    warm.length === 0
      ? newEnvironment(`${name}-${++fleet.opened}`)
      : world.chance.pick([warm[0] as Environment, ...warm]);
  if (warm.length === 0) fleet.environments.push(environment);
  environment.state = 'running';
  environment.invocation += 1;
  environment.sendFaults = 0;
  environment.clockOffMs = nextClockOffMs(world, environment);
  const { invocation } = environment;
  const isOver = () => environment.invocation !== invocation || environment.state !== 'running';
  fleet.running += 1;
  environment.end = (end) => {
    fleet.running -= 1;
    if (environment.state === 'running') environment.state = 'idle';
    else fleet.environments = fleet.environments.filter((one) => one !== environment);
    environment.end = () => {};
    if (end.kind === 'threw') world.note(environment.name, 'throws', String(end.error));
    onEnd(end, environment);
  };
  scheduler.after(environment.handler === undefined ? COLD_START_MS : 1, () => {
    environment.handler ??= open(environment);
    const untilMs = scheduler.nowMs() + timeoutMs;
    scheduler.after(timeoutMs, () => {
      if (!isOver()) kill(world, environment, 'timed out');
    });
    const pending = environment.pending.splice(0);
    for (const goOn of pending) goOn();
    scheduler.woke();
    environment
      .handler(event, () => untilMs - scheduler.nowMs())
      .then(
        (value) => {
          if (!isOver()) environment.end({ kind: 'returned', value });
        },
        (error: unknown) => {
          if (!isOver()) environment.end({ kind: 'threw', error });
        },
      );
  });
};
