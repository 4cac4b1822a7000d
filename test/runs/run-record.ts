import { noExtractCounts, noLoadCounts } from '../../lib/runs/books.ts';
import { type ExtractedRun, runIdOf, type UnfinishedRun } from '../../lib/runs/record.ts';

const STARTED_MS = Date.UTC(2026, 0, 5);

const facts = {
  runId: runIdOf('groups', STARTED_MS),
  integration: 'groups',
  scheduledMs: STARTED_MS,
  startedMs: STARTED_MS,
  versionMs: STARTED_MS,
  fullRefresh: false,
  counts: { ...noExtractCounts(), ...noLoadCounts() },
  requests: { source: 1, target: 0 },
  vanished: 0,
  vanishedSample: [],
  warnings: [],
};

/** A run that reads its first page. */
export const extractingRun: UnfinishedRun = { ...facts, status: 'extracting' };

/** A run that has read its snapshot and waits for its records to be loaded. */
export const loadingRun: ExtractedRun = {
  ...facts,
  status: 'loading',
  extractedMs: STARTED_MS + 1_000,
  chunks: 1,
};
