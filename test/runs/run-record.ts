import { noExtractCounts, noLoadCounts } from '../../lib/runs/books.ts';
import type { RunRecord } from '../../lib/runs/record.ts';
import { runIdOf } from '../../lib/runs/record.ts';

const STARTED_MS = Date.UTC(2026, 0, 5);

/** A run that has read its snapshot and waits for its records to be loaded. */
export const loadingRun: RunRecord = {
  runId: runIdOf('groups', STARTED_MS),
  integration: 'groups',
  status: 'loading',
  scheduledMs: STARTED_MS,
  startedMs: STARTED_MS,
  versionMs: STARTED_MS,
  fullRefresh: false,
  extractedMs: STARTED_MS + 1_000,
  chunks: 1,
  counts: { ...noExtractCounts(), ...noLoadCounts() },
  requests: { source: 1, target: 0 },
  vanished: 0,
  vanishedSample: [],
  warnings: [],
};
