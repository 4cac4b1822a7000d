import type { Permit } from '../connection/rate-limit.ts';
import type { RecordMessage } from '../dispatch/message.ts';
import { type Ask, type Decision, decide } from '../idcheck/decide.ts';
import type { IdCheck } from '../idcheck/item.ts';
import { asParked, waitingLetterMs } from '../idcheck/transitions.ts';
import { mapBounded } from '../runtime/bounded.ts';
import type { RemainingMs } from '../runtime/clock.ts';
import { idempotencyKey } from '../transform/hash.ts';
import { type Claimed, claimId, conditionOf } from './claim.ts';
import { letterFor, sendLetter } from './dead-letter.ts';
import type { RecordDelivery } from './deliveries.ts';
import { done, type Ending, putOff } from './ending.ts';
import { claimMsOf, type LoaderDeps, type Loading, SETTLE_RESERVE_MS } from './loading.ts';
import { release, settle } from './settle.ts';

type Ended = { messageId: string; message: RecordMessage; ending: Ending };
/** A delivery whose record is to be POSTed, with the item as it was read. */
type Candidate = RecordDelivery & { stored: IdCheck | undefined };
type Round = { ended: Ended[]; requestsByRun: Map<string, number> };

/** A store that cannot be reached: nobody may POST, everybody waits. */
const UNREACHABLE_WAIT_MS = 30_000;

export const askOf = (message: RecordMessage): Ask => ({
  hash: message.hash,
  versionMs: message.versionMs,
  refresh: message.refresh === true,
  ...(message.replayedMs === undefined ? {} : { replayedMs: message.replayedMs }),
});

/**
 * Loads one round of an integration's records, each id once: read idCheck, decide, wait for leave to send, claim,
 * POST, settle. Every delivery comes back with its ending, whatever fails.
 */
export const loadRound = async (
  deliveries: readonly RecordDelivery[],
  loading: Loading,
  deps: LoaderDeps,
  remainingMs: RemainingMs,
): Promise<Round> => {
  const { clock, random, log } = deps;
  const round: Round = { ended: [], requestsByRun: new Map() };
  const end = ({ messageId, message }: RecordDelivery, ending: Ending) => {
    round.ended.push({ messageId, message, ending });
  };
  const putAllOff = (these: readonly RecordDelivery[], why: string, waitMs: number) => {
    for (const delivery of these) end(delivery, putOff(delivery.message, why, waitMs, random.fraction()));
  };

  const read = await deps.idStore.read(loading.integration, idsOf(deliveries)).catch((error: unknown) => {
    log.error('idcheck-unreachable', { integration: loading.integration, error: String(error) });
    return undefined;
  });
  if (read === undefined) {
    putAllOff(deliveries, 'idcheck-unreachable', UNREACHABLE_WAIT_MS);
    return round;
  }

  const candidates: Candidate[] = [];
  for (const delivery of deliveries) {
    const stored = read.get(delivery.message.id);
    const decision = decide(stored, askOf(delivery.message), loading.policy, clock.nowMs());
    if (decision.kind === 'claim') candidates.push({ ...delivery, stored });
    else end(delivery, await endingOf(decision, delivery.message, stored, loading, deps));
  }

  const requests = inRequests(candidates, loading.target.rows);
  if (requests.length === 0) return round;
  const deadlineMs = clock.nowMs() + remainingMs() - SETTLE_RESERVE_MS - loading.target.longestPostMs;
  const leave = await deps.limiter
    .acquire(loading.target.connection, loading.target.limit, requests.length, deadlineMs)
    .catch((error: unknown) => {
      log.error('limiter-unreachable', { connection: loading.target.connection, error: String(error) });
      return { permits: [] as Permit[], retryAtMs: clock.nowMs() + UNREACHABLE_WAIT_MS };
    });
  const spare = [...leave.permits];
  // Another request of this round was told to wait: its word holds here at once, without asking the limiter again.
  let pausedUntilMs = 0;

  const postAll = async (batch: readonly Candidate[], permit: Permit | undefined): Promise<void> => {
    if (permit === undefined) return putAllOff(batch, 'rate-limit', leave.retryAtMs - clock.nowMs());
    await clock.sleep(permit.notBeforeMs - clock.nowMs());
    const nowMs = clock.nowMs();
    if (pausedUntilMs > nowMs) return putAllOff(batch, 'paused', pausedUntilMs - nowMs);
    if (nowMs > permit.untilMs) return putAllOff(batch, 'permit-void', 0);
    if (nowMs > deadlineMs) return putAllOff(batch, 'no-time', 0);
    const claimed = await claimAll(batch);
    if (claimed.length > 0) await postClaimed(claimed);
  };

  const claimAll = async (batch: readonly Candidate[]): Promise<Array<RecordDelivery & { item: Claimed }>> => {
    const owner = random.token();
    const claimMs = claimMsOf(loading.target);
    const results = await Promise.all(
      batch.map(async (candidate) => {
        const { message, stored } = candidate;
        try {
          const claim = { owner, claimMs, nowMs: () => clock.nowMs() };
          return await claimId(
            deps.idStore,
            loading.integration,
            message.id,
            stored,
            askOf(message),
            loading.policy,
            claim,
          );
        } catch (error) {
          log.error('claim-failed', { integration: loading.integration, id: message.id, error: String(error) });
          return undefined;
        }
      }),
    );
    const claimed: Array<RecordDelivery & { item: Claimed }> = [];
    for (const [index, result] of results.entries()) {
      const delivery = batch[index] as Candidate;
      if (result === undefined) putAllOff([delivery], 'idcheck-unreachable', UNREACHABLE_WAIT_MS);
      else if (result.kind === 'claimed') claimed.push({ ...delivery, item: result.item });
      else end(delivery, await endingOf(result.decision, delivery.message, result.stored, loading, deps));
    }
    return claimed;
  };

  const postClaimed = async (claimed: ReadonlyArray<RecordDelivery & { item: Claimed }>): Promise<void> => {
    // A worker that was frozen after claiming may wake when the claim is nearly over: then it must not POST.
    const firstUntilMs = Math.min(...claimed.map(({ item }) => item.claim.untilMs));
    if (clock.nowMs() + loading.target.longestPostMs > firstUntilMs) {
      await Promise.all(claimed.map(({ item }) => release(item, loading, deps)));
      return putAllOff(claimed, 'claim-too-old', 0);
    }
    const records = claimed.map(({ message }) => ({
      id: message.id,
      body: message.body,
      idempotencyKey: idempotencyKey(message.integration, message.id, message.hash),
    }));
    const { outcomes, requests: used } = await loading.target.post(records);
    const runId = claimed[0]?.message.runId ?? '';
    round.requestsByRun.set(runId, (round.requestsByRun.get(runId) ?? 0) + used);

    const isRefusedTogether = claimed.length > 1 && outcomes.every(({ kind }) => kind === 'rejected');
    if (isRefusedTogether) {
      // One bad record must not take the others of its request with it: each is asked for by itself.
      await Promise.all(claimed.map(({ item }) => release(item, loading, deps)));
      return postOneByOne(claimed);
    }
    await Promise.all(
      claimed.map(async (delivery, index) => {
        const outcome = outcomes[index] ?? { kind: 'uncertain', failure: { cause: 'no-result' } };
        if (outcome.kind === 'notApplied' && outcome.waits) await pauseAll(outcome.pauseMs ?? 0);
        logOutcome(log, delivery.message, outcome);
        end(delivery, await settle(delivery.item, delivery.message, outcome, loading, deps));
      }),
    );
  };

  const postOneByOne = async (deliveriesOfOneRequest: readonly RecordDelivery[]): Promise<void> => {
    const { connection, limit } = loading.target;
    const more = await deps.limiter
      .acquire(connection, limit, deliveriesOfOneRequest.length, deadlineMs)
      .catch(() => ({ permits: [] as Permit[], retryAtMs: clock.nowMs() + UNREACHABLE_WAIT_MS }));
    for (const [index, { messageId, body, message }] of deliveriesOfOneRequest.entries()) {
      const stored = (await deps.idStore.read(loading.integration, [message.id]).catch(() => undefined))?.get(
        message.id,
      );
      await postAll([{ messageId, body, message, stored }], more.permits[index]);
    }
  };

  const pauseAll = async (pauseMs: number): Promise<void> => {
    const untilMs = clock.nowMs() + pauseMs;
    if (pauseMs <= 0 || untilMs <= pausedUntilMs) return;
    pausedUntilMs = untilMs;
    await deps.limiter.pause(loading.target.connection, untilMs).catch((error: unknown) => {
      log.error('limiter-unreachable', { connection: loading.target.connection, error: String(error) });
    });
  };

  await mapBounded(requests, loading.target.concurrency, (batch) => postAll(batch, spare.shift()));
  return round;
};

const idsOf = (deliveries: readonly RecordDelivery[]): string[] => deliveries.map(({ message }) => message.id);

const inRequests = (candidates: readonly Candidate[], rows: number): Candidate[][] => {
  const requests: Candidate[][] = [];
  for (let from = 0; from < candidates.length; from += rows) requests.push(candidates.slice(from, from + rows));
  return requests;
};

const logOutcome = (
  log: LoaderDeps['log'],
  message: RecordMessage,
  outcome: { kind: string; failure?: { cause: string; status?: number } },
) => {
  const fields = {
    integration: message.integration,
    runId: message.runId,
    id: message.id,
    attempt: message.attempts + 1,
  };
  if (outcome.kind === 'loaded') log.info('loaded', fields);
  else log.warn(outcome.kind, { ...fields, cause: outcome.failure?.cause, status: outcome.failure?.status });
};

/** The ending of a delivery that idCheck does not let through to a POST. */
const endingOf = async (
  decision: Decision,
  message: RecordMessage,
  stored: IdCheck | undefined,
  loading: Loading,
  deps: LoaderDeps,
): Promise<Ending> => {
  const nowMs = deps.clock.nowMs();
  switch (decision.kind) {
    case 'acknowledge':
      return done(decision.as);
    case 'putOff':
      return putOff(message, decision.why, decision.untilMs - nowMs, deps.random.fraction());
    case 'park':
      return park(message, stored, loading, deps);
    case 'claim':
      return putOff(message, 'claimed', 0, deps.random.fraction());
    default:
      return decision satisfies never;
  }
};

/** An earlier POST of this id has an unknown outcome, and the integration leaves that to a person. */
const park = async (
  message: RecordMessage,
  stored: IdCheck | undefined,
  loading: Loading,
  deps: LoaderDeps,
): Promise<Ending> => {
  const nowMs = deps.clock.nowMs();
  if (stored === undefined) return putOff(message, 'claimed', 0, deps.random.fraction());
  const waiting = waitingLetterMs(stored, message.hash, message.replayedMs, nowMs);
  if (waiting === undefined) {
    const failure = {
      cause: 'worker-vanished',
      excerpt: 'an earlier POST of this id never reported its outcome',
      atMs: nowMs,
    };
    const letter = letterFor('uncertain', message, message.lastFailure ?? failure);
    if (!(await sendLetter(deps.deadLetters, letter)))
      return putOff(message, 'no-dead-letter', UNREACHABLE_WAIT_MS, deps.random.fraction());
  }
  const parked = asParked(stored, askOf(message), waiting ?? nowMs, nowMs);
  const written = await deps.idStore
    .write(loading.integration, parked, conditionOf(stored))
    .catch(() => 'conflict' as const);
  return written === 'written' ? done('uncertain') : putOff(message, 'claimed', 0, deps.random.fraction());
};
