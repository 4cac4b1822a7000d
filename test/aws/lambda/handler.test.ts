import type { Context } from 'aws-lambda';
import { afterEach, expect, test, vi } from 'vitest';
import { lambdaHandler } from '../../../lib/aws/lambda/handler.ts';
import { functionLog } from '../../../lib/aws/telemetry/function-log.ts';

const context = { awsRequestId: 'r', functionName: 'load', getRemainingTimeInMillis: () => 1_234 } as Context;

afterEach(() => {
  vi.restoreAllMocks();
});

/** What an invocation writes of what it counted, and for CloudWatch to read its metrics from. */
const countedLines = async (handle: Parameters<typeof lambdaHandler>[0]): Promise<unknown[]> => {
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
  return lines.map((line): unknown => JSON.parse(line)).filter((line) => /"_aws"|"counted"/.test(JSON.stringify(line)));
};

const measured = (as: 'loaded' | 'rejected' = 'rejected') =>
  functionLog.info('settled', {
    integration: 'groups',
    runId: 'r',
    id: '1',
    messageId: 'm',
    attempts: 0,
    as,
  });

test('what an invocation counted is written when it ends, and when it fails', async () => {
  const lines = [
    expect.objectContaining({ message: 'counted', integration: 'groups', RecordsRejected: 1 }),
    // As the alarms' queries ask for it: namespace, dimensions, unit.
    expect.objectContaining({
      integration: 'groups',
      FailureScore: 4,
      _aws: expect.objectContaining({
        CloudWatchMetrics: [
          {
            Namespace: 'okki-sync',
            Dimensions: [['service', 'integration']],
            Metrics: [{ Name: 'FailureScore', Unit: 'None' }],
          },
        ],
      }),
    }),
  ];
  expect(await countedLines(async () => measured())).toEqual(lines);
  const failing = await countedLines(async () => {
    measured();
    throw new Error('no table');
  });
  expect(failing).toEqual(lines);
  // Nothing is left over for the next one.
  expect(await countedLines(async () => undefined)).toEqual([]);
});

test('CloudWatch is sent nothing, which it would bill, of an invocation in which all went well', async () => {
  const line = expect.objectContaining({ message: 'counted', RecordsLoaded: 1 });
  expect(await countedLines(async () => measured('loaded'))).toEqual([line]);
});

test('a handler knows what is left of its invocation', async () => {
  const seen: number[] = [];
  await countedLines(async (_, remainingMs) => seen.push(remainingMs()));
  expect(seen).toEqual([1_234]);
});
