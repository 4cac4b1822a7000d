import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../../local/sandbox/sandbox.ts';
import { type DeployedStack, deployStack, type FunctionName } from './deployed-stack.ts';
import {
  type ExecutionEnvironment,
  type FunctionConfiguration,
  startExecutionEnvironment,
} from './execution-environment.ts';
import { atSandbox, client, parameters } from './operator.ts';
import { InitError } from './runtime-api.ts';

let sandbox: Sandbox;
let stack: DeployedStack;

beforeAll(async () => {
  sandbox = await startSandbox(client);
  stack = await deployStack({ packagedDir: inject('packagedDir'), parameters, environment: atSandbox(sandbox) });
});
afterAll(async () => {
  await stack.close();
  await sandbox.close();
});

const readEvent = async (name: string): Promise<unknown> => JSON.parse(await readFile(`events/${name}.json`, 'utf8'));
const runId = 'okki-product-groups-to-qingyiyun-20260105T010000Z';

// In this order: the run of schedule.json is the one that the others are about.
const events: { name: string; to: FunctionName; answer: unknown }[] = [
  { name: 'schedule', to: 'fetch', answer: [{ runId, end: 'extracted' }] },
  { name: 'full-refresh', to: 'fetch', answer: [{ runId, end: 'duplicate' }] },
  { name: 'continue', to: 'fetch', answer: { batchItemFailures: [] } },
  { name: 'dispatch', to: 'fetch', answer: { left: 0 } },
  { name: 'records', to: 'load', answer: { batchItemFailures: [] } },
  { name: 'replay', to: 'replay', answer: expect.objectContaining({ replayed: [] }) },
  { name: 'reconcile', to: 'reconcile', answer: [{ runId, status: 'loading' }] },
];

test('every file in events/ is delivered below', async () => {
  expect((await readdir('events')).sort()).toEqual(events.map(({ name }) => `${name}.json`).sort());
});

describe("the archives, run by Lambda's own runtime client", () => {
  test.each(events)('$to answers the event $name', async ({ name, to, answer }) => {
    expect(await stack.functions[to].invoke(await readEvent(name))).toEqual({ kind: 'result', payload: answer });
  });

  test('the records of events/records.json are in the targets', () => {
    expect(sandbox.records('qingyiyun').map(({ id }) => String(id))).toEqual(['5203300076']);
    expect(sandbox.records('crm').map(({ id }) => String(id))).toEqual(['5203300076']);
  });

  test('one environment serves several invocations, and asks for its secrets and its token once', async () => {
    const before = { log: stack.functions.fetch.log().length, tokens: sandbox.requests.token };
    const event = { ...((await readEvent('schedule')) as object), integration: 'okki-product-groups-to-crm' };
    expect(await stack.functions.fetch.invoke(event)).toMatchObject({ kind: 'result' });
    expect(sandbox.requests.token).toBe(before.tokens);
    const starts = linesOf(stack.functions.fetch.log().slice(before.log)).map(({ cold_start }) => cold_start);
    expect(new Set(starts)).toEqual(new Set([false]));
    expect(linesOf(stack.functions.fetch.log())[0]).toMatchObject({ cold_start: true });
  });

  test('no line of any log shows a secret', () => {
    const log = Object.values(stack.functions).flatMap((lambda) => lambda.log());
    expect(log.length).toBeGreaterThan(10);
    for (const secret of Object.values(parameters)) expect(log.join('\n')).not.toContain(secret);
  });

  test('an event that is none of ours fails with the name of the fault, at a line of the source', async () => {
    const end = await stack.functions.fetch.invoke({ kind: 'unheard-of' });
    if (end.kind !== 'failed') throw new Error('it did not fail');
    expect(end.error).toMatchObject({ errorType: 'FetchEventError', errorMessage: expect.stringContaining('kind') });
    // Source maps are in the archive.
    expect(end.error.trace.join('\n')).toMatch(/\(lib\/messages\/run-request\.ts:\d+:\d+\)/);
    expect(await stack.functions.fetch.invoke(await readEvent('schedule'))).toMatchObject({ kind: 'result' });
  });
});

describe('an environment that fails', () => {
  const started: ExecutionEnvironment[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map((environment) => environment.stop()));
  });
  const start = async (name: FunctionName, changes: Partial<FunctionConfiguration>): Promise<ExecutionEnvironment> => {
    const configuration = stack.configuration(name);
    const environment = { ...configuration.environment, ...changes.environment };
    const begun = await startExecutionEnvironment({ ...configuration, ...changes, environment });
    started.push(begun);
    return begun;
  };

  // Lambda developer guide, "Troubleshoot deployment issues in Lambda".
  test.each([
    { handler: 'functions/load.absent', errorType: 'Runtime.HandlerNotFound' },
    { handler: 'functions/absent.handler', errorType: 'Runtime.ImportModuleError' },
  ])('names $errorType where the handler is $handler', async ({ handler, errorType }) => {
    const failure = await start('load', { handler }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InitError);
    expect((failure as InitError).reported.errorType).toBe(errorType);
  });

  test('says at once what is missing where a variable of the stack is not set', async () => {
    const environment = await start('load', { environment: { IDCHECK_TABLE: '' } });
    const end = await environment.invoke({ Records: [] });
    expect(end).toMatchObject({ kind: 'failed', error: { errorMessage: expect.stringContaining('IDCHECK_TABLE') } });
    // A fault of configuration is no reason to keep the environment from answering the next event.
    expect(environment.alive()).toBe(true);
  });

  test('is ended by Lambda at its time-out, and the next one starts anew', async () => {
    const silent = createServer(() => {});
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const AWS_ENDPOINT_URL_DYNAMODB = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    try {
      const stuck = await start('fetch', { timeoutMs: 1_500, environment: { AWS_ENDPOINT_URL_DYNAMODB } });
      expect(await stuck.invoke(await readEvent('schedule'))).toMatchObject({
        kind: 'failed',
        error: { errorType: 'Sandbox.Timedout', errorMessage: expect.stringMatching(/timed out after 1\.50 seconds$/) },
      });
      expect(stuck.alive()).toBe(false);
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
    const next = await start('fetch', {});
    expect(await next.invoke(await readEvent('schedule'))).toMatchObject({ kind: 'result' });
  });

  test('a function that is killed in the middle ends as Runtime.ExitError', async () => {
    const environment = await start('replay', {});
    // The empty queue is polled for a second: the kill comes within it.
    const end = environment.invoke(await readEvent('replay'));
    process.kill(environment.pid, 'SIGKILL');
    expect(await end).toMatchObject({
      kind: 'failed',
      error: { errorType: 'Runtime.ExitError', errorMessage: expect.stringContaining('signal: SIGKILL') },
    });
  });
});

describe('integration files in an archive', () => {
  /** What `fetch` makes of a schedule when something in its archive was changed. */
  const fetchAfter = async (change: (taskRoot: string) => Promise<void>) => {
    const configuration = stack.configuration('fetch');
    const taskRoot = await mkdtemp(path.join(tmpdir(), 'okki-sync-changed-'));
    await cp(configuration.taskRoot, taskRoot, { recursive: true });
    await change(taskRoot);
    const environment = await startExecutionEnvironment({ ...configuration, taskRoot });
    try {
      return await environment.invoke(await readEvent('schedule'));
    } finally {
      await environment.stop();
      await rm(taskRoot, { recursive: true });
    }
  };

  test('were checked as they were packaged: a cold start does without the code of the check', async () => {
    const end = await fetchAfter(async (taskRoot) => {
      const folder = path.join(taskRoot, 'functions');
      const checks = (await readdir(folder)).filter((file) => /^fetch\.read-\w+\.mjs$/.test(file));
      expect(checks).toHaveLength(1);
      for (const file of checks) await rm(path.join(folder, file));
    });
    expect(end).toMatchObject({ kind: 'result' });
  });

  test('are checked at the start where they are no longer what was packaged', async () => {
    const end = await fetchAfter(async (taskRoot) => {
      const file = path.join(taskRoot, 'integrations', 'okki-product-groups-to-crm.json');
      const content = JSON.parse(await readFile(file, 'utf8')) as object;
      await writeFile(file, JSON.stringify({ ...content, title: 5 }));
    });
    expect(end).toMatchObject({ kind: 'failed', error: { errorMessage: expect.stringContaining('title: expected') } });
  });
});

const linesOf = (log: readonly string[]): Record<string, unknown>[] =>
  log.filter((line) => line.startsWith('{"level"')).map((line) => JSON.parse(line) as Record<string, unknown>);
