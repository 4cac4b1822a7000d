import { addCounts, countEntries } from '../runs/books.ts';
import type { RunRecord } from '../runs/record.ts';
import type { Prepared } from '../transform/transform.ts';
import { judgeHeld, type TreeVerdict } from '../transform/tree.ts';
import { dispatch } from './dispatch.ts';
import { sendDispatched, stampOf } from './dispatch-page.ts';
import { type Held, readHeld } from './held.ts';
import { isThere } from './places.ts';
import type { RunWork } from './run-work.ts';

/** What a held record is once it is judged. */
export const settled = (held: Held, verdict: TreeVerdict): Prepared => {
  switch (verdict.kind) {
    case 'waits':
      return held;
    case 'root': {
      const { parentId: _, ...root } = held;
      return root;
    }
    case 'rejected':
      return { outcome: 'invalid', id: held.id, reason: verdict.reason };
    default:
      return verdict satisfies never;
  }
};

/**
 * Sends the records that were held back until the end of the snapshot, or names why they cannot be placed, chunk by
 * chunk; the checkpoint moves with them. `isTimeUp` is asked after each chunk: `done` says whether all are judged.
 */
export const judgeHeldRecords = async (
  begun: RunRecord,
  work: RunWork,
  isTimeUp: () => boolean,
): Promise<{ run: RunRecord; done: boolean }> => {
  const { fetching, deps, known, heldParents } = work;
  const { tree } = fetching;
  if (tree === undefined || heldParents.size === 0) return { run: begun, done: true };
  await known.prepare([...heldParents].flat());
  const verdictOn = judgeHeld(heldParents, (id) => isThere(work, id), tree);
  // Ids are struck off while records are sent: the verdicts are all given before.
  for (const id of heldParents.keys()) verdictOn(id);
  let run = begun;
  const upTo = begun.checkpoint?.chunks ?? 0;
  for await (const { index, held = [] } of deps.runs.chunks(run.integration, run.runId, upTo)) {
    const { checkpoint } = run;
    if (checkpoint === undefined || index <= (checkpoint.judged ?? 0) || held.length === 0) continue;
    if (run !== begun && isTimeUp()) return { run, done: false };
    const stamp = stampOf(run, deps.clock.nowMs());
    const dispatched = held
      .map(readHeld)
      .map((one) => dispatch(settled(one, verdictOn(one.id)), known, fetching.policy, stamp));
    await sendDispatched(dispatched, deps.records);
    const entries = dispatched.map(({ entry }) => entry);
    const chunks = checkpoint.chunks + 1;
    const { integration, runId, versionMs } = run;
    await deps.runs.saveChunk(integration, { runId, index: chunks, versionMs, entries, memory: [] });
    const judged = countEntries(entries);
    const counts = { ...run.counts, ...addCounts(run.counts, judged) };
    run = { ...run, counts, checkpoint: { ...checkpoint, chunks, judged: index } };
    await deps.runs.saveRun(run);
    // Measured like a page: these records were left out when theirs was.
    deps.log.info('page', { integration, runId, ...judged, requests: 0 });
  }
  return { run, done: true };
};
