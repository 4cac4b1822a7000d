import { isLeftToPerson, type LoadPolicy } from '../idcheck/decide.ts';
import { tombstoneHash } from '../idcheck/hash.ts';
import { type IdCheck, type IdStore, stateOf } from '../idcheck/item.ts';
import { writeMessage } from '../messages/record-message.ts';
import { noLoadCounts } from '../runs/books.ts';
import { addWarnings, type UnfinishedRun } from '../runs/record.ts';
import { defined } from '../runtime/defined.ts';
import type { FetchTuning } from '../runtime/tuning.ts';
import { MAX_MESSAGE_BYTES } from './compare.ts';
import { emptyPart } from './pass.ts';
import { type FetchWork, REFUSED_BY_QUEUE } from './sink.ts';

type Deletion = { id: string; hash: string; body: string };

/** Whether the target has the record and is still to be told that it is gone. */
const isToBeDeleted = (item: IdCheck, hash: string, policy: LoadPolicy): boolean => {
  const { loaded, trouble } = item;
  if (loaded === undefined) return false;
  // As with contents: what the target refused, or what a person must decide on, is not sent again by itself.
  if (trouble?.kind === 'rejected' && trouble.hash === hash) return false;
  return !isLeftToPerson(item, hash, policy);
};

/** The messages for ids that vanished, by a strongly consistent look at each. */
const deletionsOf = async (
  ids: readonly string[],
  run: UnfinishedRun,
  { plan, clock, pass }: FetchWork,
  idStore: IdStore,
): Promise<{ deletions: Deletion[]; refused: { id: string; reason: string }[] }> => {
  const { integration, runId, versionMs, ends, generation } = run;
  const items = await idStore.read(stateOf(run), ids);
  const deletions: Deletion[] = [];
  const refused: { id: string; reason: string }[] = [];
  for (const id of ids) {
    const item = items.get(id);
    const hash = tombstoneHash(item?.loaded?.versionMs ?? 0);
    if (item === undefined || !isToBeDeleted(item, hash, plan.policy)) continue;
    if (pass.sentBefore.entryOf(id, hash, item) !== undefined) continue;
    const mapped = plan.deletion?.bodyOf(id) ?? { reason: 'deletion is not configured' };
    if ('reason' in mapped) {
      refused.push({ id, reason: mapped.reason });
      continue;
    }
    const firstSentMs = clock.nowMs();
    const message = { v: 1 as const, integration, runId, id, hash, versionMs, attempts: 0, deferrals: 0, firstSentMs };
    const body = writeMessage({
      ...message,
      body: mapped.body,
      connection: plan.target,
      ...defined({ target: ends?.target, generation }),
    });
    if (Buffer.byteLength(body) > MAX_MESSAGE_BYTES) refused.push({ id, reason: 'too large for the queue' });
    else deletions.push({ id, hash, body });
  }
  return { deletions, refused };
};

/** Ids whose deletions go into one ledger chunk together. */
function* inParts(ids: readonly string[], sizes: Pick<FetchTuning, 'deletionPart' | 'chunkTextBytes'>) {
  let part: string[] = [];
  let textBytes = 0;
  for (const id of ids) {
    const sizeBytes = Buffer.byteLength(id);
    if (part.length > 0 && (part.length >= sizes.deletionPart || textBytes + sizeBytes > sizes.chunkTextBytes)) {
      yield part;
      part = [];
      textBytes = 0;
    }
    part.push(id);
    textBytes += sizeBytes;
  }
  if (part.length > 0) yield part;
}

/**
 * Sends the deletions of the ids that vanished, part by part; ledger and checkpoint move with them. What an earlier
 * invocation of the run has sent is not sent again. `done`: all are sent.
 */
export const sendDeletions = async (
  begun: UnfinishedRun,
  ids: readonly string[],
  work: FetchWork,
  idStore: IdStore,
): Promise<{ run: UnfinishedRun; done: boolean }> => {
  const { pass, sink, time, log } = work;
  const open = ids.filter((id) => !pass.deletionsSent.has(id));
  let run = begun;
  for (const part of inParts(open, work.tuning)) {
    if (run !== begun && time.isUp()) return { run, done: false };
    const { deletions: wanted, refused } = await deletionsOf(part, run, work, idStore);
    const bodies = wanted.map(({ body }) => body);
    const takenIds = wanted.map(({ id }) => id).filter(pass.sentBefore.waits);
    const { refused: notTaken, unsent } = await sink.send(run, bodies, takenIds);
    const deletions = wanted.filter((_, place) => !notTaken.has(place));
    for (const { id } of wanted.filter((_, place) => notTaken.has(place)))
      refused.push({ id, reason: REFUSED_BY_QUEUE });
    const checkpoint = run.checkpoint ?? { page: {}, chunks: 0, fetched: 0 };
    const index = checkpoint.chunks + 1;
    await sink.write(run, index, {
      ...emptyPart(),
      ...defined({ unsent }),
      deletions: deletions.map(({ id, hash }) => ({ id, hash })),
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
    await sink.save(run);
    log.info('deletions-sent', { integration: run.integration, runId: run.runId, deletions: deletions.length });
  }
  return { run, done: true };
};
