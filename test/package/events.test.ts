import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, inject, test } from 'vitest';
import { contentHash } from '../../lib/idcheck/hash.ts';
import { readMessage } from '../../lib/messages/record-message.ts';
import { readFetchEvent } from '../../lib/messages/run-request.ts';
import { readReplayEvent } from '../../lib/replay/replay.ts';
import { readTemplate, resourcesOf } from './template.ts';

const template = await readTemplate(inject('packagedDir'));

type QueueEvent = { Records: { body: string; md5OfBody: string; eventSourceARN: string; awsRegion: string }[] };

const readEvent = async <T>(name: string): Promise<T> => JSON.parse(await readFile(`events/${name}.json`, 'utf8')) as T;

test('schedule.json is what the schedule of its integration sends, with the time filled in', async () => {
  const { scheduledTime, ...event } = await readEvent<{ scheduledTime: string }>('schedule');
  const inputs = resourcesOf(template, 'AWS::Scheduler::Schedule').map(
    ({ properties }) => JSON.parse(properties.Target.Input) as unknown,
  );
  expect(inputs).toContainEqual({ ...event, scheduledTime: '<aws.scheduler.scheduled-time>' });
  // EventBridge Scheduler user guide, "Adding context attributes": for example 2022-03-22T18:59:43Z.
  expect(scheduledTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

test('full-refresh.json is schedule.json with the one flag more', async () => {
  expect(await readEvent('full-refresh')).toEqual({ ...(await readEvent<object>('schedule')), fullRefresh: true });
});

test.each(['reconcile', 'dispatch'])('%s.json is what its schedule sends', async (name) => {
  const inputs = resourcesOf(template, 'AWS::Scheduler::Schedule').map(({ properties }) => properties.Target.Input);
  expect(inputs).toContain(JSON.stringify(await readEvent(name)));
});

describe.each([
  { name: 'continue', mapping: 'FetchEventSourceMappingSQSRunsQueue', queue: 'okki-sync-dev-runs' },
  { name: 'records', mapping: 'LoadEventSourceMappingSQSRecordsQueue', queue: 'okki-sync-dev-records' },
])('event $name', ({ name, mapping, queue }) => {
  test('comes from a queue that feeds the function', async () => {
    const { Records } = await readEvent<QueueEvent>(name);
    expect(template.Resources).toHaveProperty(mapping);
    for (const { eventSourceARN, awsRegion } of Records) {
      expect(eventSourceARN).toBe(`arn:aws:sqs:${awsRegion}:123456789012:${queue}`);
    }
  });

  test('has bodies that their MD5 fits', async () => {
    for (const { body, md5OfBody } of (await readEvent<QueueEvent>(name)).Records) {
      expect(md5OfBody).toBe(createHash('md5').update(body).digest('hex'));
    }
  });
});

test.each([
  { name: 'schedule', kind: 'schedule' },
  { name: 'full-refresh', kind: 'schedule' },
  { name: 'continue', kind: 'continue' },
])('event $name is a request that fetch understands', async ({ name, kind }) => {
  expect(readFetchEvent(await readEvent(name))).toEqual([
    expect.objectContaining({ kind, integration: 'okki-product-groups-to-qingyiyun' }),
  ]);
});

test('replay.json is a filter that replay understands', async () => {
  expect(readReplayEvent(await readEvent('replay'))).toMatchObject({ reason: 'rejected', limit: 100, dryRun: false });
});

test('records.json holds messages that load can read, with the hashes of their contents', async () => {
  const { Records } = await readEvent<QueueEvent>('records');
  expect(Records.length).toBeGreaterThanOrEqual(2);
  for (const { body } of Records) {
    const read = readMessage(body);
    if (read.kind !== 'message') throw new Error(read.why);
    expect(read.message.hash).toBe(contentHash(read.message.body));
  }
});
