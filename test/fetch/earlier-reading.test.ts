import { expect, it } from 'vitest';
import { earlierRuns } from '../../lib/fetch/earlier-reading.ts';
import type { RunRecord } from '../../lib/runs/record.ts';
import { extractingRun, loadingRun } from '../runs/run-record.ts';

/** `listed` in the order of the store: by when a run was due, the newest first. */
const earlierThan = async (...listed: RunRecord[]) => {
  const runs = { runs: async (_integration: string, limit: number) => listed.slice(0, limit) };
  return await earlierRuns({ integration: 'groups', runId: 'now', startedMs: 1_000 }, runs);
};
const earlierOf = async (...listed: RunRecord[]) => (await earlierThan(...listed)).reading?.runId;

const read = (runId: string, startedMs: number) => ({
  ...loadingRun,
  runId,
  startedMs,
  extractedMs: startedMs + 50,
});

it('is the reading that ended last, whichever run was due first', async () => {
  // A run that waited for another stands further back than it reads.
  expect(await earlierOf(read('due later', 100), read('waited', 200), read('first', 0))).toBe('waited');
});

it('is none that did not come to its end, and never the run itself', async () => {
  const cutOff: RunRecord = { ...extractingRun, runId: 'cut off', startedMs: 900 };
  expect(await earlierOf(read('now', 950), cutOff, read('whole', 100))).toBe('whole');
  expect(await earlierOf(cutOff)).toBeUndefined();
});

it('is found behind many runs that did not come to their end', async () => {
  const down = Array.from({ length: 30 }, (_, index): RunRecord => ({ ...extractingRun, runId: `down ${index}` }));
  expect(await earlierOf(...down.map((run) => ({ ...run, startedMs: 500 })), read('whole', 100))).toBe('whole');
});

it('has the mapping of the last run that sent anything, whole or not', async () => {
  const cutOff: RunRecord = { ...extractingRun, runId: 'cut off', startedMs: 900, mapping: 'two' };
  const sent: RunRecord = { ...cutOff, counts: { ...cutOff.counts, enqueued: 1 } };
  const silent: RunRecord = { ...cutOff, counts: { ...cutOff.counts, enqueued: 0 } };
  const whole = { ...read('whole', 100), mapping: 'one' };
  expect((await earlierThan(sent, whole)).mapping).toBe('two');
  expect((await earlierThan(silent, whole)).mapping).toBe('one');
  expect((await earlierThan(sent)).mapping).toBe('two');
  expect((await earlierThan({ ...whole, extractedMs: 950 }, sent)).mapping).toBe('one');
  expect((await earlierThan({ ...sent, selection: { limit: 1 } }, whole)).mapping).toBe('one');
  expect((await earlierThan({ ...silent, mappingBefore: 'zero' }, whole)).mapping).toBe('zero');
});
