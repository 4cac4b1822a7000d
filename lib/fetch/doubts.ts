import type { Doubts, UnfinishedRun } from '../runs/record.ts';
import type { Prepared, Snapshot } from '../transform/transform.ts';

/**
 * Finds what makes a page's reading doubtful: rows without an id, and ids that came on an earlier page, since a list
 * that moves while it is read may have skipped other records. `left`: ids that were left out so far.
 */
export const findDoubts =
  (left: Set<string>) =>
  (prepared: readonly Prepared[], snapshot: Snapshot): Doubts => {
    const ready = new Set(prepared.flatMap(({ outcome, id }) => (outcome === 'ready' ? [id] : [])));
    const cameBefore = (id: string) => left.has(id) || (snapshot.has(id) && !ready.has(id));
    const leftOut = prepared.filter((one) => one.outcome !== 'ready');
    const unread = leftOut.filter(({ hasNoId }) => hasNoId === true);
    const repeated = new Set(prepared.flatMap(({ id }) => (cameBefore(id) ? [id] : [])));
    for (const { id } of leftOut) left.add(id);
    return { unreadIds: unread.length, repeatedIds: repeated.size };
  };

/** A run's doubts with those of one more page. Pure. */
export const addDoubts = (
  { doubts }: UnfinishedRun,
  { unreadIds, repeatedIds }: Doubts,
): Pick<UnfinishedRun, 'doubts'> => {
  const sum = {
    unreadIds: (doubts?.unreadIds ?? 0) + unreadIds,
    repeatedIds: (doubts?.repeatedIds ?? 0) + repeatedIds,
  };
  return sum.unreadIds + sum.repeatedIds > 0 ? { doubts: sum } : {};
};
