/** Something in serverless.yml that the local stack needs is missing or cannot be resolved; `path` says where. */
export class ServiceFileError extends Error {
  override readonly name = 'ServiceFileError';
  readonly code = 'service-file';
  readonly path: string;

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`serverless.yml: ${path}: ${problem}`, options);
    this.path = path;
  }
}

/** Another process works on the same data directory. */
export class DataDirInUseError extends Error {
  override readonly name = 'DataDirInUseError';
  readonly code = 'data-dir-in-use';
  /** The other process, where it is known. */
  readonly pid: number | undefined;

  constructor(dataDir: string, pid: number | undefined) {
    const owner = pid === undefined ? 'another process' : `process ${pid}`;
    super(`${dataDir} is in use by ${owner}. Wait until it ends, stop it, or choose another folder with --data-dir.`);
    this.pid = pid;
  }
}

/** The data directory cannot be made, or what is stored in it cannot be read. */
export class DataDirUnreadableError extends Error {
  override readonly name = 'DataDirUnreadableError';
  readonly code = 'data-dir-unreadable';

  constructor(dataDir: string, part: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const problem =
      part === 'folder'
        ? `${dataDir} cannot be used (${reason}). Choose`
        : `The ${part} in ${dataDir} cannot be read (${reason}). Start once with --fresh (and --yes where the target is real) to discard what is stored there, or choose`;
    super(`${problem} another folder with --data-dir.`, { cause });
  }
}

/** An invocation that ended without a result; the fields are those of Lambda's error answer. */
export class FunctionError extends Error {
  override readonly name = 'FunctionError';
  readonly code = 'function-failed';
  readonly functionName: string;
  readonly errorType: string;
  readonly errorMessage: string;
  readonly timedOut: boolean;

  constructor(functionName: string, failure: { errorType: string; errorMessage: string; timedOut?: boolean }) {
    super(`${functionName} failed: ${failure.errorType}: ${failure.errorMessage}`);
    this.functionName = functionName;
    this.errorType = failure.errorType;
    this.errorMessage = failure.errorMessage;
    this.timedOut = failure.timedOut ?? false;
  }
}
