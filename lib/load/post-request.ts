import { isTombstone } from '../idcheck/tombstone.ts';
import type { Outcome } from '../target/outcome.ts';
import { idempotencyKey } from '../transform/hash.ts';
import { askOf, type Claimed, claimId } from './claim.ts';
import type { RecordDelivery } from './deliveries.ts';
import { misfitWaitMs, UNREACHABLE_WAIT_MS } from './ending.ts';
import { endHeldBack } from './held-back.ts';
import { claimMsOf } from './loading.ts';
import { heldByLimitMs, permitsFor, type TakePermit } from './permits.ts';
import { type Candidate, count, end, putAllOff, type Round } from './round.ts';
import { release, settle } from './settle.ts';

type ClaimedDelivery = RecordDelivery & { item: Claimed };

/** One request: waits for its turn by the rate limit, claims its records, POSTs those that it got, and settles them. */
export const postRequest = async (
  round: Round,
  candidates: readonly Candidate[],
  takePermit: TakePermit,
): Promise<void> => {
  const { clock } = round.deps;
  let heldMs = 0;
  for (;;) {
    const { permit, retryAtMs } = await takePermit();
    if (permit === undefined) return putAllOff(round, candidates, 'rate-limit', retryAtMs - clock.nowMs());
    heldMs += heldByLimitMs(permit, round.loading.target.limit, clock.nowMs());
    await clock.sleep(permit.notBeforeMs - clock.nowMs());
    // A worker may sleep longer than it meant to: a permit that ran out meanwhile is no permit.
    if (clock.nowMs() <= permit.untilMs) break;
  }
  const nowMs = clock.nowMs();
  if (round.pausedUntilMs > nowMs) return putAllOff(round, candidates, 'paused', round.pausedUntilMs - nowMs);
  if (nowMs > round.deadlineMs) return putAllOff(round, candidates, 'no-time', 0);
  // A wait that ends in a pause is part of the pause.
  if (heldMs > 0) count(round.useByRun, runOf(candidates), { heldMs });
  const claimed = await claimAll(round, candidates);
  if (claimed.length > 0) await postClaimed(round, claimed);
};

/** A request is counted with the run of its first record. */
const runOf = ([first]: readonly RecordDelivery[]): string => first?.message.runId ?? '';

/** Claims the records of one request under one owner; what is not to be claimed ends here. */
const claimAll = async (round: Round, candidates: readonly Candidate[]): Promise<ClaimedDelivery[]> => {
  const { loading, deps } = round;
  const { integration, policy } = loading;
  const claimFor = {
    owner: deps.random.token(),
    claimMs: claimMsOf(loading.target),
    nowMs: () => deps.clock.nowMs(),
  };
  const results = await Promise.all(
    candidates.map(async ({ message, stored }) => {
      try {
        return await claimId(deps.idStore, integration, message.id, stored, askOf(message), policy, claimFor);
      } catch (error) {
        deps.log.error('claim-failed', { integration, id: message.id, error: String(error) });
        return undefined;
      }
    }),
  );
  const claimed: ClaimedDelivery[] = [];
  for (const [index, result] of results.entries()) {
    const delivery = candidates[index] as Candidate;
    if (result === undefined) putAllOff(round, [delivery], 'idcheck-unreachable', UNREACHABLE_WAIT_MS);
    else if (result.kind === 'claimed') claimed.push({ ...delivery, item: result.item });
    else end(round, delivery, await endHeldBack(result.decision, delivery.message, result.stored, loading, deps));
  }
  return claimed;
};

const postClaimed = async (round: Round, claimed: readonly ClaimedDelivery[]): Promise<void> => {
  const { loading, deps } = round;
  // A worker that was frozen after claiming may wake when the claim is nearly over: then it must not POST.
  const firstUntilMs = Math.min(...claimed.map(({ item }) => item.claim.untilMs));
  if (deps.clock.nowMs() + loading.target.longestPostMs > firstUntilMs) {
    await releaseAll(round, claimed);
    return putAllOff(round, claimed, 'claim-too-old', 0);
  }
  const records = claimed.map(({ message, item }) => ({
    id: message.id,
    body: message.body,
    idempotencyKey: idempotencyKey(message.integration, message.id, message.hash, item.turn),
    ...(isTombstone(message.hash) && { deletes: true as const }),
  }));
  const posted = await loading.target.post(records).catch((error: unknown) => ({ error }));
  if ('error' in posted) {
    const { error } = posted;
    deps.log.error('target-not-opened', { integration: loading.integration, error: String(error) });
    await releaseAll(round, claimed);
    return putAllOff(round, claimed, 'target-not-opened', misfitWaitMs(error));
  }
  const { outcomes, requests } = posted;
  const isThrottled = outcomes.some((outcome) => outcome.kind === 'notApplied' && (outcome.pauseMs ?? 0) > 0);
  count(round.useByRun, runOf(claimed), { requests, throttled: isThrottled ? 1 : 0 });

  if (claimed.length > 1 && outcomes.every(({ kind }) => kind === 'rejected')) {
    // One bad record must not take the others of its request with it: each is asked for by itself.
    await releaseAll(round, claimed);
    return postOneByOne(round, claimed);
  }
  await Promise.all(
    claimed.map(async (delivery, index) => {
      const outcome = outcomes[index] ?? { kind: 'uncertain', failure: { cause: 'no-result' } };
      if (outcome.kind === 'notApplied' && outcome.waits) await pauseAll(round, runOf(claimed), outcome.pauseMs ?? 0);
      logOutcome(round, delivery, outcome);
      end(round, delivery, await settle(delivery.item, delivery.message, outcome, loading, deps));
    }),
  );
};

const releaseAll = async ({ loading, deps }: Round, claimed: readonly ClaimedDelivery[]): Promise<void> => {
  await Promise.all(claimed.map(({ item }) => release(item, loading, deps)));
};

const postOneByOne = async (round: Round, deliveries: readonly RecordDelivery[]): Promise<void> => {
  const { loading, deps } = round;
  const takePermit = permitsFor(round, deliveries.length);
  for (const { messageId, body, message } of deliveries) {
    const read = await deps.idStore.read(loading.integration, [message.id]).catch(() => undefined);
    await postRequest(round, [{ messageId, body, message, stored: read?.get(message.id) }], takePermit);
  }
};

const pauseAll = async (round: Round, runId: string, pauseMs: number): Promise<void> => {
  const { clock, limiter, log } = round.deps;
  const { connection } = round.loading.target;
  const untilMs = clock.nowMs() + pauseMs;
  if (pauseMs <= 0 || untilMs <= round.pausedUntilMs) return;
  round.pausedUntilMs = untilMs;
  const heldMs = await limiter.pause(connection, untilMs).catch((error: unknown) => {
    log.error('limiter-unreachable', { connection, error: String(error) });
    return 0;
  });
  count(round.useByRun, runId, { heldMs });
};

const logOutcome = ({ deps }: Round, { messageId, message }: RecordDelivery, outcome: Outcome): void => {
  const { integration, runId, id, attempts } = message;
  const fields = { integration, runId, id, messageId, attempt: attempts + 1 };
  if (outcome.kind === 'loaded') deps.log.info('loaded', fields);
  else deps.log.warn(outcome.kind, { ...fields, cause: outcome.failure.cause, status: outcome.failure.status });
};
