import { isLeftToPerson, type LoadPolicy, newestVersionMs, surelyLoaded } from '../idcheck/decide.ts';
import { isTombstone } from '../idcheck/hash.ts';
import type { IdCheck, Trouble } from '../idcheck/item.ts';
import { type ExtractOutcome, extractOutcomes, type LedgerEntry } from './ledger.ts';
import type { DeletionCounts, ExtractCounts, LoadCounts, RunRecord } from './record.ts';

export const noExtractCounts = (): ExtractCounts => ({
  fetched: 0,
  filtered: 0,
  invalid: 0,
  merged: 0,
  unchanged: 0,
  skipped: 0,
  waiting: 0,
  enqueued: 0,
});

export const noLoadCounts = (): LoadCounts => ({ loaded: 0, superseded: 0, rejected: 0, uncertain: 0, open: 0 });

/** Counts a chunk's entries: each fetched record in exactly one outcome. */
export const countEntries = (entries: Iterable<LedgerEntry>): ExtractCounts => {
  const counts = noExtractCounts();
  for (const { outcome } of entries) {
    counts.fetched += 1;
    counts[outcome] += 1;
  }
  return counts;
};

export const addCounts = (a: ExtractCounts, b: ExtractCounts): ExtractCounts => {
  const sum = noExtractCounts();
  for (const key of Object.keys(sum) as Array<keyof ExtractCounts>) sum[key] = a[key] + b[key];
  return sum;
};

/** Rows without those that are repeated in the snapshot, or merged: how long the list is. Pure. */
export const differentRows = ({ fetched, merged }: Pick<ExtractCounts, 'fetched' | 'merged'>): number =>
  fetched - merged;

/** What a run sent: the evidence to hold against idCheck. `refresh`: sent although idCheck knew the content. */
export type Sent = { id: string; hash: string; versionMs: number; refresh?: boolean };

/**
 * What became of one enqueued record, by the evidence of idCheck alone. Pure and total: every record has one fate.
 *
 * - `loaded`: the target has exactly this content.
 * - `superseded`: a newer version was settled or claimed, or (idCheck: true) the id was loaded before it came.
 * - `rejected`, `uncertain`: this content ended so, and is not on its way to be sent again.
 * - `open`: nothing is known yet; under way, waiting, given up after `maxAttempts`, or lost.
 */
export const fateOf = (item: IdCheck | undefined, sent: Sent, policy: LoadPolicy): keyof LoadCounts => {
  if (item === undefined) return 'open';
  const { claim, trouble } = item;
  const loaded = isTombstone(sent.hash) ? item.deleted : surelyLoaded(item);
  if (newestVersionMs(item) > sent.versionMs) return loaded?.hash === sent.hash ? 'loaded' : 'superseded';
  if (claim !== undefined) return 'open';
  // What is parked does not hold other content up where the file says `resend`: that is still on its way.
  if (trouble?.kind === 'parked') return isLeftToPerson(item, sent.hash, policy) ? 'uncertain' : 'open';
  if (trouble?.hash === sent.hash && trouble.kind !== 'exhausted') return fateInTrouble(trouble, sent);
  if (loaded?.hash === sent.hash) {
    const isToBeSentAgain = sent.refresh === true && !policy.idCheck && loaded.versionMs < sent.versionMs;
    return isToBeSentAgain ? 'open' : 'loaded';
  }
  if (isTombstone(sent.hash)) return fateOfDeletion(item);
  if (policy.idCheck && loaded !== undefined) return 'superseded';
  return 'open';
};

/**
 * What is known of a record whose fate is open:
 *
 * - `claimed`: a worker is at it, or vanished over it.
 * - `given-up`: surely not applied after `maxAttempts`; the next run sends it again.
 * - `to-send`: a person said that it is to be sent; the next run does.
 * - `sent`: nothing since it was sent.
 */
export type OpenWhy = 'claimed' | 'given-up' | 'to-send' | 'sent';

/** Why a record that a run sent is open. Pure. */
export const openWhy = (item: IdCheck | undefined): OpenWhy => {
  if (item?.claim !== undefined) return 'claimed';
  if (item?.trouble?.kind === 'exhausted') return 'given-up';
  return item?.toSend === undefined ? 'sent' : 'to-send';
};

export const noOpen = (): Record<OpenWhy, number> => ({ claimed: 0, 'given-up': 0, 'to-send': 0, sent: 0 });

/** Of a deletion that is not on record itself: another one may have done its work, or there may be nothing to delete. */
const fateOfDeletion = ({ loaded, deleted, trouble }: IdCheck): keyof LoadCounts => {
  if (loaded !== undefined || trouble?.kind === 'uncertain') return 'open';
  return deleted === undefined ? 'superseded' : 'loaded';
};

/** Trouble from before the run is what it was sent again to mend, but for a refusal, which nothing retries by itself. */
const fateInTrouble = (trouble: Trouble, { versionMs, refresh }: Sent): keyof LoadCounts => {
  const isFromBefore = trouble.versionMs < versionMs;
  if (trouble.kind === 'rejected') {
    const isToBeSentAgain = isFromBefore && (refresh === true || trouble.parentId !== undefined);
    return isToBeSentAgain ? 'open' : 'rejected';
  }
  // Until its letter says that it was given up, it is on its way to be sent again.
  return isFromBefore || trouble.letterMs === undefined ? 'open' : 'uncertain';
};

/**
 * How many records and deletions a run has sent that its stored books do not call settled: all of them where they were
 * not drawn up yet. Pure.
 */
export const sentAndUnsettled = ({ counts, deletions }: Pick<RunRecord, 'counts' | 'deletions'>): number =>
  unsettledOf(counts) + (deletions === undefined ? 0 : unsettledOf(deletions));

const unsettledOf = ({ enqueued, loaded, superseded, rejected, uncertain }: DeletionCounts): number =>
  enqueued - loaded - superseded - rejected - uncertain;

/**
 * Whether the sums of the books hold exactly, those of deletions too, and nothing is open or waits, but for what somebody
 * left out on purpose.
 */
export const isBalanced = ({
  counts,
  deletions,
  leftOut = 0,
}: Pick<RunRecord, 'counts' | 'deletions' | 'leftOut'>): boolean =>
  holds(counts) &&
  counts.open === 0 &&
  counts.waiting === leftOut &&
  (deletions === undefined || (isWhole(deletions) && deletions.open === 0));

/** `enqueued = loaded + superseded + rejected + uncertain + open` */
const isWhole = ({ enqueued, loaded, superseded, rejected, uncertain, open }: DeletionCounts): boolean =>
  enqueued === loaded + superseded + rejected + uncertain + open;

/** `fetched = filtered + invalid + merged + unchanged + skipped + waiting + enqueued` and `enqueued = loaded + … + open`. */
export const holds = (counts: RunRecord['counts']): boolean => {
  const extracted = extractOutcomes.reduce((sum: number, outcome: ExtractOutcome) => sum + counts[outcome], 0);
  return counts.fetched === extracted && isWhole(counts);
};
