import { beforeAll, describe, expect, test } from 'vitest';
import { builtInFacts } from '../../local/sandbox/sandbox.ts';
import { type Ended, newDir, nonZero, program, type Report, runJson } from './program.ts';
import { appliedTimes } from './sandbox-store.ts';

const dataDir = newDir();

describe('the built-in data, from a fresh data directory', () => {
  let first: Ended;
  let second: Ended & { report: Report };
  let crm: Ended & { report: Report };

  beforeAll(async () => {
    first = await program(['--data-dir', dataDir]);
    second = await runJson(['--data-dir', dataDir]);
    crm = await runJson(['--data-dir', dataDir, '--integration', 'okki-product-groups-to-crm']);
  }, 120_000);

  test('the first run loads every clean group once and says so', () => {
    expect(first.stderr + first.stdout).toMatch(new RegExp(`${builtInFacts.clean}\\s+loaded`));
    expect(first.code).toBe(0);
    expect(first.stdout).toContain('Books balance, nothing is waiting');
    const times = appliedTimes(dataDir, 'qingyiyun');
    expect(times.size).toBe(builtInFacts.clean);
    expect(new Set(times.values())).toEqual(new Set([1]));
  });

  test('the report proposes commands that work on this data directory', () => {
    const proposed = [...first.stdout.matchAll(/npm start(?: --)?(.*?) +#/g)].map(([, words = '']) => words.trim());
    expect(proposed).toContain(`--data-dir ${dataDir}`);
    expect(proposed).toContain(`--integration okki-product-groups-to-crm --data-dir ${dataDir}`);
  });

  test('the group that the report proposes to have refused is one of the built-in ones', () => {
    const proposed = /--fault target-refuse:ids=(\d+)/.exec(first.stdout)?.[1];
    expect([...appliedTimes(dataDir, 'qingyiyun').keys()]).toContain(proposed);
  });

  test('the second run finds everything unchanged and sends nothing', () => {
    const { report, code } = second;
    expect(nonZero(report.counts)).toEqual({
      fetched: builtInFacts.records,
      filtered: builtInFacts.blankNames,
      merged: builtInFacts.repeatedIds,
      unchanged: builtInFacts.clean,
    });
    expect(report.requests.target).toBe(0);
    expect({ code, status: report.status }).toEqual({ code: 0, status: 'balanced' });
  });

  test('--json prints exactly the keys that scripts rely on', () => {
    const { report } = second;
    expect(Object.keys(report)).toEqual([
      'runId',
      'integration',
      'status',
      'counts',
      'vanished',
      'deadLetters',
      'balanced',
      'requests',
      'durationMs',
    ]);
    expect(Object.keys(report.counts)).toEqual([
      'fetched',
      'filtered',
      'invalid',
      'merged',
      'unchanged',
      'skipped',
      'waiting',
      'enqueued',
      'loaded',
      'superseded',
      'rejected',
      'uncertain',
      'open',
    ]);
    expect(Object.keys(report.requests)).toEqual(['source', 'target']);
  });

  test('the other integration loads the same groups in batches, its own idCheck beside the first one', () => {
    const { report, code } = crm;
    expect(code).toBe(0);
    expect(report.counts.loaded).toBeGreaterThan(300);
    expect(report.requests.target).toBeLessThan(report.counts.loaded / 10);
    const times = appliedTimes(dataDir, 'crm');
    expect(times.size).toBe(report.counts.loaded);
    expect(new Set(times.values())).toEqual(new Set([1]));
  });
});
