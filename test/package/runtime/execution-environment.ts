import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { withHop } from '../../../local/stack/lineage.ts';
import { InitError, type ReportedError, startRuntimeApi } from './runtime-api.ts';
import { runtimeClient } from './runtime-client.ts';

/** A function as a deployment configures it. */
export type FunctionConfiguration = {
  name: string;
  /** FILE.EXPORT, as in the template. */
  handler: string;
  /** Where its archive is unpacked. */
  taskRoot: string;
  timeoutMs: number;
  memoryMb: number;
  environment: Readonly<Record<string, string>>;
};

/** How an invocation ended for whoever invoked. */
export type InvocationEnd = { kind: 'result'; payload: unknown } | { kind: 'failed'; error: ReportedError };

/** One execution environment of a function: a process with Lambda's runtime client and the handler in it. */
export type ExecutionEnvironment = {
  pid: number;
  /** Runs one event at a time, in a chain of messages. After a time-out or a crash the environment is dead. */
  invoke(event: unknown, traceHeader?: string): Promise<InvocationEnd>;
  alive(): boolean;
  /** Lines of its log so far. */
  log(): string[];
  stop(): Promise<void>;
};

/** Lambda developer guide, "Understanding the Lambda execution environment lifecycle". */
const INIT_TIMEOUT_MS = 10_000;

/**
 * Starts an environment and waits until its handler is loaded. It gets the variables that Lambda sets and those of the
 * function, and none of this process. Throws InitError with the runtime's words where it cannot start.
 */
export const startExecutionEnvironment = async (
  configuration: FunctionConfiguration,
): Promise<ExecutionEnvironment> => {
  const { name, handler, taskRoot, timeoutMs, memoryMb, environment } = configuration;
  const client = await runtimeClient();
  const api = await startRuntimeApi();
  const hook = fileURLToPath(new URL('./transport-hook.ts', import.meta.url));
  const child = spawn(process.execPath, [...(client.hasNativeTransport ? [] : ['--import', hook]), client.file], {
    cwd: taskRoot,
    env: {
      // Lambda developer guide, "Defined runtime environment variables".
      _HANDLER: handler,
      LAMBDA_TASK_ROOT: taskRoot,
      AWS_LAMBDA_RUNTIME_API: api.address,
      AWS_LAMBDA_FUNCTION_NAME: name,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
      AWS_LAMBDA_LOG_STREAM_NAME: '2026/01/05/[$LATEST]0123456789abcdef0123456789abcdef',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      TZ: ':UTC',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit').then(([status, signal]) => exitError(status, signal));
  const log = logOf(child);
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
    await api.close();
  };
  try {
    await withInitTimeout(Promise.race([api.ready, exited.then((error) => Promise.reject(new InitError(error)))]));
  } catch (error) {
    await kill();
    throw error;
  }
  const functionArn = `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
  return {
    pid: child.pid ?? 0,
    invoke: async (event, before) => {
      const requestId = randomUUID();
      const timer = Promise.withResolvers<InvocationEnd>();
      let isTimedOut = false;
      const handle = setTimeout(async () => {
        isTimedOut = true;
        child.kill('SIGKILL');
        await exited;
        timer.resolve({ kind: 'failed', error: ofRequest(requestId, timeOut(timeoutMs)) });
      }, timeoutMs);
      try {
        const traceHeader = withHop(before, name);
        const deadlineMs = Date.now() + timeoutMs;
        const reported = api.deliver({ requestId, event, deadlineMs, functionArn, traceHeader });
        return await Promise.race([
          reported.then((end) => (end.kind === 'error' ? { kind: 'failed' as const, error: end.error } : end)),
          timer.promise,
          exited.then((error) =>
            isTimedOut ? timer.promise : { kind: 'failed' as const, error: ofRequest(requestId, error) },
          ),
        ]);
      } finally {
        clearTimeout(handle);
      }
    },
    alive: () => child.exitCode === null && child.signalCode === null,
    log: () => [...log],
    stop: kill,
  };
};

// What Lambda itself answers where the runtime cannot (Lambda developer guide, "Understanding retry behavior in Lambda"
// and "Troubleshoot invocation issues": Sandbox.Timedout, Runtime.ExitError).

const timeOut = (timeoutMs: number): ReportedError => ({
  errorType: 'Sandbox.Timedout',
  errorMessage: `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`,
  trace: [],
});

const exitError = (status: number | null, signal: string | null): ReportedError => ({
  errorType: 'Runtime.ExitError',
  errorMessage: `Runtime exited with error: ${signal === null ? `exit status ${status}` : `signal: ${signal}`}`,
  trace: [],
});

const ofRequest = (requestId: string, { errorMessage, ...error }: ReportedError): ReportedError => ({
  ...error,
  errorMessage: `RequestId: ${requestId} Error: ${errorMessage}`,
});

const withInitTimeout = async (started: Promise<void>): Promise<void> => {
  const timer = Promise.withResolvers<never>();
  const handle = setTimeout(() => timer.reject(new InitError(timeOut(INIT_TIMEOUT_MS))), INIT_TIMEOUT_MS);
  await Promise.race([started, timer.promise]).finally(() => clearTimeout(handle));
};

/** Both streams by line, as CloudWatch Logs gets them. */
const logOf = (child: ChildProcess): string[] => {
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
    });
  }
  return lines;
};
