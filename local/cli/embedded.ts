import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { ReadableQueue } from '../../lib/dispatch/queue.ts';
import { sqsQueue } from '../../lib/dispatch/sqs-queue.ts';
import { dynamoIdStore } from '../../lib/idcheck/dynamodb-store.ts';
import type { IdStore } from '../../lib/idcheck/store.ts';
import type { Integration } from '../../lib/integration/schema.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import { dynamoRunStore } from '../../lib/run/dynamodb-store.ts';
import type { RunStore } from '../../lib/run/store.ts';
import { dynamoClient, sqsClient } from '../../lib/runtime/aws.ts';
import { resource } from '../../lib/runtime/environment.ts';
import { type Fault, type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { type Stack, type StackEvent, startStack } from '../stack/stack.ts';
import { connectionVariables, type Side, sandboxedSides } from './sides.ts';

/** The project's own folder: where serverless.yml, functions and integrations are. */
export const SERVICE_DIR = fileURLToPath(new URL('../..', import.meta.url));

/** The stores and queues of a stack, as the command line uses them beside its functions. */
export type Stores = {
  dynamo: DynamoDBClient;
  idStore: IdStore;
  runs: RunStore;
  records: ReadableQueue;
  deadLetters: ReadableQueue;
  close(): void;
};

/** The embedded stack, with the sandbox for the sides that have no address. */
export type Embedded = {
  stack: Stack;
  stores: Stores;
  sandbox: Sandbox | undefined;
  sandboxedSides: Side[];
  /** The connections' variables, as the functions get them. */
  variables: Record<string, string>;
  close(): Promise<void>;
};

export type EmbeddedOptions = {
  dataDir: string;
  fresh?: boolean;
  /** Absent: no integration is run; the functions get no connection variables. */
  run?: { integration: Integration; paths: string; groups?: readonly JsonValue[]; faults?: readonly Fault[] };
  onEvent?: (event: StackEvent) => void;
};

/** Throws what `startStack` and `startSandbox` throw, and ConfigurationError. */
export const startEmbedded = async ({ dataDir, fresh, run, onEvent }: EmbeddedOptions): Promise<Embedded> => {
  const undo: Array<() => Promise<void> | void> = [];
  const close = async () => {
    for (const step of undo.reverse()) await step();
    undo.length = 0;
  };
  try {
    const sides = run === undefined ? [] : sandboxedSides(run.integration, process.env);
    const storeFile = join(dataDir, 'sandbox-target.jsonl');
    let sandbox: Sandbox | undefined;
    if (run !== undefined && sides.length > 0) {
      mkdirSync(dataDir, { recursive: true });
      if (fresh) rmSync(storeFile, { force: true });
      const { groups, faults } = run;
      sandbox = await startSandbox({ storeFile, ...(groups && { groups }), ...(faults && { faults }) });
      undo.push(sandbox.close);
    }
    const variables = run && connectionVariables(run.integration, process.env, sandbox && { url: sandbox.url, sides });
    const stack = await startStack({
      dataDir,
      serviceDir: SERVICE_DIR,
      fresh: fresh ?? false,
      env: { ...variables, ...(run && { INTEGRATIONS: run.paths }) },
      ...(onEvent && { onEvent }),
    });
    undo.push(stack.close);
    const stores = openStores(stack.env);
    undo.push(stores.close);
    return { stack, stores, sandbox, sandboxedSides: sides, variables: variables ?? {}, close };
  } catch (error) {
    await close();
    throw error;
  }
};

const openStores = (env: Record<string, string>): Stores => {
  const shared = {
    region: env.AWS_REGION ?? '',
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID ?? '', secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '' },
  };
  const dynamo = dynamoClient({ ...shared, endpoint: env.AWS_ENDPOINT_URL_DYNAMODB ?? '' });
  const sqs = sqsClient({ ...shared, endpoint: env.AWS_ENDPOINT_URL_SQS ?? '', useQueueUrlAsEndpoint: false });
  return {
    dynamo,
    idStore: dynamoIdStore(dynamo, resource('IDCHECK_TABLE', env)),
    runs: dynamoRunStore(dynamo, resource('RUNS_TABLE', env)),
    records: sqsQueue(sqs, resource('RECORDS_QUEUE_URL', env)),
    deadLetters: sqsQueue(sqs, resource('DEAD_LETTER_QUEUE_URL', env)),
    close: () => {
      dynamo.destroy();
      sqs.destroy();
    },
  };
};
