import { beforeAll, describe, expect, test } from 'vitest';
import { integrationCopy } from './integration-copy.ts';
import { groups, isListRequest, type OwnSourceOptions, sourceEnv, startOwnSource } from './own-source.ts';
import { startOwnTarget, targetEnv } from './own-target.ts';
import { newDir, nonZero, runJson } from './program.ts';

/** One run of an integration between two servers of the test's own. */
const journey = async (options: OwnSourceOptions, integration: string) => {
  const source = await startOwnSource(options);
  const target = await startOwnTarget();
  const env = { ...sourceEnv(source), ...targetEnv(target) };
  try {
    const run = await runJson(['--data-dir', newDir(), '--integration', integration], env);
    return { ...run, target, listRequests: source.requests.filter(isListRequest) };
  } finally {
    await Promise.all([source.close(), target.close()]);
  }
};
type Journey = Awaited<ReturnType<typeof journey>>;

describe('a list in an envelope, its pages smaller than asked for', () => {
  const faultless = [
    { id: 0, name: '零' },
    { id: '17', name: '十七' },
    { id: 18, name: '十八' },
    { id: 812_252_963_824_297_984n, name: '大' },
    { id: 812_252_963_824_297_985n, name: '大一' },
    ...groups(35),
  ];
  const withoutId = [{ name: 'no id' }, { id: null, name: 'null id' }, null, ['array'], 'text', 7];
  const again = { id: 17, name: '十七' };
  let ran: Journey;
  beforeAll(async () => {
    const rows = [...withoutId, ...faultless, again];
    ran = await journey({ rows, paging: { most: 10 } }, 'okki-product-groups-to-qingyiyun');
  });

  test('is read to its end; what has no id is rejected by name, and the rest goes on', () => {
    expect(nonZero(ran.report.counts)).toEqual({ fetched: 47, invalid: 6, merged: 1, enqueued: 40, loaded: 40 });
    expect({ code: ran.code, balanced: ran.report.balanced }).toEqual({ code: 1, balanced: true });
    expect(ran.stderr).not.toContain('sandbox');
  });

  test('arrives once: ids as integers, as strings, 0 and past 2^53 are all ids of their own, 17 and "17" are one', () => {
    const once = new Map(faultless.map(({ id }) => [String(id), 1]));
    expect(ran.target.timesById()).toEqual(once);
  });

  test('arrives as the metadata says, without a token that nobody set', () => {
    const contents = ran.target.applied.map(({ content }) => content);
    expect(contents).toContainEqual({ number: '分组 1', id: 5_203_300_001, 编码: '分组 1' });
    expect(ran.target.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  test('has an Idempotency-Key of its own for each record', () => {
    const keys = ran.target.applied.map(({ key }) => key);
    expect(keys.every((key) => key !== undefined && key.length > 10)).toBe(true);
    expect(new Set(keys).size).toBe(40);
  });
});

test('a bare array, as in the article, from a source that ignores page parameters is read once, not for ever', async () => {
  const rows = [{ number: 1, id: '123', name: '产品A' }, ...groups(24)];
  const changes = { 'source.paging.pageSize': 20 };
  const file = integrationCopy(newDir(), 'okki-product-groups-to-qingyiyun', changes);
  const { report, code, listRequests, target } = await journey({ rows, envelope: false }, file);
  expect({ code, loaded: report.counts.loaded }).toEqual({ code: 0, loaded: 25 });
  expect(listRequests.length).toBeLessThanOrEqual(5);
  expect(target.timesById().size).toBe(25);
  expect(target.applied.map(({ content }) => content)).toContainEqual({ number: 1, id: '123', 编码: '产品A' });
}, 90_000);

test('the batched integration sends group_id as an integer, several in one request', async () => {
  const rows = [{ id: 'group1', name: '电子产品' }, ...groups(29)];
  const { report, code, target } = await journey({ rows }, 'okki-product-groups-to-crm');
  expect({ code, loaded: report.counts.loaded }).toEqual({ code: 0, loaded: 30 });
  expect(target.applied.map(({ content }) => content)).toContainEqual({ group_id: 1, group_name: '电子产品' });
  expect(target.requests.length).toBeLessThanOrEqual(3);
  expect(report.requests.target).toBe(target.requests.length);
}, 90_000);
