import { enableCompileCache, flushCompileCache } from 'node:module';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import type { EnvironmentMessage, EnvironmentSetup, Failure, InvocationRequest } from './environment-protocol.ts';

// The inside of one execution environment: loads the handler once, then runs one event at a time. It reads its setup
// from the thread that started it, and the environment variables are the thread's own.

type Handler = (event: unknown, context: unknown) => unknown;

const setup = workerData as EnvironmentSetup;
const port = parentPort;
if (port === null) throw new Error('environment-worker.ts runs as a worker thread only');
const send = (message: EnvironmentMessage): void => port.postMessage(message);

// Compiled code is kept between threads and processes (Node: module compile cache): a cold start takes half the time.
enableCompileCache();

try {
  const handler = await loadHandler();
  port.on('message', (request: InvocationRequest) => void run(handler, request));
  send({ kind: 'ready' });
  // Now, because a thread that is ended writes nothing. Where the cache has everything already, this costs almost
  // nothing.
  flushCompileCache();
} catch (error) {
  send({ kind: 'init-failed', failure: failureOf(error) });
}

async function loadHandler(): Promise<Handler> {
  const module: Record<string, unknown> = await import(pathToFileURL(setup.handlerFile).href);
  const handler = module[setup.handlerExport];
  if (typeof handler !== 'function') {
    throw Object.assign(new Error(`${setup.handlerExport} is not exported by ${setup.handlerFile} as a function`), {
      name: 'Runtime.HandlerNotFound',
    });
  }
  return handler as Handler;
}

async function run(handler: Handler, request: InvocationRequest): Promise<void> {
  const { requestId } = request;
  // As Lambda's runtime does: the AWS SDK sends it on with each request.
  process.env._X_AMZN_TRACE_ID = request.traceHeader;
  try {
    const result = await handler(JSON.parse(request.eventJson), contextOf(request));
    // A handler that returns nothing answers null (Lambda developer guide, "Define Lambda function handler in Node.js").
    send({ kind: 'result', requestId, resultJson: JSON.stringify(result) ?? 'null' });
  } catch (error) {
    send({ kind: 'failed', requestId, failure: failureOf(error) });
  }
}

/** Lambda developer guide, "Using the Lambda context object to retrieve Node.js function information". */
function contextOf({ requestId, deadlineMs }: InvocationRequest) {
  return {
    functionName: setup.functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: setup.invokedFunctionArn,
    memoryLimitInMB: String(setup.memoryMb),
    awsRequestId: requestId,
    logGroupName: `/aws/lambda/${setup.functionName}`,
    logStreamName: 'local',
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  };
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { errorType: 'Error', errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] };
}
