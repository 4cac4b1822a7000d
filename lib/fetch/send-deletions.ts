import type { LoadPolicy } from '../idcheck/decide.ts';
import type { IdCheck } from '../idcheck/item.ts';
import { tombstoneHash } from '../idcheck/tombstone.ts';
import { writeMessage } from '../messages/record-message.ts';
import { noLoadCounts } from '../runs/books.ts';
import { addWarnings, type RunRecord } from '../runs/record.ts';
import { MAX_MESSAGE_BYTES } from './dispatch.ts';
import { sendBodies } from './dispatch-page.ts';
import type { RunWork } from './run-work.ts';

/** Ids whose deletions go together: read in one piece, written into one ledger chunk. */
const PART_IDS = 1_000;

type Deletion = { id: string; hash: string; body: string };

/** Whether the target has the record and is still to be told that it is gone. */
const isToBeDeleted = ({ loaded, trouble }: IdCheck, hash: string, { onUncertain }: LoadPolicy): boolean => {
  if (loaded === undefined) return false;
  // As with contents: what the target refused, or what a person must decide on, is not sent again by itself.
  if (trouble?.kind === 'rejected' && trouble.hash === hash) return false;
  return !(trouble?.kind === 'parked' && onUncertain === 'park');
};

/** The messages for ids that vanished, by a strongly consistent look at each. */
const deletionsOf = async (
  ids: readonly string[],
  run: RunRecord,
  { fetching, deps }: RunWork,
): Promise<{ deletions: Deletion[]; refused: { id: string; reason: string }[] }> => {
  const { integration, runId, versionMs } = run;
  const items = await deps.idStore.read(integration, ids);
  const deletions: Deletion[] = [];
  const refused: { id: string; reason: string }[] = [];
  for (const id of ids) {
    const item = items.get(id);
    const hash = tombstoneHash(item?.loaded?.versionMs ?? 0);
    if (item === undefined || !isToBeDeleted(item, hash, fetching.policy)) continue;
    const mapped = fetching.deletion?.bodyOf(id) ?? { reason: 'deletion is not configured' };
    if ('reason' in mapped) {
      refused.push({ id, reason: mapped.reason });
      continue;
    }
    const firstSentMs = deps.clock.nowMs();
    const message = { v: 1 as const, integration, runId, id, hash, versionMs, attempts: 0, deferrals: 0, firstSentMs };
    const body = writeMessage({ ...message, body: mapped.body });
    if (Buffer.byteLength(body) > MAX_MESSAGE_BYTES) refused.push({ id, reason: 'too large for the queue' });
    else deletions.push({ id, hash, body });
  }
  return { deletions, refused };
};

/**
 * Sends the deletions of the ids that vanished, part by part; ledger and checkpoint move with them, and what an
 * earlier invocation of the run has sent is left out. `done`: all are sent.
 */
export const sendDeletions = async (
  begun: RunRecord,
  ids: readonly string[],
  work: RunWork,
  isTimeUp: () => boolean,
): Promise<{ run: RunRecord; done: boolean }> => {
  const { deps, deletionsSent } = work;
  const open = ids.filter((id) => !deletionsSent.has(id));
  let run = begun;
  for (let from = 0; from < open.length; from += PART_IDS) {
    if (from > 0 && isTimeUp()) return { run, done: false };
    const { deletions, refused } = await deletionsOf(open.slice(from, from + PART_IDS), run, work);
    await sendBodies(
      deletions.map(({ body }) => body),
      deps.records,
    );
    const { integration, runId, versionMs } = run;
    const checkpoint = run.checkpoint ?? { page: {}, chunks: 0, fetched: 0 };
    const index = checkpoint.chunks + 1;
    await deps.runs.saveChunk(integration, {
      runId,
      index,
      versionMs,
      entries: [],
      deletions: deletions.map(({ id, hash }) => ({ id, hash })),
      memory: [],
    });
    const before = run.deletions ?? { enqueued: 0, ...noLoadCounts() };
    const warnings = refused.map(({ id, reason }) => ({
      code: 'deletion-invalid',
      count: 1,
      message: `${id} is not deleted: ${reason}`,
    }));
    run = {
      ...run,
      deletions: { ...before, enqueued: before.enqueued + deletions.length },
      warnings: addWarnings(run.warnings, warnings),
      checkpoint: { ...checkpoint, chunks: index },
    };
    await deps.runs.saveRun(run);
    deps.log.info('deletions-sent', { integration, runId, deletions: deletions.length });
  }
  return { run, done: true };
};
