import type { ConnectionHealth, Rest } from '../connection/limit/health.ts';
import {
  afterProbe,
  isProbeDue,
  isWorthTelling,
  pauseMs,
  restsOf,
  restsWithout,
  withProbe,
  withRun,
  withSeen,
} from '../connection/limit/rest.ts';
import { lasts, reachMs } from '../runtime/clock.ts';
import type { RestTuning } from '../runtime/tuning.ts';
import { type Outcome, type OutcomeFailure, signOfRequest } from '../target/target.ts';
import type { RecordDelivery } from './deliveries.ts';
import { putOffUntil } from './ending.ts';
import { end, type Round, runOf } from './round.ts';

// While a connection rests: who may send, and who learns of it.

/** Why nothing is sent now, and when to come back: after so long, spread over so long. */
export type Closed = { why: 'resting' | 'health-unknown'; waitMs: number; spreadMs: number };

/** Whether the target rests, at most a second ago; undefined: it does not. Where nobody can tell, nothing is sent. */
export const closedNow = async ({ plan, deps }: Round): Promise<Closed | undefined> => {
  const { integration, target } = plan;
  try {
    const rests = restsOf(await deps.health.look(target.connection), integration);
    return rests.length === 0 ? undefined : closedBy(rests, deps.clock.nowMs(), deps.tuning.connection.rest);
  } catch (error) {
    deps.log.error('health-unreachable', { connection: target.connection, error: String(error) });
    return { why: 'health-unknown', waitMs: deps.tuning.load.unreachableWaitMs, spreadMs: 0 };
  }
};

/** Takes the probe of a target that rests: true where it is time for one and nobody else is at it. */
export const takeProbe = async (round: Round): Promise<boolean> => {
  const { plan, deps } = round;
  const { integration, target } = plan;
  const isDue = (rest: Rest) => isProbeDue(rest, deps.clock.nowMs());
  if (!restsOf(deps.health.known(target.connection), integration).every(isDue)) return false;
  const owner = deps.random.token();
  // No longer than this invocation: who has died in it has died by then.
  const untilMs = round.deadlineMs + target.longestPostMs + deps.tuning.load.settleReserveMs;
  try {
    const { after } = await deps.health.change(target.connection, (health) =>
      withProbe(health, integration, { owner, untilMs }, deps.clock.nowMs()),
    );
    const rests = restsOf(after, integration);
    if (rests.length === 0 || rests.some(({ probe }) => probe?.owner !== owner)) return false;
    round.probe = owner;
    return true;
  } catch (error) {
    deps.log.error('health-unreachable', { connection: target.connection, error: String(error) });
    return false;
  }
};

/** A probe that is under way is over within some seconds. */
const PROBE_WAIT_MS = 1_000;
const PROBE_SPREAD_MS = 5_000;
/** What rests until the next run comes back for it seldom, and spread over some minutes. */
const NEXT_RUN_WAIT_MS = 10 * 60_000;
const NEXT_RUN_SPREAD_MS = 5 * 60_000;

const closedBy = (rests: readonly Rest[], nowMs: number, tuning: RestTuning): Closed => {
  const waits = rests.map(({ probeAtMs, failedProbes }) => {
    if (probeAtMs === undefined) return { waitMs: NEXT_RUN_WAIT_MS, spreadMs: NEXT_RUN_SPREAD_MS };
    if (!lasts(probeAtMs, nowMs, reachMs.nextProbe)) return { waitMs: PROBE_WAIT_MS, spreadMs: PROBE_SPREAD_MS };
    return { waitMs: probeAtMs - nowMs, spreadMs: pauseMs(failedProbes, tuning) / 2 };
  });
  const longest = waits.reduce((a, b) => (a.waitMs >= b.waitMs ? a : b));
  return { why: 'resting', ...longest };
};

/** Puts records off until the rest may be over: no attempt is used up. Their runs learn of the rest. */
export const waitOutRest = async (
  round: Round,
  deliveries: readonly RecordDelivery[],
  { why, waitMs, spreadMs }: Closed,
): Promise<void> => {
  const { random } = round.deps;
  for (const delivery of deliveries)
    end(round, delivery, putOffUntil(delivery.message, why, waitMs + random.fraction() * spreadMs));
  if (why === 'resting') await noteRuns(round, deliveries);
};

/** Notes with the rest, and the rest with them, the runs that wait for its end. */
const noteRuns = async (round: Round, deliveries: readonly RecordDelivery[]): Promise<void> => {
  const { integration, target } = round.plan;
  for (const runId of new Set(deliveries.map(({ message }) => message.runId))) {
    const isNew = (rest: Rest) => withRun(rest, { integration, runId }) !== undefined;
    if (!restsOf(round.deps.health.known(target.connection), integration).some(isNew)) continue;
    await changeHealth(round, runId, (health) => ({
      ...health,
      rests: health.rests.map((rest) =>
        restsOf(health, integration).includes(rest) ? (withRun(rest, { integration, runId }) ?? rest) : rest,
      ),
    }));
  }
};

/**
 * Notes how a request ended. Says whether the target rests now: then a failure is the target's and not the record's.
 * While nothing fails nobody is told.
 */
export const noteAnswer = async (
  round: Round,
  deliveries: readonly RecordDelivery[],
  outcomes: readonly Outcome[],
): Promise<boolean> => {
  const { plan, deps } = round;
  const { integration, target } = plan;
  const { health, clock, tuning } = deps;
  const { rest } = tuning.connection;
  const sign = signOfRequest(outcomes);
  const why = wordsOf(outcomes);
  const runId = runOf(deliveries);
  const { probe } = round;
  if (probe !== undefined) {
    delete round.probe;
    const said = sign && { sign, why };
    return changeHealth(round, runId, (known) => afterProbe(known, probe, said, clock.nowMs(), rest));
  }
  if (sign === undefined) return false;
  if (sign === 'well' && !isWorthTelling(health.known(target.connection), integration)) {
    health.noteWell(target.connection, integration, deliveries.length);
    return false;
  }
  const records = deliveries.map(({ message }) => message.id);
  const wellBefore = health.takeWell(target.connection, integration, rest.windowMs);
  const seen = { integration, records, sign, why, wellBefore };
  return changeHealth(round, runId, (known) => withSeen(known, seen, clock.nowMs(), rest));
};

/** Gives a probe back that was not sent: another record may be tried. */
export const returnProbe = async (round: Round, deliveries: readonly RecordDelivery[]): Promise<void> => {
  if (round.probe !== undefined) await noteAnswer(round, deliveries, []);
};

const wordsOf = (outcomes: readonly Outcome[]): string => {
  const failure = outcomes.map(failureIn).find((found) => found !== undefined);
  return failure === undefined
    ? ''
    : [failure.cause, failure.status, failure.excerpt].filter((word) => word !== undefined).join(' ');
};

const failureIn = (outcome: Outcome): OutcomeFailure | undefined =>
  outcome.kind === 'loaded' ? undefined : outcome.failure;

/** Changes what all know of the target, and tells of rests that begin or end with that; says whether it rests now. */
const changeHealth = async (
  round: Round,
  runId: string,
  next: (health: ConnectionHealth) => ConnectionHealth | undefined,
): Promise<boolean> => {
  const { plan, deps } = round;
  const { integration, target } = plan;
  const run = { integration, runId };
  const beginning = (before: ConnectionHealth): ConnectionHealth | undefined => {
    const after = next(before);
    const begun = after === undefined ? [] : restsWithout(after, before);
    return (
      after && { ...after, rests: after.rests.map((rest) => (begun.includes(rest) ? { ...rest, runs: [run] } : rest)) }
    );
  };
  try {
    const { before, after } = await deps.health.change(target.connection, beginning);
    await tell(round, before, after);
    return restsOf(after, integration).length > 0;
  } catch (error) {
    deps.log.error('health-unreachable', { connection: target.connection, error: String(error) });
    return false;
  }
};

/** Each worker's own change is told by that worker: a beginning and an end once each. */
const tell = async (round: Round, before: ConnectionHealth, after: ConnectionHealth): Promise<void> => {
  const { plan, deps } = round;
  const { connection } = plan.target;
  for (const rest of restsWithout(after, before)) {
    deps.log.warn('rest-began', { connection, cause: rest.cause, why: rest.why });
    await noteInRuns(round, rest);
    await deps.onRest?.({ kind: 'began', connection, rest });
  }
  for (const rest of restsWithout(before, after)) {
    const endedMs = deps.clock.nowMs();
    deps.log.info('rest-ended', { connection, cause: rest.cause, lastedMs: endedMs - rest.sinceMs });
    await noteInRuns(round, rest, endedMs);
    await deps.onRest?.({ kind: 'ended', connection, rest, endedMs });
  }
  for (const rest of after.rests) {
    const known = before.rests.find(
      ({ cause, sinceMs, integration }) =>
        cause === rest.cause && sinceMs === rest.sinceMs && integration === rest.integration,
    );
    const joined = known === undefined ? [] : rest.runs.slice(known.runs.length);
    if (joined.length > 0) await noteInRuns(round, { ...rest, runs: joined });
  }
};

/** Writes the rest into the books of its runs: lines for people, for whose sake no batch is repeated. */
const noteInRuns = async (
  { plan, deps }: Round,
  { cause, why, sinceMs, runs }: Rest,
  endedMs?: number,
): Promise<void> => {
  const { connection } = plan.target;
  for (const { integration, runId } of runs) {
    const noted = { connection, cause, why, sinceMs, ...(endedMs !== undefined && { endedMs }) };
    await deps.runs.noteRest(integration, runId, noted).catch((error: unknown) => {
      deps.log.warn('rest-not-noted', { integration, runId, error: String(error) });
    });
  }
};
