import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { FunctionError } from '../../../local/stack/errors.ts';
import { closeFixtures, serviceDir, startFixture, until } from './fixtures/fixture-stack.ts';

afterEach(closeFixtures);

type Inspected = { served: number; event: unknown; env: Record<string, string>; context: Record<string, unknown> };

test('a function gets its event as JSON carries it, its declared environment and a Lambda context', async () => {
  const { stack } = await startFixture({ env: { EXTRA: 'given', GREETING: 'overridden' } });
  const seen = (await stack.invoke('inspect', { at: new Date(0), gone: undefined })) as Inspected;
  expect(seen.event).toEqual({ at: '1970-01-01T00:00:00.000Z' });
  expect(seen.env).toMatchObject({
    EVERYWHERE: 'fixture',
    ITEMS_TABLE: 'fixture-local-items',
    EXTRA: 'given',
    GREETING: 'overridden',
    ARN: 'arn:aws:sqs:us-east-1:000000000000:fixture-local-pairs',
    LAMBDA_TASK_ROOT: serviceDir,
    AWS_LAMBDA_FUNCTION_NAME: 'fixture-local-inspect',
    AWS_ENDPOINT_URL_SQS: stack.env.AWS_ENDPOINT_URL_SQS,
    AWS_ENDPOINT_URL_DYNAMODB: stack.env.AWS_ENDPOINT_URL_DYNAMODB,
  });
  expect(seen.context).toMatchObject({
    functionName: 'fixture-local-inspect',
    memoryLimitInMB: '256',
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:fixture-local-inspect',
    awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
  expect(seen.context.remainingMs).toBeGreaterThan(0);
  expect(seen.context.remainingMs).toBeLessThanOrEqual(1000);
});

test('the environment of this process does not reach a function', async () => {
  const { stack } = await startFixture();
  const seen = (await stack.invoke('inspect', {})) as Inspected;
  expect(seen.env).not.toHaveProperty('PATH');
});

test('a warm environment is used again, and one that failed in the handler too', async () => {
  const { stack } = await startFixture();
  await stack.invoke('inspect', {});
  await expect(stack.invoke('inspect', { do: 'throw' })).rejects.toThrow(FunctionError);
  expect(await stack.invoke('inspect', {})).toMatchObject({ served: 3 });
});

test('environments take one event at a time: concurrent events get one each', async () => {
  const { stack } = await startFixture();
  const served = await Promise.all([stack.invoke('inspect', {}), stack.invoke('inspect', {})]);
  expect(served).toMatchObject([{ served: 1 }, { served: 1 }]);
});

test('a handler that returns nothing answers null', async () => {
  const { stack } = await startFixture();
  expect(await stack.invoke('inspect', { do: 'nothing' })).toBeNull();
});

test.each([
  ['throw', { errorType: 'TypeError', errorMessage: 'not today', timedOut: false }],
  ['exit', { errorType: 'Runtime.ExitError', errorMessage: 'exit status 3', timedOut: false }],
  ['reject-unhandled', { errorType: 'RangeError', errorMessage: 'nobody listens', timedOut: false }],
])('%s: the invocation fails with type and message, and the next one works', async (what, expected) => {
  const { stack } = await startFixture();
  await expect(stack.invoke('inspect', { do: what })).rejects.toMatchObject({ code: 'function-failed', ...expected });
  expect(await stack.invoke('inspect', {})).toMatchObject({ event: {} });
});

test.each(['hang', 'spin'])('%s: at the declared timeout the environment is ended and replaced', async (what) => {
  const { stack } = await startFixture();
  await stack.invoke('inspect', {});
  const startMs = performance.now();
  await expect(stack.invoke('inspect', { do: what })).rejects.toMatchObject({
    errorType: 'Sandbox.Timedout',
    errorMessage: expect.stringContaining('Task timed out after 1.00 seconds'),
    timedOut: true,
  });
  expect(performance.now() - startMs).toBeGreaterThan(990);
  expect(await stack.invoke('inspect', {})).toMatchObject({ served: 1 });
});

test('what a function prints goes to its log file, and so does why it failed', async () => {
  const { stack, dataDir } = await startFixture();
  await stack.invoke('inspect', { do: 'log' });
  await expect(stack.invoke('inspect', { do: 'throw' })).rejects.toThrow();
  const file = join(dataDir, 'logs', 'inspect.log');
  const log = () => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  await until(() => ['said on stdout', 'said on stderr', 'not today'].every((words) => log().includes(words)));
});

test('an unknown function is an error that names it', async () => {
  const { stack } = await startFixture();
  await expect(stack.invoke('absent', {})).rejects.toThrow('serverless.yml declares no function absent');
});
