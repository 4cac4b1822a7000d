import { classify, skipReason } from '../idcheck/classify.ts';
import type { LoadPolicy } from '../idcheck/decide.ts';
import type { Known } from '../idcheck/known.ts';
import { type RecordMessage, writeMessage } from '../messages/record-message.ts';
import type { LedgerEntry } from '../runs/ledger.ts';
import { defined } from '../runtime/defined.ts';
import type { Prepared } from '../transform/transform.ts';

/** What all messages of one run have in common. */
export type RunStamp = {
  integration: string;
  runId: string;
  versionMs: number;
  nowMs: number;
  fullRefresh: boolean;
};

/** SQS takes 1 MiB (Amazon SQS quotas, message size); a put-off copy of the message grows by its last failure. */
export const MAX_MESSAGE_BYTES = 1_048_576 - 8_192;

/** The ledger's word on one prepared record, and the message if it is to be loaded. */
export type Dispatched = { entry: LedgerEntry; body?: string };

/** Compares a prepared record with what is known of its id and writes its message where they differ. Pure but for `known`, which strikes the id off. */
export const dispatch = (prepared: Prepared, known: Known, policy: LoadPolicy, stamp: RunStamp): Dispatched => {
  // Whatever becomes of the record, its id is in the source: it has not vanished.
  const item = known.take(prepared.id);
  if (prepared.outcome !== 'ready') {
    return { entry: { id: prepared.id, outcome: prepared.outcome, reason: prepared.reason } };
  }
  const { id, hash, number, body: mapped, parentId } = prepared;
  const parentInTheWay = parentId !== undefined && known.isInTheWay(parentId) ? parentId : undefined;
  const classified = classify(item, hash, policy, stamp.fullRefresh, parentInTheWay);
  if (classified.outcome === 'unchanged') return { entry: { id, outcome: 'unchanged' } };
  if (classified.outcome === 'skipped') {
    const { skip } = classified;
    const heldUp = skip.why === 'parent-rejected' ? { parentId: skip.parentId } : {};
    return { entry: { id, outcome: 'skipped', reason: skipReason(skip), hash, ...heldUp } };
  }
  const message: RecordMessage = {
    v: 1,
    integration: stamp.integration,
    runId: stamp.runId,
    id,
    ...defined({ number }),
    hash,
    versionMs: stamp.versionMs,
    body: mapped,
    attempts: 0,
    deferrals: 0,
    firstSentMs: stamp.nowMs,
    ...(stamp.fullRefresh ? { refresh: true as const } : {}),
    ...defined({ parentId }),
  };
  const body = writeMessage(message);
  const sizeBytes = Buffer.byteLength(body);
  if (sizeBytes > MAX_MESSAGE_BYTES) {
    const reason = `too large for the queue: ${sizeBytes} bytes, ${MAX_MESSAGE_BYTES} at most`;
    return { entry: { id, outcome: 'invalid', reason } };
  }
  return { entry: { id, outcome: 'enqueued', hash }, body };
};
