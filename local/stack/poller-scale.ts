/** What decides how many pollers a queue gets. */
export type Backlog = {
  /** Messages that wait to be received. */
  visible: number;
  batchSize: number;
  /** How long a batch takes, in milliseconds; at least as long as the batches under way have taken so far. */
  batchMs: number;
  /** Batches under way. */
  busy: number;
  max: number;
};

/** A backlog is worth another environment only if the present ones need longer than this for it. */
const TARGET_MS = 500;

/**
 * How many pollers a queue's backlog is worth, from 1 to `max`: enough to be through with it in about half a second,
 * and no more than there are batches. AWS starts with five and adds more while messages wait; on one machine every
 * environment costs a cold start, so a backlog that one worker ends sooner than a second one starts stays with one.
 */
export function pollersFor({ visible, batchSize, batchMs, busy, max }: Backlog): number {
  const batches = Math.ceil(visible / batchSize);
  const wanted = Math.min(Math.ceil((batches * batchMs) / TARGET_MS), busy + batches);
  return Math.min(Math.max(wanted, 1), max);
}
