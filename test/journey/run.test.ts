import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { builtInFacts } from '../../local/sandbox/sandbox.ts';
import { type Ended, newDir, nonZero, program, type Report, runJson } from './program.ts';

const dataDir = newDir();

/** What the sandbox's targets hold, and how often each record was applied. */
const storedTimes = (dir: string, target: string): Map<string, number> => {
  const times = new Map<string, number>();
  for (const line of readFileSync(join(dir, 'sandbox-target.jsonl'), 'utf8').split('\n').filter(Boolean)) {
    const application = JSON.parse(line) as { target: string; rows: { id: string }[] };
    if (application.target !== target) continue;
    for (const { id } of application.rows) times.set(id, (times.get(id) ?? 0) + 1);
  }
  return times;
};

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
    const times = storedTimes(dataDir, 'qingyiyun');
    expect(times.size).toBe(builtInFacts.clean);
    expect(new Set(times.values())).toEqual(new Set([1]));
  });

  test('the report proposes commands that work on this data directory', () => {
    const proposed = [...first.stdout.matchAll(/npm start(?: --)?(.*?) +#/g)].map(([, words = '']) => words.trim());
    expect(proposed).toContain(`--data-dir ${dataDir}`);
    expect(proposed).toContain(`--integration okki-product-groups-to-crm --data-dir ${dataDir}`);
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
    const times = storedTimes(dataDir, 'crm');
    expect(times.size).toBe(report.counts.loaded);
    expect(new Set(times.values())).toEqual(new Set([1]));
  });
});

test('the group that the report proposes to have refused is one of the built-in ones', {
  timeout: 90_000,
}, async () => {
  const dir = newDir();
  const { report, code } = await runJson(['--data-dir', dir, '--fault', 'target-refuse:ids=5203300118']);
  expect(report.counts.rejected).toBe(1);
  expect(report.deadLetters).toBe(1);
  expect(report.balanced).toBe(true);
  expect(code).toBe(1);
});
