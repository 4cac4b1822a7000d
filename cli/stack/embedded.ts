import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { awsSecretStore } from '../../lib/aws/secrets/secret-store.ts';
import { type AwsStores, awsStoresAt } from '../../lib/aws/stores.ts';
import type { Integration } from '../../lib/integration/schema/schema.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import { notifierOf } from '../../lib/notify/notifier.ts';
import type { Side } from '../../lib/runs/ends.ts';
import { defined } from '../../lib/runtime/defined.ts';
import { silentLog } from '../../lib/runtime/log.ts';
import { systemRuntime } from '../../lib/stores/stores.ts';
import { type Fault, forgetTarget, isTarget, type Sandbox, startSandbox } from '../../local/sandbox/sandbox.ts';
import { DataDirUnreadableError } from '../../local/stack/errors.ts';
import { type Stack, type StackEvent, startStack } from '../../local/stack/stack.ts';
import { SERVICE_DIR } from '../input/integration-choice.ts';
import { checkSandboxFlags } from '../input/sandbox-options.ts';
import { connectionVariables, type SidesAsked, sandboxedSides } from './sides.ts';

/** What the sandbox's targets hold, in the data directory. */
const SANDBOX_FILE = 'sandbox-target.jsonl';

/** Where the running stack's servers listen, in the data directory: for a second process that only looks. */
export const ENDPOINTS_FILE = 'endpoints.json';

/** What an operator sets for the functions beside the connections' variables. */
const OPERATOR_VARIABLES = [
  'NOTIFY_FORMAT',
  'NOTIFY_WEBHOOK_URL',
  'NOTIFY_SECRET',
  'RECORD_LOG_RATE',
  'FETCH_TIME_BUDGET_MS',
];

const operatorVariables = (): Record<string, string> =>
  Object.fromEntries(OPERATOR_VARIABLES.map((name) => [name, process.env[name] ?? '']));

/** The embedded stack, with the sandbox for the sides that have no address. */
export type Embedded = {
  stack: Stack;
  stores: AwsStores;
  sandbox: Sandbox | undefined;
  sandboxedSides: Side[];
  /** The connections' variables, as the functions get them. */
  variables: Record<string, string>;
  close(): Promise<void>;
};

/** What is run, and what the sandbox serves and does wrong where it stands in. */
export type EmbeddedRun = SidesAsked & {
  integration: Integration;
  paths: string;
  groups?: readonly JsonValue[];
  faults?: readonly Fault[];
};

export type EmbeddedOptions = {
  dataDir: string;
  /** The sandbox's targets forget what this integration loaded; a data directory that cannot be read is begun anew. */
  fresh?: boolean;
  /** Absent: no integration is run; the functions get no connection variables. */
  run?: EmbeddedRun;
  /** Opened for a moment: others wait for its end, and do not use its servers. */
  isBrief?: boolean;
  onEvent?: (event: StackEvent) => void;
};

/** Throws what `startStack` and `startSandbox` throw, and ConfigurationError. */
export const startEmbedded = async ({ dataDir, fresh, run, isBrief, onEvent }: EmbeddedOptions): Promise<Embedded> => {
  const undo: Array<() => Promise<void> | void> = [];
  const close = async () => {
    for (const step of undo.reverse()) await step();
    undo.length = 0;
  };
  try {
    const sides = run === undefined ? [] : sandboxedSides(run.integration, process.env, run);
    // Faults of the configuration are named before anything is taken or, with `fresh`, discarded.
    if (run !== undefined) {
      checkSandboxFlags(run, sides);
      connectionVariables(run.integration, process.env, { url: 'http://127.0.0.1', sides }, run.needs);
      notifierOf({ secrets: awsSecretStore }, systemRuntime(process.env, silentLog));
    }
    let sandbox: Sandbox | undefined;
    let variables: Record<string, string> = {};
    /** Asked once the data directory is ours: the sandbox's file in it must not be touched before. */
    const connections = async (): Promise<Record<string, string>> => {
      if (run === undefined) return operatorVariables();
      if (sides.length > 0) {
        const storeFile = join(dataDir, SANDBOX_FILE);
        const target = run.integration.target.connection.name;
        if (fresh && isTarget(target)) forgetTarget(storeFile, target);
        const { groups, faults } = run;
        sandbox = await startSandbox({ storeFile, sealed: true, ...defined({ groups }), ...defined({ faults }) });
        undo.push(sandbox.close);
      }
      variables = connectionVariables(run.integration, process.env, sandbox && { url: sandbox.url, sides }, run.needs);
      return { ...operatorVariables(), ...variables, INTEGRATIONS: run.paths };
    };
    const open = (anew: boolean) =>
      startStack({ dataDir, serviceDir: SERVICE_DIR, fresh: anew, env: connections, ...defined({ onEvent }) });
    const stack = await open(false).catch((error: unknown) => {
      // What nobody can read is lost already, whichever integration it was of.
      if (fresh && error instanceof DataDirUnreadableError) return open(true);
      throw error;
    });
    undo.push(stack.close);
    const stores = awsStoresAt(stack.env);
    undo.push(stores.close);
    const endpointsFile = join(dataDir, ENDPOINTS_FILE);
    // What a killed process left is of no use to anyone.
    rmSync(endpointsFile, { force: true });
    if (!isBrief) writeFileSync(endpointsFile, JSON.stringify(stack.env), { mode: 0o600 });
    undo.push(() => rmSync(endpointsFile, { force: true }));
    return { stack, stores, sandbox, sandboxedSides: sides, variables, close };
  } catch (error) {
    await close();
    throw error;
  }
};
