import { describe, expect, test } from 'vitest';
import { readIntegrations } from '../../lib/integration/read.ts';
import { findRun, listRuns, stampOf } from '../../lib/operate/runs.ts';
import type { ExtractedRun, RunRecord } from '../../lib/runs/record.ts';
import { runIdOf } from '../../lib/runs/record.ts';
import { fakeClock } from '../fakes/fake-clock.ts';
import { memoryIdStore } from '../fakes/memory-id-store.ts';
import { memoryQueue } from '../fakes/memory-queue.ts';
import { memoryRunStore } from '../fakes/memory-run-store.ts';
import { loadingRun } from '../runs/run-record.ts';

const { integrations } = readIntegrations(['integrations']);
const [CRM = '', QINGYIYUN = ''] = integrations.map(({ name }) => name);
const at = (integration: string, hour: number, changes: Partial<ExtractedRun> = {}): ExtractedRun => {
  const startedMs = Date.UTC(2026, 0, 5, hour);
  return { ...loadingRun, integration, runId: runIdOf(integration, startedMs), startedMs, ...changes };
};
const stored = [at(CRM, 8), at(QINGYIYUN, 9), at(CRM, 10), at('elsewhere', 11)];

const store = async (runs: readonly RunRecord[] = stored) => {
  const kept = memoryRunStore();
  for (const run of runs) await kept.saveRun(run);
  return kept;
};

describe('runs are listed', () => {
  const list = async (runs: readonly RunRecord[], limit = 20) => {
    const kept = await store(runs);
    const entries = [{ id: '1', outcome: 'enqueued' as const, hash: 'A' }];
    const chunk = { index: 1, versionMs: loadingRun.versionMs, entries, memory: [] };
    for (const { integration, runId, chunks } of runs) {
      if (chunks === 1) await kept.saveChunk(integration, { ...chunk, runId });
    }
    const clock = fakeClock(loadingRun.startedMs);
    const stores = { runs: kept, idStore: memoryIdStore(), records: memoryQueue(clock), clock };
    return listRuns(integrations, limit, stores);
  };

  test('newest first, of the integrations that are asked for', async () => {
    expect((await list(stored, 2)).map(({ run }) => run.runId)).toEqual([stored[2]?.runId, stored[1]?.runId]);
  });

  test.each<[string, Partial<ExtractedRun>, number]>([
    ['that is loading says what is open by now', {}, 1],
    ['that is closed says what its books say', { status: 'balanced', closedMs: 1 }, 0],
    ['whose ledger is torn says what its books say', { chunks: 2 }, 0],
  ])('and one %s', async (_, changes, open) => {
    expect((await list([at(CRM, 8, changes)])).map(({ run }) => run.counts.open)).toEqual([open]);
  });
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
    expect(await findRun(await store(), integrations, word)).toMatchObject({
      kind: 'found',
      run: { runId: expected?.runId },
    });
  });
});

test.each([
  ['nothing begins so', '2027', stored, { kind: 'unknown' }],
  [
    'more than one begins so',
    '20260105',
    stored,
    { kind: 'ambiguous', runIds: [2, 1, 0].map((index) => stored[index]?.runId) },
  ],
  ['there is none at all', 'last', [], { kind: 'no-runs' }],
])('no run is found where %s', async (_, word, runs, expected) => {
  expect(await findRun(await store(runs), integrations, word)).toEqual(expected);
});

test('the stamp of a run is what its id adds to its integration', () => {
  expect(stampOf(at(CRM, 8))).toBe('20260105T080000Z');
});
