import { classify, skipReason } from '../idcheck/classify.ts';
import type { IdStore } from '../idcheck/store.ts';
import type { JsonObject } from '../json/json.ts';
import { addWarnings, type RunWarning } from '../runs/record.ts';
import type { Watermarks } from '../runs/store.ts';
import type { Clock, RemainingMs } from '../runtime/clock.ts';
import type { Prepared } from '../transform/transform.ts';
import { judgeHeld } from '../transform/tree.ts';
import type { Fetching } from './fetching.ts';
import type { Held } from './held.ts';
import { settled } from './judge-held.ts';
import { holdBack, isThere, type Places } from './places.ts';
import { openKnown } from './run-work.ts';
import { concludeVanished } from './vanished.ts';
import { windowOf } from './window.ts';

/** What a run would do with a record. */
export type Planned = 'create' | 'overwrite' | 'unchanged' | 'skip' | 'filter' | 'merge' | 'reject';

type PlannedRecord = {
  id: string;
  planned: Planned;
  reason?: string;
  /** The record before mapping: filtered and cleaned. */
  before?: JsonObject;
  /** The body that the target would get. */
  body?: JsonObject;
};

export type Plan = {
  counts: Record<Planned, number> & { fetched: number };
  /** Loaded before and absent now. */
  vanished: string[];
  /** The first records of each kind, in the order of the source; unchanged ones only where they are asked for. */
  sample: PlannedRecord[];
  requests: number;
  warnings: RunWarning[];
  /** Why the snapshot could not be read to its end. */
  failure?: { code: string; message: string };
};

const plannedOf = { filtered: 'filter', invalid: 'reject', merged: 'merge' } as const;

const emptyPlan = (): Plan => ({
  counts: { fetched: 0, create: 0, overwrite: 0, unchanged: 0, skip: 0, filter: 0, merge: 0, reject: 0 },
  vanished: [],
  sample: [],
  requests: 0,
  warnings: [],
});

/**
 * What the next run would do, by the same steps as the run itself: the pages are read, cleaned, mapped and compared
 * with idCheck. Nothing is sent and nothing is written, but for the token and the rate limit that reading takes.
 */
export const plan = async (
  fetching: Fetching,
  { idStore, watermarks, clock }: { idStore: IdStore; watermarks?: Watermarks; clock: Clock },
  options: { fullRefresh: boolean; samplePerKind: number; showsUnchanged?: boolean },
  remainingMs: RemainingMs,
): Promise<Plan> => {
  const { integration, policy, source, transform, tree } = fetching;
  const nowMs = clock.nowMs();
  const deadlineMs = nowMs + remainingMs();
  const watermarkMs = await watermarks?.watermark(integration);
  const window = fetching.window && windowOf(fetching.window, watermarkMs, options.fullRefresh, nowMs);
  const known = await openKnown(idStore, fetching, window !== undefined);
  const snapshot = transform.begin();
  const places: Places = { known, snapshot, heldParents: new Map(), leftOutButLoaded: new Set() };
  const held: Held[] = [];
  const result = emptyPlan();
  const note = (record: PlannedRecord) => {
    result.counts[record.planned] += 1;
    const isShown = record.planned !== 'unchanged' || options.showsUnchanged;
    if (isShown && result.counts[record.planned] <= options.samplePerKind) result.sample.push(record);
  };
  const noteOne = (one: Prepared) => {
    const { id } = one;
    if (one.outcome !== 'ready' && tree !== undefined && known.isLoaded(id)) places.leftOutButLoaded.add(id);
    // A repeat of a record that is held back must not strike its id off.
    const item = one.outcome !== 'ready' && places.heldParents.has(id) ? undefined : known.take(id);
    if (one.outcome !== 'ready') return note({ id, planned: plannedOf[one.outcome], reason: one.reason });
    const parentInTheWay = one.parentId !== undefined && known.isInTheWay(one.parentId) ? one.parentId : undefined;
    const classified = classify(item, one.hash, policy, options.fullRefresh, parentInTheWay);
    if (classified.outcome === 'unchanged') return note({ id, planned: 'unchanged' });
    if (classified.outcome === 'skipped') return note({ id, planned: 'skip', reason: skipReason(classified.skip) });
    const before = one.record === undefined ? {} : { before: one.record };
    return note({ id, planned: classified.as, ...before, body: one.body });
  };
  /** Records of the source so far; one may stand for several here. */
  let raw = 0;
  let at: Parameters<Fetching['source']['readPage']>[0];
  const context = { nowMs: window?.toMs ?? nowMs, lastSyncMs: window?.fromMs ?? nowMs };
  for (;;) {
    const page = await source.readPage(at, deadlineMs, context);
    result.requests += page.requests;
    result.warnings = addWarnings(result.warnings, page.warnings);
    if (page.kind === 'later') {
      result.failure = { code: 'no-time', message: 'the source allows no further request in time' };
      return result;
    }
    if (page.kind === 'failed') {
      result.failure = { code: page.code, message: page.message };
      return result;
    }
    const before = raw;
    raw += page.records.length;
    const { prepared } = snapshot.prepare(page.records, (index) => `record ${before + index + 1}`);
    result.counts.fetched += prepared.length;
    await known.prepare(prepared.flatMap((one) => ('parentId' in one ? [one.id, one.parentId] : [one.id])));
    const holds = holdBack(prepared, places, tree);
    for (const one of prepared) {
      if (holds(one)) held.push(one);
      else noteOne(one);
    }
    if (page.next === undefined) break;
    at = page.next;
  }
  if (tree !== undefined) {
    const verdictOn = judgeHeld(places.heldParents, (id) => isThere(places, id), tree);
    const verdicts = held.map((one) => verdictOn(one.id));
    for (const [index, one] of held.entries()) noteOne(settled(one, verdicts[index] ?? { kind: 'waits' }));
  }
  const absent = [...known.vanished()];
  const isClear = concludeVanished(absent.length, known.loadedCount, result.warnings, {
    action: 'report',
    maxShare: 0,
  });
  result.vanished = isClear.vanished > 0 ? absent : [];
  return result;
};
