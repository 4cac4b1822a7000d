import type { Context } from 'aws-lambda';
import { afterEach, expect, test, vi } from 'vitest';
import { lambdaHandler } from '../../../lib/aws/lambda/handler.ts';
import { functionLog } from '../../../lib/aws/telemetry/function-log.ts';

const context = { awsRequestId: 'r', functionName: 'load', getRemainingTimeInMillis: () => 1_234 } as Context;

afterEach(() => {
  vi.restoreAllMocks();
});

/** What an invocation writes for CloudWatch to read its metrics from. */
const metricLines = async (handle: Parameters<typeof lambdaHandler>[0]): Promise<unknown[]> => {
  const written: string[] = [];
  const take = (text: unknown): boolean => {
    written.push(String(text));
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(take);
  vi.spyOn(process.stderr, 'write').mockImplementation(take);
  const handler = lambdaHandler(handle);
  await Promise.resolve(handler({}, context)).catch(() => undefined);
  vi.restoreAllMocks();
  const lines = written.flatMap((text) => text.split('\n')).filter((line) => line.startsWith('{'));
  return lines.map((line): unknown => JSON.parse(line)).filter((line) => JSON.stringify(line).includes('"_aws"'));
};

const measured = () =>
  functionLog.info('settled', {
    integration: 'groups',
    runId: 'r',
    id: '1',
    messageId: 'm',
    attempts: 0,
    as: 'loaded',
  });

test('what an invocation measured is written when it ends, and when it fails', async () => {
  const line = expect.objectContaining({ integration: 'groups', _aws: expect.anything() });
  expect(await metricLines(async () => measured())).toEqual([line]);
  const failing = await metricLines(async () => {
    measured();
    throw new Error('no table');
  });
  expect(failing).toEqual([line]);
  // Nothing is left over for the next one.
  expect(await metricLines(async () => undefined)).toEqual([]);
});

test('a handler knows what is left of its invocation', async () => {
  const seen: number[] = [];
  await metricLines(async (_, remainingMs) => seen.push(remainingMs()));
  expect(seen).toEqual([1_234]);
});
