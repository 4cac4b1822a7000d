/** What an execution environment is told when it starts. */
export type EnvironmentSetup = {
  handlerFile: string;
  handlerExport: string;
  functionName: string;
  invokedFunctionArn: string;
  memoryMb: number;
};

/** One invocation. The event travels as JSON text, as it does on AWS: what JSON cannot carry does not arrive. */
export type InvocationRequest = {
  requestId: string;
  eventJson: string;
  deadlineMs: number;
  /** The chain of messages that this invocation goes on with (`lineage.ts`). */
  traceHeader: string;
};

/** A failure in the words of Lambda's error answer. */
export type Failure = { errorType: string; errorMessage: string; trace: string[] };

/** What an execution environment answers. */
export type EnvironmentMessage =
  | { kind: 'ready' }
  | { kind: 'init-failed'; failure: Failure }
  | { kind: 'result'; requestId: string; resultJson: string }
  | { kind: 'failed'; requestId: string; failure: Failure };
