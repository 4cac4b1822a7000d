import { randomUUID } from 'node:crypto';
import type { Writable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import type { FunctionSpec } from './declared-functions.ts';
import type { EnvironmentMessage, EnvironmentSetup, Failure, InvocationRequest } from './environment-protocol.ts';
import { FunctionError } from './errors.ts';
import { LOCAL_ACCOUNT_ID, LOCAL_REGION } from './local-account.ts';

/** One execution environment: a thread that has loaded one handler and takes one event at a time. */
export type Environment = {
  /** Runs one event, in a chain of messages; throws FunctionError. After a time-out or a crash the environment is dead. */
  invoke(event: unknown, traceHeader: string): Promise<unknown>;
  alive(): boolean;
  stop(): Promise<void>;
};

/**
 * Lambda gives a function 10 s to load. One that takes longer is loaded anew at its first invocation, within its own timeout
 * (developer guide, "Understanding the Lambda execution environment lifecycle"). Here it goes on loading for as long as both.
 */
const INIT_TIMEOUT_MS = 10_000;
const YOUNG_GENERATION_MB = 8;

type Pending = { request: InvocationRequest; resolve(json: string): void; reject(failure: FunctionError): void };

/** Starts an environment; resolves once its handler is loaded. Throws FunctionError where it cannot be loaded. */
export async function startEnvironment(
  spec: FunctionSpec,
  environment: Readonly<Record<string, string>>,
  log: Writable,
): Promise<Environment> {
  const worker = new Worker(new URL('./environment-worker.ts', import.meta.url), {
    workerData: setupOf(spec),
    env: { ...environment },
    // Nothing of how this process was started is the function's business.
    execArgv: [],
    stdout: true,
    stderr: true,
    // The young generation is kept small: with V8's default, half a dozen threads hold hundreds of MB of garbage.
    resourceLimits: { maxOldGenerationSizeMb: spec.memoryMb, maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  });
  worker.stdout.pipe(log, { end: false });
  worker.stderr.pipe(log, { end: false });

  let alive = true;
  let pending: Pending | undefined;
  let crash: Failure | undefined;
  const settle = (end: (invocation: Pending) => void): void => {
    const invocation = pending;
    pending = undefined;
    if (invocation !== undefined) end(invocation);
  };
  const kill = async (): Promise<void> => {
    alive = false;
    await worker.terminate();
  };

  const loaded = Promise.withResolvers<void>();
  worker.on('message', (message: EnvironmentMessage) => {
    switch (message.kind) {
      case 'ready':
        return loaded.resolve();
      case 'init-failed':
        return loaded.reject(new FunctionError(spec.name, message.failure));
      case 'result':
        return settle((invocation) => invocation.resolve(message.resultJson));
      case 'failed':
        logFailure(log, message.requestId, message.failure);
        return settle((invocation) => invocation.reject(new FunctionError(spec.name, message.failure)));
      default:
        return message satisfies never;
    }
  });
  worker.on('error', (error: unknown) => {
    crash = crashOf(error);
  });
  worker.on('exit', (status) => {
    alive = false;
    const failure = crash ?? { errorType: 'Runtime.ExitError', errorMessage: `exit status ${status}`, trace: [] };
    loaded.reject(new FunctionError(spec.name, failure));
    settle((invocation) => {
      logFailure(log, invocation.request.requestId, failure);
      invocation.reject(new FunctionError(spec.name, failure));
    });
  });

  const loadingMs = INIT_TIMEOUT_MS + spec.timeoutMs;
  const initTimer = setTimeout(() => {
    const errorMessage = `${spec.handlerFile} was not loaded within ${loadingMs / 1000} seconds`;
    loaded.reject(new FunctionError(spec.name, { errorType: 'Sandbox.Timedout', errorMessage, timedOut: true }));
  }, loadingMs);
  try {
    await loaded.promise;
  } catch (error) {
    await kill();
    throw error;
  } finally {
    clearTimeout(initTimer);
  }

  return {
    alive: () => alive,
    stop: kill,
    async invoke(event, traceHeader) {
      const request = {
        requestId: randomUUID(),
        eventJson: JSON.stringify(event) ?? 'null',
        deadlineMs: Date.now() + spec.timeoutMs,
        traceHeader,
      };
      const answer = Promise.withResolvers<string>();
      pending = { request, resolve: answer.resolve, reject: answer.reject };
      // The whole environment ends, as on AWS: the handler must not go on after its time-out.
      const timer = setTimeout(() => {
        const failure = timeOutOf(request.requestId, spec.timeoutMs);
        logFailure(log, request.requestId, failure);
        settle((invocation) => void kill().then(() => invocation.reject(new FunctionError(spec.name, failure))));
      }, spec.timeoutMs);
      worker.postMessage(request);
      try {
        return JSON.parse(await answer.promise);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

const setupOf = (spec: FunctionSpec): EnvironmentSetup => ({
  handlerFile: spec.handlerFile,
  handlerExport: spec.handlerExport,
  functionName: spec.deployedName,
  invokedFunctionArn: `arn:aws:lambda:${LOCAL_REGION}:${LOCAL_ACCOUNT_ID}:function:${spec.deployedName}`,
  memoryMb: spec.memoryMb,
});

const timeOutOf = (requestId: string, timeoutMs: number) => ({
  errorType: 'Sandbox.Timedout',
  errorMessage: `RequestId: ${requestId} Error: Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`,
  trace: [],
  timedOut: true,
});

function crashOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { errorType: 'Runtime.UnhandledError', errorMessage: String(error), trace: [] };
  const outOfMemory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
  return {
    errorType: outOfMemory ? 'Runtime.OutOfMemory' : error.name,
    errorMessage: error.message,
    trace: error.stack?.split('\n') ?? [],
  };
}

/** A function that throws says so in its log, as on AWS ("Invoke Error"). */
function logFailure(log: Writable, requestId: string, failure: Failure): void {
  const line = { time: new Date().toISOString(), level: 'ERROR', event: 'invoke-error', requestId, ...failure };
  log.write(`${JSON.stringify(line)}\n`);
}
