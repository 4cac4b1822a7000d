import { describe, expect, test } from 'vitest';
import { UsageError } from '../../cli/exit-code.ts';
import { findRun, integrationsMeant, recentRuns, stampOf } from '../../cli/find-run.ts';
import type { RunRecord } from '../../lib/runs/record.ts';
import { runIdOf } from '../../lib/runs/record.ts';
import { memoryRunStore } from '../fakes/memory-run-store.ts';
import { loadingRun } from '../runs/run-record.ts';

const integrations = integrationsMeant(undefined);
const [CRM = '', QINGYIYUN = ''] = integrations.map(({ name }) => name);
const at = (integration: string, hour: number): RunRecord => {
  const startedMs = Date.UTC(2026, 0, 5, hour);
  return { ...loadingRun, integration, runId: runIdOf(integration, startedMs), startedMs };
};
const stored = [at(CRM, 8), at(QINGYIYUN, 9), at(CRM, 10), at('elsewhere', 11)];

const store = async () => {
  const runs = memoryRunStore();
  for (const run of stored) await runs.saveRun(run);
  return runs;
};

test('recent runs of several integrations come newest first', async () => {
  const found = await recentRuns(await store(), integrations, 2);
  expect(found.map(({ runId }) => runId)).toEqual([stored[2]?.runId, stored[1]?.runId]);
});

describe('a run is found by', () => {
  test.each([
    ['last', 'last', stored[2]],
    ['its id', stored[0]?.runId ?? '', stored[0]],
    ['the beginning of its id', `${QINGYIYUN}-2026`, stored[1]],
    ['its time', '20260105T080000Z', stored[0]],
    ['the beginning of its time', '20260105T09', stored[1]],
    ['its id, although its integration has no file here', stored[3]?.runId ?? '', stored[3]],
  ])('%s', async (_, word, expected) => {
    expect((await findRun(await store(), integrations, word)).runId).toBe(expected?.runId);
  });
});

describe('there is no such run:', () => {
  test.each([
    ['nothing begins so', '2027'],
    ['more than one begins so', '20260105'],
  ])('%s', async (_, word) => {
    await expect(findRun(await store(), integrations, word)).rejects.toThrow(UsageError);
  });

  test('there is none at all', async () => {
    await expect(findRun(memoryRunStore(), integrations, 'last')).rejects.toThrow(UsageError);
  });
});

test('the stamp of a run is what its id adds to its integration', () => {
  expect(stampOf(at(CRM, 8))).toBe('20260105T080000Z');
});
