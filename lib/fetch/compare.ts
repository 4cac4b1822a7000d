import { classify, skipReason } from '../idcheck/classify.ts';
import type { LoadPolicy } from '../idcheck/decide.ts';
import type { Known } from '../idcheck/known.ts';
import { writeMessage } from '../messages/record-message.ts';
import type { LedgerEntry } from '../runs/ledger.ts';
import type { UnfinishedRun } from '../runs/record.ts';
import type { SentBefore } from '../runs/sent-before.ts';
import { defined } from '../runtime/defined.ts';
import type { Prepared } from '../transform/transform.ts';
import type { Taking } from './taking.ts';

/** A record that is clean and mapped. */
export type Ready = Extract<Prepared, { outcome: 'ready' }>;

/** A record that is to be loaded: the text of its message, and what the message will do. */
export type ToLoad = {
  as: 'create' | 'overwrite';
  message: string;
  record: Ready;
  /** Another message of this id waits in the ledger of an earlier run, and must not be sent any more. */
  takesOver: boolean;
};

/** What a comparison came to: the ledger's entry, and what is to be done. */
export type Compared = {
  entry: LedgerEntry;
  toLoad?: ToLoad;
  /** Waits because of what was asked of the run. */
  isLeftOut?: true;
};

/** What the messages of one run have in common; `connection`: the one that they go over. */
export type RunFacts = Pick<
  UnfinishedRun,
  'integration' | 'runId' | 'versionMs' | 'fullRefresh' | 'generation' | 'ends'
> & { connection: string };

/** SQS takes 1 MiB (Amazon SQS quotas, message size); a put-off copy of the message grows by its last failure. */
export const MAX_MESSAGE_BYTES = 1_048_576 - 8_192;

/** Whether somebody asked for this record to be sent now, whatever is on its way. */
const isMeantAnew = (fullRefresh: boolean, taking: Taking, id: string): boolean => fullRefresh || taking.names(id);

/**
 * Compares a record with what idCheck knows of its id: the ledger's entry and, where the two differ, the message. Pure
 * but for `known`, which strikes the id off.
 */
export const compare = (
  record: Ready,
  known: Known,
  policy: LoadPolicy,
  { integration, runId, versionMs, fullRefresh, generation, ends, connection }: RunFacts,
  nowMs: number,
  taking: Taking,
  sentBefore: SentBefore,
): Compared => {
  const { id, hash, number, body, parentId } = record;
  const item = known.take(id);
  const refusedParentId = parentId !== undefined && known.isInTheWay(parentId) ? parentId : undefined;
  const classified = classify(item, hash, policy, fullRefresh, refusedParentId);
  if (classified.outcome === 'unchanged') return { entry: { id, outcome: 'unchanged' } };
  if (classified.outcome === 'skipped') {
    const { skip } = classified;
    const forItsParent = skip.why === 'parent-rejected' ? { parentId: skip.parentId } : {};
    return { entry: { id, outcome: 'skipped', reason: skipReason(skip), hash, ...forItsParent } };
  }
  const behind = isMeantAnew(fullRefresh, taking, id) ? undefined : sentBefore.entryOf(id, hash, item);
  if (behind !== undefined) return { entry: { id, outcome: 'waiting', hash, behind } };
  const reason = taking.leavesOut(record, known.isLoaded);
  if (reason !== undefined) return { entry: { id, outcome: 'waiting', reason }, isLeftOut: true };
  const message = writeMessage({
    v: 1,
    integration,
    runId,
    id,
    ...defined({ number }),
    hash,
    versionMs,
    body,
    attempts: 0,
    deferrals: 0,
    firstSentMs: nowMs,
    connection,
    ...(fullRefresh && { refresh: true }),
    ...defined({ parentId, target: ends?.target, generation }),
  });
  const sizeBytes = Buffer.byteLength(message);
  if (sizeBytes > MAX_MESSAGE_BYTES) {
    const reason = `too large for the queue: ${sizeBytes} bytes, ${MAX_MESSAGE_BYTES} at most`;
    return { entry: { id, outcome: 'invalid', reason } };
  }
  return {
    entry: { id, outcome: 'enqueued', hash },
    toLoad: { as: classified.as, message, record, takesOver: sentBefore.waits(id) },
  };
};
