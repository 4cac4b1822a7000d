import { describe, expect, test } from 'vitest';
import type { RestNews } from '../../lib/connection/limit/health.ts';
import { noticeOf, restNoticeOf } from '../../lib/notify/notice.ts';
import type { ExtractedRun, RunRecord } from '../../lib/runs/record.ts';
import { extractingRun, loadingRun } from '../runs/run-record.ts';

const run = (changes: Partial<ExtractedRun>, counts: Partial<ExtractedRun['counts']> = {}): ExtractedRun => ({
  ...loadingRun,
  status: 'balanced',
  ...changes,
  counts: { ...loadingRun.counts, ...counts },
});

describe('there is nothing to tell of', () => {
  test('a run that balances with every record loaded', () => {
    expect(noticeOf(run({}, { fetched: 9, enqueued: 9, loaded: 9 }), { status: 'loading' })).toBeUndefined();
  });
});

test('a source that could not be read is told of once, and says why', () => {
  const failure = { code: 'token-refused', message: 'invalid_client' };
  const failed: RunRecord = { ...extractingRun, status: 'incomplete', failure };
  const notice = noticeOf(failed, { status: 'extracting' });
  expect(notice?.title).toContain('could not be read');
  expect(notice?.lines).toContain('token-refused: invalid_client');
  expect(noticeOf(failed, { status: 'incomplete' })).toBeUndefined();
});

test('a run that has failed is told of once, and says why', () => {
  const failure = { code: 'rows-invalid', message: 'all 2 rows are invalid' };
  const failed = run({ status: 'failed', failure });
  expect(noticeOf(failed, { status: 'extracting' })?.title).toContain('has failed');
  expect(noticeOf(failed, { status: 'extracting' })?.lines).toContain('rows-invalid: all 2 rows are invalid');
  expect(noticeOf(failed, { status: 'failed' })).toBeUndefined();
});

describe('a notice goes out for', () => {
  test('refused records, and names the first five', () => {
    const rejected = ['1', '2', '3', '4', '5', '6'];
    const notice = noticeOf(run({ unsettled: { open: [], rejected, uncertain: [] } }, { rejected: 6 }), {
      status: 'loading',
    });
    expect(notice?.title).toContain('groups');
    expect(notice?.lines).toContain('rejected 被拒 6: 1, 2, 3, 4, 5, …');
    const one = noticeOf(run({}, { rejected: 1 }), { status: 'loading' });
    expect(one?.lines).toContain('rejected 被拒 1');
  });

  test('uncertain records', () => {
    const unsettled = { open: [], rejected: [], uncertain: ['7'] };
    const notice = noticeOf(run({ unsettled }, { uncertain: 1 }), { status: 'loading' });
    expect(notice?.lines).toContain('uncertain 结果未知 1: 7');
  });

  test('books that do not balance, with the command that shows more', () => {
    const unsettled = { open: ['8'], rejected: [], uncertain: [] };
    const notice = noticeOf(run({ status: 'unbalanced', unsettled }, { open: 1 }), { status: 'loading' });
    expect(notice?.title).toContain('do not balance');
    expect(notice?.lines).toEqual(expect.arrayContaining(['open 未完成 1: 8', `okki-sync status ${loadingRun.runId}`]));
  });

  test('a run that was reported as not balanced and balances now', () => {
    expect(noticeOf(run({}, { loaded: 1 }), { status: 'unbalanced' })?.title).toContain('Mended');
    for (const left of [{ rejected: 1 }, { uncertain: 1 }]) {
      expect(noticeOf(run({}, left), { status: 'unbalanced' })?.title).toContain('need a look');
    }
  });
});

describe('a rest is told of', () => {
  const rest = { cause: 'down', why: 'refused ECONNREFUSED', sinceMs: 0, failedProbes: 2, runs: [] } as const;
  const since = 'since 始于 1970-01-01T00:00:00.000Z';
  const lines = ['connection crm', 'refused ECONNREFUSED', since];

  test.each<[string, RestNews, string, string[]]>([
    ['that began', { kind: 'began', connection: 'crm', rest }, 'The target is down', lines],
    [
      'that ended',
      { kind: 'ended', connection: 'crm', rest, endedMs: 1_000 },
      'The target is back',
      [...lines, 'until 终于 1970-01-01T00:00:01.000Z'],
    ],
    [
      'for answers that are not understood, with the key that says what they mean',
      { kind: 'began', connection: 'crm', rest: { ...rest, cause: 'not-understood', integration: 'groups' } },
      'not understood',
      [...lines, 'target.success says what an answer means'],
    ],
    [
      'that ended, of answers that are understood again',
      { kind: 'ended', connection: 'crm', rest: { ...rest, cause: 'not-understood', why: '' }, endedMs: 0 },
      'are understood again',
      ['connection crm', since, 'until 终于 1970-01-01T00:00:00.000Z'],
    ],
    [
      'for a refused login, with what to check',
      { kind: 'began', connection: 'crm', rest: { ...rest, cause: 'refused' } },
      'refuses login or signature',
      [...lines, 'check the credentials, the signature and the clock; the next run tries again'],
    ],
    [
      'that ended, of a refused login',
      { kind: 'ended', connection: 'crm', rest: { ...rest, cause: 'refused' }, endedMs: 0 },
      'lets us in again',
      [...lines, 'until 终于 1970-01-01T00:00:00.000Z'],
    ],
  ])('%s', (_, news, title, said) => {
    const notice = restNoticeOf(news);
    expect(notice.title).toContain(title);
    expect(notice.lines).toEqual(said);
    expect(notice.rest).toMatchObject({ connection: 'crm', failedProbes: 2 });
    expect(JSON.stringify(notice.rest)).not.toContain('runs');
  });
});
