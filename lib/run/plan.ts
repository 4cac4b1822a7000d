import { classify } from '../dispatch/classify.ts';
import { type Known, readKnown } from '../dispatch/known.ts';
import type { IdStore } from '../idcheck/store.ts';
import type { JsonObject } from '../json/json.ts';
import type { Clock, RemainingMs } from '../runtime/clock.ts';
import type { Fetching } from './fetch-run.ts';
import type { RunWarning } from './record.ts';

/** What a run would do with a record. */
export type Planned = 'create' | 'overwrite' | 'unchanged' | 'skip' | 'filter' | 'merge' | 'reject';

export type PlannedRecord = { id: string; planned: Planned; reason?: string; body?: JsonObject };

export type Plan = {
  counts: Record<Planned, number> & { fetched: number };
  /** Loaded before and absent now. */
  vanished: string[];
  /** The first records of each kind that differ from `unchanged`. */
  sample: PlannedRecord[];
  requests: number;
  warnings: RunWarning[];
  /** Why the snapshot could not be read to its end. */
  failure?: { code: string; message: string };
};

const plannedOf = { filtered: 'filter', invalid: 'reject', merged: 'merge' } as const;

/**
 * What the next run would do, by the same steps as the run itself: the pages are read, cleaned, mapped and compared
 * with idCheck. Nothing is sent and nothing is written, but for the token and the rate limit that reading takes.
 */
export const plan = async (
  fetching: Fetching,
  { idStore, clock }: { idStore: IdStore; clock: Clock },
  options: { fullRefresh: boolean; samplePerKind: number },
  remainingMs: RemainingMs,
): Promise<Plan> => {
  const deadlineMs = clock.nowMs() + remainingMs();
  const known: Known = await readKnown(idStore, fetching.integration);
  const snapshot = fetching.transform.begin();
  const result: Plan = {
    counts: { fetched: 0, create: 0, overwrite: 0, unchanged: 0, skip: 0, filter: 0, merge: 0, reject: 0 },
    vanished: [],
    sample: [],
    requests: 0,
    warnings: [],
  };
  const note = (record: PlannedRecord) => {
    result.counts[record.planned] += 1;
    if (record.planned !== 'unchanged' && result.counts[record.planned] <= options.samplePerKind) {
      result.sample.push(record);
    }
  };
  let at: Parameters<Fetching['source']['readPage']>[0];
  for (;;) {
    const page = await fetching.source.readPage(at, deadlineMs);
    result.requests += page.requests;
    result.warnings.push(...page.warnings);
    if (page.kind === 'later') {
      result.failure = { code: 'no-time', message: 'the source allows no further request in time' };
      return result;
    }
    if (page.kind === 'failed') {
      result.failure = { code: page.code, message: page.message };
      return result;
    }
    const before = result.counts.fetched;
    result.counts.fetched += page.records.length;
    for (const one of snapshot.prepare(page.records, (index) => `record ${before + index + 1}`).prepared) {
      const item = known.take(one.id);
      if (one.outcome !== 'ready') {
        note({ id: one.id, planned: plannedOf[one.outcome], reason: one.reason });
        continue;
      }
      const classified = classify(item, one.hash, fetching.policy, options.fullRefresh);
      if (classified.outcome === 'unchanged') note({ id: one.id, planned: 'unchanged' });
      else if (classified.outcome === 'skipped') note({ id: one.id, planned: 'skip', reason: classified.reason });
      else note({ id: one.id, planned: classified.as, body: one.body });
    }
    if (page.next === undefined) break;
    at = page.next;
  }
  result.vanished = [...known.vanished()];
  return result;
};
