import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import type { FunctionSpec } from './declared-functions.ts';
import { type Environment, startEnvironment } from './environment.ts';
import { FunctionError } from './errors.ts';
import { withHop } from './lineage.ts';

/** How one invocation ended, and how long the handler took. */
export type Invocation = { functionName: string; durationMs: number; coldStart: boolean } & (
  | { outcome: 'result'; result: unknown }
  | { outcome: 'error'; error: FunctionError }
);

/** How an event comes: `onStart` is called when the handler gets it, `traceHeader` is the chain of messages behind it. */
export type Coming = { onStart?: () => void; traceHeader?: string | undefined };

/** Runs one function in as many environments as are needed, up to its limit. */
export type FunctionRuntime = {
  /** Waits for a free environment where the limit is reached. */
  invoke(event: unknown, coming?: Coming): Promise<Invocation>;
  /** Invocations under way or waiting. */
  running(): number;
  /** When nothing runs or waits any more. */
  settled(): Promise<void>;
  /** Ends all environments; what still runs ends as an error. */
  close(): Promise<void>;
};

export type FunctionRuntimeOptions = {
  spec: FunctionSpec;
  /** The environment variables of the function's threads, complete. */
  environment: Readonly<Record<string, string>>;
  maxEnvironments: number;
  logDir: string;
  onInvocation?: (invocation: Invocation) => void;
};

/** A function without environments yet: the first event starts one. */
export function createFunctionRuntime(options: FunctionRuntimeOptions): FunctionRuntime {
  const { spec, environment, maxEnvironments } = options;
  const log = createWriteStream(join(options.logDir, `${spec.name}.log`), { flags: 'a' });
  // One stream takes the output of every environment.
  log.setMaxListeners(0);
  const idle: Environment[] = [];
  const all = new Set<Environment>();
  const waiting: (() => void)[] = [];
  const active = new Set<Promise<Invocation>>();
  let taken = 0;
  let closed = false;

  const takePlace = async (): Promise<void> => {
    while (taken >= maxEnvironments) await new Promise<void>((resolve) => waiting.push(resolve));
    taken += 1;
  };
  const leavePlace = (): void => {
    taken -= 1;
    waiting.shift()?.();
  };
  const takeIdle = (): Environment | undefined => {
    // The one used last first: a small load then stays on few environments.
    for (let candidate = idle.pop(); candidate !== undefined; candidate = idle.pop()) {
      if (candidate.alive()) return candidate;
      all.delete(candidate);
    }
    return undefined;
  };

  const invokeInPlace = async (event: unknown, { onStart, traceHeader }: Coming): Promise<Invocation> => {
    const head = { functionName: spec.name };
    let startedMs = performance.now();
    let coldStart = false;
    const durationMs = () => performance.now() - startedMs;
    try {
      if (closed) throw closedError(spec);
      let instance = takeIdle();
      if (instance === undefined) {
        coldStart = true;
        instance = await startEnvironment(spec, environment, log);
        all.add(instance);
        if (closed) throw closedError(spec);
        startedMs = performance.now();
      }
      onStart?.();
      try {
        return {
          ...head,
          coldStart,
          outcome: 'result',
          result: await instance.invoke(event, withHop(traceHeader, spec.deployedName)),
          durationMs: durationMs(),
        };
      } finally {
        if (instance.alive()) idle.push(instance);
        else all.delete(instance);
      }
    } catch (error) {
      if (!(error instanceof FunctionError)) throw error;
      return { ...head, coldStart, outcome: 'error', error, durationMs: durationMs() };
    }
  };

  const invoke = async (event: unknown, coming: Coming): Promise<Invocation> => {
    await takePlace();
    try {
      const invocation = await invokeInPlace(event, coming);
      options.onInvocation?.(invocation);
      return invocation;
    } finally {
      leavePlace();
    }
  };

  return {
    running: () => active.size,
    invoke(event, coming = {}) {
      const invocation = invoke(event, coming);
      active.add(invocation);
      return invocation.finally(() => active.delete(invocation));
    },
    async settled() {
      while (active.size > 0) await Promise.allSettled(active);
    },
    async close() {
      closed = true;
      await Promise.all([...all].map((instance) => instance.stop()));
      await Promise.allSettled(active);
      // One that was loading meanwhile is among them only now.
      await Promise.all([...all].map((instance) => instance.stop()));
      await new Promise<void>((resolve) => log.end(resolve));
    },
  };
}

const closedError = (spec: FunctionSpec): FunctionError =>
  new FunctionError(spec.name, { errorType: 'Stack.Closed', errorMessage: 'the local stack is closed' });
