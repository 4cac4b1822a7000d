import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { type DataDir, takeDataDir } from './data-dir.ts';
import type { FunctionSpec } from './declared-functions.ts';
import { type DynamoDbServer, deployTables, startDynamoDbServer } from './dynamodb-server.ts';
import { DataDirUnreadableError } from './errors.ts';
import { type BatchEnd, createEventSource, type EventSource } from './event-source.ts';
import { createFunctionRuntime, type FunctionRuntime, type Invocation } from './function-runtime.ts';
import { createGate, type Gate } from './gate.ts';
import { type Credentials, LOCAL_REGION, newCredentials } from './local-account.ts';
import type { Grants } from './permissions.ts';
import { describeService, type Service } from './service.ts';
import { readServiceFile } from './service-file.ts';
import { deployQueues, type SqsServer, startSqsServer } from './sqs-server.ts';
import { awsEnvironment, functionEnvironment, resourceVariables } from './stack-environment.ts';
import { markTable, watchState } from './state-mark.ts';

/** What happens on the stack, for whoever shows progress. */
export type StackEvent =
  | { kind: 'invocation'; invocation: Invocation }
  | { kind: 'batch'; batch: BatchEnd }
  | { kind: 'polling-fault'; queueName: string; error: unknown };

export type StackOptions = {
  /** Where queues, tables and logs are kept. */
  dataDir: string;
  /** The folder of serverless.yml. */
  serviceDir: string;
  /**
   * Added to every function's environment; wins over serverless.yml. A function is called only once the data directory
   * is taken, so what it opens there belongs to this process.
   */
  env?: Record<string, string> | (() => Promise<Record<string, string>>);
  stage?: string;
  /** Discards what the data directory holds before starting. */
  fresh?: boolean;
  onEvent?: (event: StackEvent) => void;
};

/** What is under way, all at one instant: messages on the mapped queues, and invocations. */
export type Backlog = {
  /** May be received now. */
  visible: number;
  /** Received: a poller or a function has it, or one that failed has left it behind. */
  inFlight: number;
  /** Put off. */
  delayed: number;
  /** Batches in the hands of a poller, and invocations under way or waiting for a place. */
  running: number;
};

/** The service of serverless.yml on this machine: queues, tables, functions and event source mappings. */
export type Stack = {
  /** Endpoints, region, the credentials of this start, and the functions' variables that name a queue or table. */
  env: Record<string, string>;
  /** The same for somebody who may do no more than these grants say. */
  envOf(name: string, grants: Grants): Record<string, string>;
  /** As Lambda's synchronous invoke; throws FunctionError. */
  invoke(functionName: string, event: unknown): Promise<unknown>;
  /** Begins to poll, all mappings. */
  startEventSources(): void;
  /** Makes due what an earlier process had put off. On AWS it would come when its delay ends. */
  releaseDelayed(): void;
  backlog(): Backlog;
  /** Whether nothing is visible, in flight or delayed on the mapped queues, and nothing runs. */
  drained(): Promise<boolean>;
  /** Stops polling, waits for what runs (at most 10 s), ends everything. */
  close(): Promise<void>;
};

/** How long `close` waits for invocations before it ends them. */
const CLOSE_GRACE_MS = 10_000;
/** Environments of a function whose mapping and reserved concurrency set no limit. */
const DEFAULT_MAX_ENVIRONMENTS = 10;

/**
 * Starts the service that `serviceDir`'s serverless.yml declares, with its state under `dataDir`; everything listens
 * on 127.0.0.1 only. Event sources wait for `startEventSources`.
 * Throws ServiceFileError, DataDirInUseError, DataDirUnreadableError.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const raw = readServiceFile(options.serviceDir);
  const dir = takeDataDir(options.dataDir, { fresh: options.fresh ?? false });
  const undo: (() => unknown)[] = [() => dir.release()];
  const credentials = newCredentials();
  const gate = createGate(credentials);
  try {
    const sqs = await openState(dir, 'queues', () => startSqsServer(dir.queues, gate.doors, dir.tablesMark));
    undo.unshift(() => sqs.close());
    const dynamoDb = await openState(dir, 'tables', () => startDynamoDbServer(dir.tables, gate.doors));
    undo.unshift(() => dynamoDb.close());
    const service = describeService(raw, {
      serviceDir: options.serviceDir,
      stage: options.stage ?? 'local',
      queueUrl: sqs.queueUrl,
      extraEnvironment: typeof options.env === 'function' ? await options.env() : (options.env ?? {}),
    });
    const client = createSqsClient(sqs, credentials);
    undo.unshift(() => client.destroy());
    const tables = createDynamoDbClient(dynamoDb, credentials);
    undo.unshift(() => tables.destroy());
    await Promise.all([
      deployQueues(client, sqs, service.queues),
      deployTables(tables, [...service.tables, markTable]),
    ]);
    const state = await watchState(dir, tables, dynamoDb.hasLost);
    undo.unshift(() => state.stop());
    return runService({ options, service, sqs, dynamoDb, credentials, gate, client, dir, undo });
  } catch (error) {
    for (const step of undo) await step();
    throw error;
  }
}

type RunningParts = {
  options: StackOptions;
  service: Service;
  sqs: SqsServer;
  dynamoDb: DynamoDbServer;
  credentials: Credentials;
  gate: Gate;
  client: SQSClient;
  dir: DataDir;
  undo: (() => unknown)[];
};

function runService({ options, service, sqs, dynamoDb, credentials, gate, client, dir, undo }: RunningParts): Stack {
  const notify = options.onEvent ?? (() => {});
  const awsEnv = awsEnvironment(sqs, dynamoDb, credentials);
  const runtimes = new Map<string, FunctionRuntime>();
  for (const spec of service.functions) {
    const own = admitted(spec, credentials, gate);
    const runtime = createFunctionRuntime({
      spec,
      environment: {
        ...functionEnvironment(spec, options.serviceDir),
        ...awsEnvironment(sqs, dynamoDb, own),
        ...spec.environment,
      },
      maxEnvironments: maxEnvironments(spec, service),
      logDir: dir.logs,
      onInvocation: (invocation) => notify({ kind: 'invocation', invocation }),
    });
    runtimes.set(spec.name, runtime);
  }
  const runtimeOf = (functionName: string): FunctionRuntime => {
    const runtime = runtimes.get(functionName);
    if (runtime === undefined) throw new Error(`serverless.yml declares no function ${functionName}`);
    return runtime;
  };
  const sources: EventSource[] = service.mappings.map((mapping) => {
    const spec = service.functions.find(({ name }) => name === mapping.functionName);
    return createEventSource({
      mapping,
      queueUrl: sqs.queueUrl(mapping.queueName),
      client,
      maxPollers: Math.min(
        mapping.maximumConcurrency ?? DEFAULT_MAX_ENVIRONMENTS,
        spec?.reservedConcurrency ?? Number.POSITIVE_INFINITY,
      ),
      invoke: runtimeOf(mapping.functionName).invoke,
      visible: () => sqs.depth(mapping.queueName).visible,
      wakeLongPolls: sqs.wakeLongPolls,
      onBatch: (batch) => notify({ kind: 'batch', batch }),
      onFault: (error) => notify({ kind: 'polling-fault', queueName: mapping.queueName, error }),
    });
  });

  // All read in one turn of the event loop, in which no message can move from one place to another.
  const backlog = (): Backlog => {
    const sum = { visible: 0, inFlight: 0, delayed: 0, running: 0 };
    for (const { queueName } of service.mappings) {
      const depth = sqs.depth(queueName);
      sum.visible += depth.visible;
      sum.inFlight += depth.inFlight;
      sum.delayed += depth.delayed;
    }
    for (const source of sources) sum.running += source.holding();
    for (const runtime of runtimes.values()) sum.running += runtime.running();
    return sum;
  };

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const stopped = Promise.all(sources.map((source) => source.stop()));
    const ended = Promise.all([stopped, ...[...runtimes.values()].map((runtime) => runtime.settled())]);
    await withinGrace(ended);
    await Promise.all([...runtimes.values()].map((runtime) => runtime.close()));
    await stopped;
    for (const step of undo) await step();
  };

  return {
    env: { ...awsEnv, ...resourceVariables(service, sqs) },
    envOf(name, grants) {
      const own = newCredentials();
      gate.admit(own, { functionName: name, roleId: name, grants });
      return { ...awsEnvironment(sqs, dynamoDb, own), ...resourceVariables(service, sqs) };
    },
    async invoke(functionName, event) {
      const invocation = await runtimeOf(functionName).invoke(event);
      if (invocation.outcome === 'error') throw invocation.error;
      return invocation.result;
    },
    startEventSources() {
      for (const source of sources) source.start();
    },
    releaseDelayed: sqs.releaseDelayed,
    backlog,
    async drained() {
      const { visible, inFlight, delayed, running } = backlog();
      return visible + inFlight + delayed + running === 0;
    },
    close: () => (closing ??= close()),
  };
}

async function openState<Server>(dir: DataDir, part: string, start: () => Promise<Server>): Promise<Server> {
  try {
    return await start();
  } catch (cause) {
    throw new DataDirUnreadableError(dir.root, part, cause);
  }
}

/** The credentials of a function: its own, under its role. Where the file names no role, the owner's. */
function admitted({ deployedName, role }: FunctionSpec, owner: Credentials, gate: Gate): Credentials {
  if (role === undefined) return owner;
  const own = newCredentials();
  gate.admit(own, { functionName: deployedName, roleId: role.id, grants: role.grants });
  return own;
}

function maxEnvironments(spec: FunctionSpec, service: Service): number {
  const limits = service.mappings
    .filter((mapping) => mapping.functionName === spec.name)
    .flatMap(({ maximumConcurrency }) => maximumConcurrency ?? []);
  const mapped = limits.length === 0 ? DEFAULT_MAX_ENVIRONMENTS : limits.reduce((sum, limit) => sum + limit);
  return Math.min(mapped, spec.reservedConcurrency ?? mapped);
}

const createSqsClient = (sqs: SqsServer, credentials: Credentials): SQSClient =>
  new SQSClient({ endpoint: sqs.endpoint, region: LOCAL_REGION, credentials, useQueueUrlAsEndpoint: false });

const createDynamoDbClient = (dynamoDb: DynamoDbServer, credentials: Credentials): DynamoDBClient =>
  new DynamoDBClient({ endpoint: dynamoDb.endpoint, region: LOCAL_REGION, credentials });

async function withinGrace(ended: Promise<unknown>): Promise<void> {
  const timer = Promise.withResolvers<void>();
  const handle = setTimeout(timer.resolve, CLOSE_GRACE_MS);
  await Promise.race([ended, timer.promise]);
  clearTimeout(handle);
}
