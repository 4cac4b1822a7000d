import { isInDoubt } from '../idcheck/decide.ts';
import { decideOnParent } from '../idcheck/decide-parent.ts';
import type { IdCheck } from '../idcheck/item.ts';
import { asOrphaned } from '../idcheck/transitions.ts';
import type { RecordMessage } from '../messages/record-message.ts';
import { conditionOf } from './claim.ts';
import { done, type Ending, putOff, UNREACHABLE_WAIT_MS } from './ending.ts';
import { endUnsent } from './held-back.ts';
import type { LoaderDeps, Loading } from './loading.ts';

/** A parent is mostly a moment away: its own POST. */
const PARENT_WAIT_MS = 1_000;

/**
 * A parent that has not come for so long will not: it has left the source, or its message was lost. The next run looks
 * at both anew, so a message that waits on would only go round for ever.
 */
const MAX_PARENT_WAIT_MS = 24 * 3_600_000;

/** Whether this very content was POSTed and nobody knows how that ended: its parent was there then. */
const wasSent = (stored: IdCheck | undefined, hash: string): boolean => {
  const sent = stored?.claim ?? stored?.doubt ?? stored?.trouble;
  return isInDoubt(stored) && sent?.hash === hash;
};

/**
 * The ending of a delivery that must not be POSTed for its parent's sake; undefined: it may. `read` is what was read
 * of idCheck, the parents among it. Refused so, a record gets no dead letter of its own: its parent has one.
 */
export const endForParent = async (
  message: RecordMessage,
  read: ReadonlyMap<string, IdCheck>,
  loading: Loading,
  deps: LoaderDeps,
): Promise<Ending | undefined> => {
  const { idStore, clock, random, log } = deps;
  const { id, integration, hash, versionMs, parentId, refresh } = message;
  if (parentId === undefined) return undefined;
  const ask = { parentId, versionMs, refresh: refresh === true };
  const decision = decideOnParent(read.get(parentId), ask, loading.rejectedParent ?? 'reject');
  const nowMs = clock.nowMs();
  switch (decision.kind) {
    case 'go':
      return undefined;
    case 'wait':
      if (wasSent(read.get(id), hash)) return undefined;
      return nowMs - message.firstSentMs > MAX_PARENT_WAIT_MS
        ? endUnsent('parent-never-came', message, read.get(id), loading, deps)
        : putOff(message, 'parent', PARENT_WAIT_MS, random.fraction());
    case 'rejected': {
      const stored = read.get(id);
      // It was POSTed before, and nobody knows how that ended: to be settled first, and never forgotten.
      if (isInDoubt(stored)) return undefined;
      const orphaned = asOrphaned(stored, { id, hash, versionMs, parentId }, decision.reason, nowMs);
      const written = await idStore
        .write(integration, orphaned, conditionOf(stored))
        .catch(() => 'unreachable' as const);
      if (written !== 'written') return putOff(message, 'claimed', UNREACHABLE_WAIT_MS, random.fraction());
      log.warn('rejected', { integration, runId: message.runId, id, cause: 'parent', parentId });
      return done('rejected');
    }
    default:
      return decision satisfies never;
  }
};
