import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SERVICE_DIR } from '../cli/input/integration-choice.ts';
import { embeddedEngine } from '../cli/stack/embedded-engine.ts';
import { connectionVariables } from '../cli/stack/sides.ts';
import { awsStoresAt } from '../lib/aws/stores.ts';
import type { FetchEnd } from '../lib/fetch/fetch-run.ts';
import type { Integration } from '../lib/integration/schema/schema.ts';
import type { JsonValue } from '../lib/json/json.ts';
import { followRun } from '../lib/operate/follow-run.ts';
import type { RunRecord } from '../lib/runs/record.ts';
import { systemClock } from '../lib/runtime/clock.ts';
import { type Sandbox, startSandbox } from '../local/sandbox/sandbox.ts';
import { describeService } from '../local/stack/service.ts';
import { readServiceFile } from '../local/stack/service-file.ts';
import { type StackEvent, startStack } from '../local/stack/stack.ts';
import { askingForCapacity, billedFor } from './capacity.ts';
import { startForwarder } from './forwarder.ts';
import { DYNAMO_MS, SQS_MS, TARGET_MS } from './latency-servers.ts';
import type { Usage } from './prices.ts';

/** The embedded stack with a meter on everything that AWS would bill, and its latencies. */
export type MeteredStack = {
  sandbox: Sandbox;
  /** One scheduled run to its closed books, and what it used. */
  run(scheduledMs: number): Promise<{ record: RunRecord; usage: Usage }>;
  /** What one planned invocation of a function used, beside runs. */
  planned(functionName: string, kind: string): Promise<Usage>;
  /** Metrics of our own that the functions have sent so far, each with its dimensions. */
  metricsSent(): ReadonlySet<string>;
  close(): Promise<void>;
};

/** Each 64 KB of a request's payload is billed as one request (SQS pricing). */
const SQS_CHUNK_BYTES = 64 * 1024;
/** An event source mapping receives, and deletes, ten messages at most in a request. */
const SQS_BATCH = 10;
/** The schedules of fetch and of reconcile. */
const SCHEDULES_PER_RUN = 2;

/** The metrics of a line in CloudWatch's embedded format, by name and values of their dimensions. */
const metricsIn = (line: string): string[] => {
  if (!line.includes('"_aws"')) return [];
  const written = JSON.parse(line);
  const [{ Dimensions, Metrics }] = written._aws.CloudWatchMetrics;
  const values = Dimensions.flat().map((name: string) => written[name]);
  return Metrics.map(({ Name }: { Name: string }) => [Name, ...values].join(' '));
};

const unused: Usage = {
  writeUnits: 0,
  readUnits: 0,
  sqsRequests: 0,
  invocations: 0,
  gbSeconds: 0,
  schedules: 0,
  logBytes: 0,
};

const memoryGbByFunction = (): ReadonlyMap<string, number> => {
  const options = { serviceDir: SERVICE_DIR, stage: 'local', queueUrl: String, extraEnvironment: {} };
  const { functions } = describeService(readServiceFile(SERVICE_DIR), options);
  return new Map(functions.map(({ name, memoryMb }) => [name, memoryMb / 1024]));
};

const bytesIn = (dir: string): number =>
  readdirSync(dir).reduce((sum, file) => sum + statSync(join(dir, file)).size, 0);

/** Starts it with an integration and its file's content; the target's `rateLimit` as its variable has it, or empty. */
export const startMeteredStack = async (
  integration: Integration,
  file: JsonValue,
  groups: readonly JsonValue[],
  rateLimit: string,
): Promise<MeteredStack> => {
  const dir = mkdtempSync(join(tmpdir(), 'okki-price-'));
  const dataDir = join(dir, 'data');
  const path = join(dir, `${integration.name}.json`);
  writeFileSync(path, JSON.stringify(file));
  const memoryGb = memoryGbByFunction();
  let usage: Usage = { ...unused };

  const dynamo = await startForwarder({
    latencyMs: DYNAMO_MS,
    prepare: askingForCapacity,
    onExchange: ({ target, answer }) => {
      const { kind, units } = billedFor(target, answer);
      usage[kind === 'read' ? 'readUnits' : 'writeUnits'] += units;
    },
  });
  const sqs = await startForwarder({
    latencyMs: SQS_MS,
    onExchange: ({ request }) => {
      usage.sqsRequests += Math.ceil(Buffer.byteLength(request) / SQS_CHUNK_BYTES);
    },
  });
  const target = await startForwarder({ latencyMs: TARGET_MS });
  const onEvent = (event: StackEvent): void => {
    if (event.kind === 'polling-fault') throw event.error;
    if (event.kind === 'batch') {
      const { size, deleted } = event.batch;
      usage.sqsRequests += Math.ceil(size / SQS_BATCH) + Math.ceil(deleted / SQS_BATCH);
      return;
    }
    const { functionName, durationMs } = event.invocation;
    usage.invocations += 1;
    // Billed by the ms, rounded up.
    usage.gbSeconds += (Math.ceil(durationMs) / 1000) * (memoryGb.get(functionName) ?? 0);
  };

  const sandbox = await startSandbox({ groups });
  target.to(sandbox.url);
  const variables = connectionVariables(
    integration,
    {
      OKKI_BASE_URL: sandbox.url,
      OKKI_CLIENT_ID: 'sandbox',
      OKKI_CLIENT_SECRET: 'sandbox',
      QINGYIYUN_BASE_URL: target.url,
      QINGYIYUN_RATE_LIMIT: rateLimit,
    },
    undefined,
  );
  const endpoints = { AWS_ENDPOINT_URL_SQS: sqs.url, AWS_ENDPOINT_URL_DYNAMODB: dynamo.url, INTEGRATIONS: path };
  const env = { ...variables, ...endpoints, NOTIFY_FORMAT: '', NOTIFY_WEBHOOK_URL: '', NOTIFY_SECRET: '' };
  const stack = await startStack({ dataDir, serviceDir: SERVICE_DIR, env, onEvent });
  dynamo.to(stack.env.AWS_ENDPOINT_URL_DYNAMODB ?? '');
  sqs.to(stack.env.AWS_ENDPOINT_URL_SQS ?? '');
  const stores = awsStoresAt(stack.env);
  const logs = join(dataDir, 'logs');
  stack.startEventSources();

  const close = async (): Promise<void> => {
    await stack.close();
    stores.close();
    await sandbox.close();
    for (const forwarder of [dynamo, sqs, target]) forwarder.close();
    rmSync(dir, { recursive: true, force: true });
  };
  const engine = embeddedEngine({ stack, stores }, integration.name);

  const metered = async <Result>(schedules: number, work: () => Promise<Result>): Promise<[Result, Usage]> => {
    usage = { ...unused, schedules };
    const logBytesBefore = bytesIn(logs);
    const result = await work();
    return [result, { ...usage, logBytes: bytesIn(logs) - logBytesBefore }];
  };

  return {
    sandbox,
    run: async (scheduledMs) => {
      const [record, used] = await metered(SCHEDULES_PER_RUN, async () => {
        const scheduledTime = new Date(scheduledMs).toISOString();
        const event = { kind: 'schedule', integration: integration.name, scheduledTime };
        const [end] = (await stack.invoke('fetch', event)) as FetchEnd[];
        if (end === undefined) throw new Error('functions/fetch answered without a run');
        return (await followRun(end.runId, { ...engine, integration, clock: systemClock, onSeen: () => {} })).run;
      });
      return { record, usage: used };
    },
    planned: async (functionName, kind) => (await metered(1, () => stack.invoke(functionName, { kind })))[1],
    metricsSent: () => {
      const lines = readdirSync(logs).flatMap((file) => readFileSync(join(logs, file), 'utf8').split('\n'));
      return new Set(lines.flatMap(metricsIn));
    },
    close,
  };
};
