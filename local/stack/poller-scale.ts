/** What decides how many pollers a queue gets. */
export type Backlog = {
  /** Messages that wait to be received. */
  visible: number;
  batchSize: number;
  /** How long a batch takes, ms: at least as long as the batches under way have taken so far. */
  batchMs: number;
  /** Batches under way. */
  busy: number;
  max: number;
};

/** Another environment is worth it only if the present ones need longer than this for the backlog. */
const TARGET_MS = 500;

/**
 * How many pollers a queue's backlog is worth, from 1 to `max`: enough to finish it in about half a second, but no more
 * than there are batches. AWS starts with five and adds more while messages wait. On one machine every environment
 * costs a cold start, so one worker keeps a backlog that it finishes before a second one has started.
 */
export function pollersFor({ visible, batchSize, batchMs, busy, max }: Backlog): number {
  const batches = Math.ceil(visible / batchSize);
  const wanted = Math.min(Math.ceil((batches * batchMs) / TARGET_MS), busy + batches);
  return Math.min(Math.max(wanted, 1), max);
}
