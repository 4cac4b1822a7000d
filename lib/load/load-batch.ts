import type { Permit } from '../connection/limit/rate-limit.ts';
import { decide } from '../idcheck/decide.ts';
import { idempotencyKey, isTombstone } from '../idcheck/hash.ts';
import type { IdCheck } from '../idcheck/item.ts';
import { sendUnreadable } from '../messages/dead-letter.ts';
import type { RecordMessage } from '../messages/record-message.ts';
import type { RemainingMs } from '../runtime/clock.ts';
import type { Outcome } from '../target/target.ts';
import { askOf, type ClaimedDelivery, claimId, release, settle } from './claim.ts';
import {
  type Delivery,
  inRequests,
  type RecordDelivery,
  readDeliveries,
  roundsById,
  type UnreadableDelivery,
} from './deliveries.ts';
import { isEarly, misfitWaitMs, putOff, readConflict } from './ending.ts';
import type { PutOffReason } from './events.ts';
import { claimMsOf, type LoaderDeps } from './load-plan.ts';
import { inTurn, pauseAll, permitsOfPost } from './permits.ts';
import { closedNow, noteAnswer, returnProbe, takeProbe, waitOutRest } from './resting.ts';
import {
  backToAppointment,
  beginRound,
  type Candidate,
  countUse,
  end,
  endAged,
  lastStartMs,
  putAllOff,
  type Results,
  type Round,
  runOf,
  saveUse,
  sendBack,
} from './round.ts';
import { endForParent, endUnsent } from './unsent.ts';
import { ownDeliveries, planOfBatch } from './whose.ts';

/**
 * Loads a batch of deliveries. The whole journey, step by step, is in this file, from top to bottom:
 *
 *     read the messages ─▶ by integration ─▶ whose they are ─▶ in rounds, each id once
 *       read idCheck ─▶ decide ─▶ parent ─▶ into requests
 *         gate of a target that rests ─▶ permit ─▶ claim ─▶ POST ─▶ settle
 *     send back what waits
 *
 * Every delivery ends, whatever fails: settled (after its dead letter, where it needs one), or a copy of it goes back
 * to the queue. Returned are the ids of those that the queue must deliver again as they are, which is the last resort:
 * their copies could not be sent back, or their dead letters could not be written. That counts as one more receive.
 */
export const loadBatch = async (
  deliveries: readonly Delivery[],
  deps: LoaderDeps,
  remainingMs: RemainingMs,
): Promise<{ failedMessageIds: string[] }> => {
  const nowMs = deps.clock.nowMs();
  const isTooEarly = (message: RecordMessage) => isEarly(message, nowMs, deps.tuning.load);
  const { early, byIntegration, unreadable } = readDeliveries(deliveries, isTooEarly);
  const [loaded, unburied] = await Promise.all([
    Promise.all([...byIntegration].map(([name, these]) => loadIntegration(name, these, deps, remainingMs))),
    buryAll(unreadable, deps),
  ]);
  const toAppointment = early.flatMap((delivery) => backToAppointment(delivery, deps));
  const putBack = [...toAppointment, ...loaded.flatMap((one) => one.putBack)];
  const notSent = await sendBack(putBack, deps);
  const failedMessageIds = [...unburied, ...loaded.flatMap((one) => one.unburied), ...notSent];
  if (failedMessageIds.length > 0) deps.log.error('deliveries-failed', { messages: failedMessageIds.length });
  return { failedMessageIds };
};

/** One integration's deliveries. `unburied`: those without an integration of that name, and without a dead letter. */
const loadIntegration = async (
  integration: string,
  deliveries: readonly RecordDelivery[],
  deps: LoaderDeps,
  remainingMs: RemainingMs,
): Promise<Pick<Results, 'putBack'> & { unburied: string[] }> => {
  let found: Awaited<ReturnType<typeof planOfBatch>> | undefined;
  try {
    const opened = await deps.open(integration);
    found = opened && (await planOfBatch(opened, deps));
  } catch (error) {
    // Nothing is wrong with the records: they wait until someone mends the configuration.
    deps.log.error('not-opened', { integration, messages: deliveries.length, error: String(error) });
    const putBack = deliveries.flatMap(({ messageId, message }) => {
      const ending = putOff(message, 'not-opened', misfitWaitMs(error, deps.tuning.load), deps.random.fraction());
      return endAged({ messageId, message }, ending, false, deps) ? [] : [{ messageId, ending }];
    });
    return { putBack, unburied: [] };
  }
  if (found === undefined) {
    const why = `there is no integration named ${JSON.stringify(integration)}`;
    const unknown = deliveries.map(({ messageId, body }) => ({ messageId, body, why }));
    return { putBack: [], unburied: await buryAll(unknown, deps) };
  }
  const { plan, belonging } = found;
  const deadlineMs = lastStartMs(plan, deps, remainingMs);
  const results: Results = { putBack: [], useByRun: new Map() };
  const own = ownDeliveries(beginRound(plan, deps, deadlineMs, results), deliveries, belonging);
  for (const deliveriesOfRound of roundsById(own)) {
    await loadRound(beginRound(plan, deps, deadlineMs, results), deliveriesOfRound);
  }
  await saveUse(results, plan, deps);
  return { putBack: results.putBack, unburied: [] };
};

/** One round: what is due by idCheck goes out in requests, several at a time. */
const loadRound = async (round: Round, deliveries: readonly RecordDelivery[]): Promise<void> => {
  const { unreachableWaitMs } = round.deps.tuning.load;
  const known = await readIdCheck(round, deliveries);
  if (known === undefined) return putAllOff(round, deliveries, 'idcheck-unreachable', unreachableWaitMs);
  const candidates = await decideEach(round, deliveries, known);
  if (candidates.length === 0) return;
  const closed = await closedNow(round);
  if (closed === undefined) return loadEach(round, candidates);
  const [first, ...others] = candidates;
  if (first === undefined || !(await takeProbe(round))) return waitOutRest(round, candidates, closed);
  // One record is tried at a target that rests; what comes of it decides over those that came with it.
  await inTurn(round, [[first]], 1, loadRequest);
  await returnProbe(round, [first]);
  const isStill = await closedNow(round);
  return isStill === undefined ? loadEach(round, others) : waitOutRest(round, others, isStill);
};

/** Records that may be sent, in requests, several at a time. */
const loadEach = async (round: Round, candidates: readonly Candidate[]): Promise<void> => {
  const { rows, concurrency } = round.plan.target;
  await inTurn(round, inRequests(candidates, rows), concurrency, loadRequest);
};

/** What is known of the records and of their parents; undefined where nobody can tell: then nothing may be POSTed. */
const readIdCheck = async (
  { plan: { integration, state }, deps }: Round,
  deliveries: readonly RecordDelivery[],
): Promise<Map<string, IdCheck> | undefined> => {
  const ids = deliveries.flatMap(({ message: { id, parentId } }) => (parentId === undefined ? [id] : [id, parentId]));
  try {
    return await deps.idStore.read(state, ids);
  } catch (error) {
    deps.log.error('idcheck-unreachable', { integration, error: String(error) });
    return undefined;
  }
};

/** Those that idCheck, and their parents, let through to a POST, as it was read now; the others end here. */
const decideEach = async (
  round: Round,
  deliveries: readonly RecordDelivery[],
  known: ReadonlyMap<string, IdCheck>,
): Promise<Candidate[]> => {
  const { plan, deps } = round;
  const candidates: Candidate[] = [];
  for (const delivery of deliveries) {
    const { message } = delivery;
    const stored = known.get(message.id);
    const decision = decide(stored, askOf(message), plan.policy, deps.clock.nowMs());
    const ending =
      decision.kind === 'claim'
        ? await endForParent(message, known, plan, deps)
        : await endUnsent(decision, message, stored, plan, deps);
    if (ending === undefined) candidates.push({ ...delivery, stored });
    else end(round, delivery, ending);
  }
  return candidates;
};

/** One request that has its turn: claims its records, POSTs those that it got, and settles them. */
const loadRequest = async (round: Round, candidates: readonly Candidate[], permit: Permit): Promise<void> => {
  const closed = round.probe === undefined ? await closedNow(round) : undefined;
  if (closed !== undefined) return waitOutRest(round, candidates, closed);
  const claimed = await claimEach(round, candidates);
  if (claimed.length === 0) return;
  const answered = await post(round, claimed, permit);
  if (answered === undefined) return;
  const isRefused = answered.every(({ outcome: { kind } }) => kind === 'rejected' || kind === 'conflict');
  if (answered.length === 1 || !isRefused) return settleEach(round, answered);
  // One bad record must not take the others of its request with it: each is sent again by itself, but for those that
  // wait for an earlier try of theirs.
  const refused = answered.filter(({ outcome }) => outcome.kind === 'rejected').map(({ delivery }) => delivery);
  await settleEach(
    round,
    answered.filter(({ outcome }) => outcome.kind === 'conflict'),
  );
  await releaseAll(round, refused);
  await loadOneByOne(round, refused);
};

/** A record that was POSTed, how that ended, and whether the target rests by then. */
type Answered = { delivery: ClaimedDelivery; outcome: Outcome; isResting: boolean };

/** Claims the records of one request under one owner; what is not to be claimed ends here. */
const claimEach = async (round: Round, candidates: readonly Candidate[]): Promise<ClaimedDelivery[]> => {
  const { plan, deps } = round;
  const { integration, state, policy } = plan;
  const { unreachableWaitMs, claimTries: tries } = deps.tuning.load;
  const owner = deps.random.token();
  const claimFor = { owner, claimMs: claimMsOf(plan.target, deps.tuning.load), tries, nowMs: () => deps.clock.nowMs() };
  const results = await Promise.all(
    candidates.map(({ message, stored }) =>
      claimId(deps.idStore, state, message.id, stored, askOf(message), policy, claimFor).catch((error: unknown) => {
        deps.log.error('claim-failed', { integration, id: message.id, error: String(error) });
        return undefined;
      }),
    ),
  );
  const claimed: ClaimedDelivery[] = [];
  for (const [index, delivery] of candidates.entries()) {
    const result = results[index];
    if (result === undefined) putAllOff(round, [delivery], 'idcheck-unreachable', unreachableWaitMs);
    else if (result.kind === 'claimed') claimed.push({ ...delivery, item: result.item });
    else end(round, delivery, await endUnsent(result.decision, delivery.message, result.stored, plan, deps));
  }
  return claimed;
};

/** POSTs claimed records in one request; undefined where nothing was sent: then they are released and put off. */
const post = async (
  round: Round,
  claimed: readonly ClaimedDelivery[],
  permit: Permit,
): Promise<readonly Answered[] | undefined> => {
  const { plan, deps } = round;
  // A worker that was frozen after claiming may wake when the claim is nearly over: then it must not POST.
  const firstUntilMs = Math.min(...claimed.map(({ item }) => item.claim.untilMs));
  if (deps.clock.nowMs() + plan.target.longestPostMs > firstUntilMs) return giveUp(round, claimed, 'claim-too-old', 0);
  const records = claimed.map(({ message, item }) => ({
    id: message.id,
    body: message.body,
    idempotencyKey: idempotencyKey(plan.state, message.id, message.hash, item.turn),
    ...(isTombstone(message.hash) && { deletes: true as const }),
  }));
  try {
    const { outcomes, requests } = await plan.target.post(records, permitsOfPost(round, runOf(claimed), permit));
    const isThrottled = outcomes.some((outcome) => outcome.kind === 'notApplied' && (outcome.pauseMs ?? 0) > 0);
    countUse(round, runOf(claimed), { requests, throttled: isThrottled ? 1 : 0 });
    const isResting = await noteAnswer(round, claimed, outcomes);
    return claimed.map((delivery, index) => {
      const told = outcomes[index] ?? { kind: 'uncertain', failure: { cause: 'no-result' } };
      const outcome = readConflict(told, delivery.item, plan.conflict, claimed.length === 1);
      return { delivery, outcome, isResting };
    });
  } catch (error) {
    deps.log.error('target-not-opened', { integration: plan.integration, error: String(error) });
    return giveUp(round, claimed, 'target-not-opened', misfitWaitMs(error, deps.tuning.load));
  }
};

/** Puts records off that were claimed and not sent. */
const giveUp = async (
  round: Round,
  claimed: readonly ClaimedDelivery[],
  why: PutOffReason,
  waitMs: number,
): Promise<undefined> => {
  await releaseAll(round, claimed);
  putAllOff(round, claimed, why, waitMs);
};

const releaseAll = async ({ plan, deps }: Round, claimed: readonly ClaimedDelivery[]): Promise<void> => {
  await Promise.all(claimed.map(({ item }) => release(item, plan, deps)));
};

const loadOneByOne = async (round: Round, deliveries: readonly RecordDelivery[]): Promise<void> => {
  const { plan, deps } = round;
  const requests = deliveries.map(({ messageId, body, message }) => [{ messageId, body, message, stored: undefined }]);
  await inTurn(round, requests, 1, async (_, [one], permit) => {
    if (one === undefined) return;
    const read = await deps.idStore.read(plan.state, [one.message.id]).catch(() => undefined);
    await loadRequest(round, [{ ...one, stored: read?.get(one.message.id) }], permit);
  });
};

/** Settles each record of a request by its outcome. */
const settleEach = async (round: Round, answered: readonly Answered[]): Promise<void> => {
  const runId = runOf(answered.map(({ delivery }) => delivery));
  await Promise.all(
    answered.map(async ({ delivery, outcome, isResting }) => {
      if (outcome.kind === 'notApplied' && outcome.waits)
        await pauseAll(round, runId, outcome.pauseMs ?? 0, outcome.failure);
      end(round, delivery, await settle(delivery, outcome, isResting, round.plan, round.deps));
    }),
  );
};

/** Writes dead letters for what nobody can read, and names those without one. */
const buryAll = async (deliveries: readonly UnreadableDelivery[], deps: LoaderDeps): Promise<string[]> => {
  const unburied = await Promise.all(
    deliveries.map(async ({ messageId, body, why }) => {
      deps.log.error('unreadable', { messageId, why });
      return (await sendUnreadable(deps.deadLetters, body, why, deps.clock.nowMs())) ? [] : [messageId];
    }),
  );
  return unburied.flat();
};
