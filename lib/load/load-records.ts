import { decide } from '../idcheck/decide.ts';
import { isTombstone } from '../idcheck/tombstone.ts';
import type { TargetUse } from '../runs/limits.ts';
import { mapBounded } from '../runtime/bounded.ts';
import type { RemainingMs } from '../runtime/clock.ts';
import { askOf } from './claim.ts';
import type { RecordDelivery } from './deliveries.ts';
import { UNREACHABLE_WAIT_MS } from './ending.ts';
import { endHeldBack } from './held-back.ts';
import { type LoaderDeps, type Loading, SETTLE_RESERVE_MS } from './loading.ts';
import { endForParent } from './parent.ts';
import { permitsFor } from './permits.ts';
import { postRequest } from './post-request.ts';
import { type Candidate, type Ended, end, putAllOff, type Round } from './round.ts';

/**
 * Loads one round of an integration's records, each id once: read idCheck, decide, wait for a permit, claim,
 * POST, settle. Every delivery comes back with its ending, whatever fails.
 */
export const loadRound = async (
  deliveries: readonly RecordDelivery[],
  loading: Loading,
  deps: LoaderDeps,
  remainingMs: RemainingMs,
): Promise<{ ended: readonly Ended[]; useByRun: ReadonlyMap<string, TargetUse> }> => {
  const { target } = loading;
  const round: Round = {
    loading,
    deps,
    deadlineMs: deps.clock.nowMs() + remainingMs() - SETTLE_RESERVE_MS - target.longestPostMs,
    pausedUntilMs: 0,
    ended: [],
    useByRun: new Map(),
  };
  const requests = inRequests(await candidatesOf(round, deliveries), target.rows);
  if (requests.length === 0) return round;
  const takePermit = permitsFor(round, requests.length);
  await mapBounded(requests, target.concurrency, (candidates) => postRequest(round, candidates, takePermit));
  return round;
};

/** Those that idCheck lets through to a POST, as it was read now; the others end here. */
const candidatesOf = async (round: Round, deliveries: readonly RecordDelivery[]): Promise<Candidate[]> => {
  const { loading, deps } = round;
  const { integration, policy } = loading;
  const ids = deliveries.flatMap(({ message: { id, parentId } }) => (parentId === undefined ? [id] : [id, parentId]));
  const read = await deps.idStore.read(integration, ids).catch((error: unknown) => {
    deps.log.error('idcheck-unreachable', { integration, error: String(error) });
    return undefined;
  });
  if (read === undefined) {
    putAllOff(round, deliveries, 'idcheck-unreachable', UNREACHABLE_WAIT_MS);
    return [];
  }
  const candidates: Candidate[] = [];
  for (const delivery of deliveries) {
    const { message } = delivery;
    const stored = read.get(message.id);
    const decision = decide(stored, askOf(message), policy, deps.clock.nowMs());
    if (decision.kind === 'claim') {
      const ending = await endForParent(message, read, loading, deps);
      if (ending === undefined) candidates.push({ ...delivery, stored });
      else end(round, delivery, ending);
    } else end(round, delivery, await endHeldBack(decision, message, stored, loading, deps));
  }
  return candidates;
};

/** `rows` records to a request; a deletion goes by itself, to another endpoint. */
const inRequests = (candidates: readonly Candidate[], rows: number): Candidate[][] => {
  const deletions = candidates.filter(({ message }) => isTombstone(message.hash));
  const records = candidates.filter(({ message }) => !isTombstone(message.hash));
  const requests = deletions.map((deletion) => [deletion]);
  for (let from = 0; from < records.length; from += rows) requests.push(records.slice(from, from + rows));
  return requests;
};
