import { describe, type TestContext, test } from 'vitest';
import { groups, isListRequest, type OwnSourceOptions, sourceEnv, startOwnSource } from './own-source.ts';
import { startOwnTarget, targetEnv } from './own-target.ts';
import { newDir, nonZero, runJson } from './program.ts';

/** One run of an integration between two servers of the test's own, which end with the test. */
const journey = async (
  { onTestFinished }: TestContext,
  options: OwnSourceOptions,
  integration = 'okki-product-groups-to-qingyiyun',
) => {
  const source = await startOwnSource(options);
  const target = await startOwnTarget();
  onTestFinished(async () => {
    await Promise.all([source.close(), target.close()]);
  });
  const env = { ...sourceEnv(source), ...targetEnv(target) };
  const run = await runJson(['--data-dir', newDir(), '--integration', integration], env);
  return { ...run, source, target, listRequests: source.requests.filter(isListRequest) };
};

/** How often each id was applied is once, and these are the ids. */
const eachOnce = (ids: readonly unknown[]) => new Map(ids.map((id) => [String(id), 1]));

describe('between a source and a target that are not the sandbox', { timeout: 90_000 }, () => {
  test('one page in an envelope: every group arrives once, as the metadata says', async (context) => {
    const { expect } = context;
    const { report, code, target, stderr } = await journey(context, { rows: groups(5) });
    expect(nonZero(report.counts)).toEqual({ fetched: 5, enqueued: 5, loaded: 5 });
    expect({ code, balanced: report.balanced }).toEqual({ code: 0, balanced: true });
    expect(target.applied.map(({ content }) => content)).toContainEqual({
      number: '分组 1',
      id: 5_203_300_001,
      编码: '分组 1',
    });
    expect(target.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
    expect(stderr).not.toContain('sandbox');
  });

  test('a bare array instead of an envelope, as in the article', async (context) => {
    const { expect } = context;
    const { report, code, target } = await journey(context, {
      rows: [{ number: 1, id: '123', name: '产品A' }],
      envelope: false,
    });
    expect({ code, loaded: report.counts.loaded }).toEqual({ code: 0, loaded: 1 });
    expect(target.applied.map(({ content }) => content)).toEqual([{ number: 1, id: '123', 编码: '产品A' }]);
  });

  test('a source that ignores page parameters is read once, not for ever', async (context) => {
    const { expect } = context;
    const { report, code, listRequests, target } = await journey(context, { rows: groups(620) });
    expect({ code, fetched: report.counts.fetched }).toEqual({ code: 0, fetched: 620 });
    expect(listRequests.length).toBeLessThanOrEqual(4);
    expect(target.timesById().size).toBe(620);
  });

  test('a source whose pages are smaller than asked for is read to its end', async (context) => {
    const { expect } = context;
    const rows = groups(47);
    const { report, code, target } = await journey(context, { rows, paging: { most: 10 } });
    expect({ code, fetched: report.counts.fetched }).toEqual({ code: 0, fetched: 47 });
    expect(target.timesById()).toEqual(eachOnce(rows.map(({ id }) => id)));
  });

  test('ids as integers, as strings, 0, and past 2^53 are all ids of their own', async (context) => {
    const { expect } = context;
    const rows = [
      { id: 0, name: '零' },
      { id: '17', name: '十七' },
      { id: 18, name: '十八' },
      { id: 812_252_963_824_297_984n, name: '大' },
      { id: 812_252_963_824_297_985n, name: '大一' },
    ];
    const { report, target } = await journey(context, { rows });
    expect(report.counts.loaded).toBe(5);
    expect(target.timesById()).toEqual(eachOnce(rows.map(({ id }) => id)));
  });

  test('one id as integer and as string is one record', async (context) => {
    const { expect } = context;
    const rows = [
      { id: 17, name: '十七' },
      { id: '17', name: '十七' },
    ];
    const { report, target } = await journey(context, { rows });
    expect(nonZero(report.counts)).toEqual({ fetched: 2, merged: 1, enqueued: 1, loaded: 1 });
    expect(target.applied).toHaveLength(1);
  });

  test('records without an id, and what is no record, are rejected by name, and the rest goes on', async (context) => {
    const { expect } = context;
    const rows = [{ name: 'no id' }, { id: null, name: 'null id' }, null, ['array'], 'text', 7, ...groups(3)];
    const { report, code, target } = await journey(context, { rows });
    expect(nonZero(report.counts)).toEqual({ fetched: 9, invalid: 6, enqueued: 3, loaded: 3 });
    expect({ code, balanced: report.balanced }).toEqual({ code: 0, balanced: true });
    expect(target.timesById().size).toBe(3);
  });

  test('the batched integration sends group_id as an integer, several in one request', async (context) => {
    const { expect } = context;
    const rows = [{ id: 'group1', name: '电子产品' }, ...groups(29)];
    const { report, code, target } = await journey(context, { rows }, 'okki-product-groups-to-crm');
    expect({ code, loaded: report.counts.loaded }).toEqual({ code: 0, loaded: 30 });
    expect(target.applied.map(({ content }) => content)).toContainEqual({ group_id: 1, group_name: '电子产品' });
    expect(target.requests.length).toBeLessThanOrEqual(3);
    expect(report.requests.target).toBe(target.requests.length);
  });
});

test('the same POST carries the same Idempotency-Key, another record another', async (context) => {
  const { expect } = context;
  const { target } = await journey(context, { rows: groups(20) });
  const keys = target.applied.map(({ key }) => key);
  expect(keys.every((key) => key !== undefined && key.length > 10)).toBe(true);
  expect(new Set(keys).size).toBe(20);
});
