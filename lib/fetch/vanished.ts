import { isLeftToPerson, type LoadPolicy } from '../idcheck/decide.ts';
import type { IdCheck } from '../idcheck/item.ts';
import type { IdStore } from '../idcheck/store.ts';
import { tombstoneHash } from '../idcheck/tombstone.ts';
import { writeMessage } from '../messages/record-message.ts';
import { noLoadCounts } from '../runs/books.ts';
import { addWarnings, type RunWarning, type UnfinishedRun } from '../runs/record.ts';
import type { Log } from '../runtime/log.ts';
import { doubtfulCodes } from '../source/paging-step.ts';
import { MAX_MESSAGE_BYTES } from './compare.ts';
import type { FetchEvent } from './events.ts';
import type { FetchPlan } from './fetch-plan.ts';
import { emptyPart } from './pass.ts';
import { type FetchWork, REFUSED_BY_QUEUE } from './sink.ts';

/** What follows from ids that were loaded before and are absent now. */
export type Conclusion = {
  /** How many have vanished: 0 where nothing follows from an absence. */
  vanished: number;
  /** Whether the deletion endpoint is told. */
  deletes: boolean;
  warnings: RunWarning[];
};

/**
 * Concludes from `absent` ids, out of `loadedCount` that had been loaded. Only a snapshot without doubt shows what
 * vanished, and where a larger share than `maxShare` did, something is wrong with the source rather than with the
 * records: nothing is deleted. Pure.
 */
export const concludeVanished = (
  absent: number,
  loadedCount: number,
  warnings: readonly RunWarning[],
  { action, maxShare }: { action: 'report' | 'post'; maxShare: number },
): Conclusion => {
  if (absent === 0) return { vanished: 0, deletes: false, warnings: [] };
  const doubt = warnings.find(({ code }) => doubtfulCodes.has(code));
  if (doubt !== undefined) {
    const message = `${absent} ids are absent, but the snapshot may lack records (${doubt.code}): nothing follows`;
    return { vanished: 0, deletes: false, warnings: [{ code: 'vanished-unclear', count: 1, message }] };
  }
  if (action === 'report') return { vanished: absent, deletes: false, warnings: [] };
  if (absent > maxShare * loadedCount) {
    const share = `${absent} of ${loadedCount} ids vanished, more than the share of ${maxShare}`;
    const message = `${share}: nothing is deleted. Raise vanished.maxShare for one run if this is right`;
    return { vanished: absent, deletes: false, warnings: [{ code: 'vanished-guard', count: 1, message }] };
  }
  return { vanished: absent, deletes: true, warnings: [] };
};

const VANISHED_SAMPLE = 20;

/** Names what vanished, once for the run: deletions that are under way must not change the share. */
export const noteVanished = (
  run: UnfinishedRun,
  absent: readonly string[],
  loadedCount: number,
  { deletion }: FetchPlan,
  log: Log<FetchEvent>,
): UnfinishedRun => {
  if (run.deletions !== undefined) return run;
  const rule =
    deletion === undefined
      ? { action: 'report' as const, maxShare: 0 }
      : { action: 'post' as const, maxShare: deletion.maxShare };
  const { vanished, deletes, warnings } = concludeVanished(absent.length, loadedCount, run.warnings, rule);
  const { integration, runId } = run;
  for (const { code, message } of warnings) log.warn('vanished-warning', { integration, runId, code, words: message });
  return {
    ...run,
    vanished,
    vanishedSample: vanished === 0 ? [] : absent.slice(0, VANISHED_SAMPLE),
    warnings: addWarnings(run.warnings, warnings),
    ...(deletes && { deletions: { enqueued: 0, ...noLoadCounts() } }),
  };
};

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
  { plan, clock }: FetchWork,
  idStore: IdStore,
): Promise<{ deletions: Deletion[]; refused: { id: string; reason: string }[] }> => {
  const { integration, runId, versionMs } = run;
  const items = await idStore.read(integration, ids);
  const deletions: Deletion[] = [];
  const refused: { id: string; reason: string }[] = [];
  for (const id of ids) {
    const item = items.get(id);
    const hash = tombstoneHash(item?.loaded?.versionMs ?? 0);
    if (item === undefined || !isToBeDeleted(item, hash, plan.policy)) continue;
    const mapped = plan.deletion?.bodyOf(id) ?? { reason: 'deletion is not configured' };
    if ('reason' in mapped) {
      refused.push({ id, reason: mapped.reason });
      continue;
    }
    const firstSentMs = clock.nowMs();
    const message = { v: 1 as const, integration, runId, id, hash, versionMs, attempts: 0, deferrals: 0, firstSentMs };
    const body = writeMessage({ ...message, body: mapped.body });
    if (Buffer.byteLength(body) > MAX_MESSAGE_BYTES) refused.push({ id, reason: 'too large for the queue' });
    else deletions.push({ id, hash, body });
  }
  return { deletions, refused };
};

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
  const { deletionPart } = work.tuning;
  const open = ids.filter((id) => !pass.deletionsSent.has(id));
  let run = begun;
  for (let from = 0; from < open.length; from += deletionPart) {
    if (from > 0 && time.isUp()) return { run, done: false };
    const { deletions: wanted, refused } = await deletionsOf(open.slice(from, from + deletionPart), run, work, idStore);
    const notTaken = await sink.send(wanted.map(({ body }) => body));
    const deletions = wanted.filter((_, place) => !notTaken.has(place));
    for (const { id } of wanted.filter((_, place) => notTaken.has(place)))
      refused.push({ id, reason: REFUSED_BY_QUEUE });
    const checkpoint = run.checkpoint ?? { page: {}, chunks: 0, fetched: 0 };
    const index = checkpoint.chunks + 1;
    await sink.write(run, index, { ...emptyPart(), deletions: deletions.map(({ id, hash }) => ({ id, hash })) });
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
