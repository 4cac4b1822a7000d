import { isRecent, lasts, reachMs } from '../../runtime/clock.ts';
import type { RestTuning } from '../../runtime/tuning.ts';
import type { ConnectionHealth, ConnectionRest, Rest, RestingRun, Sign, Try } from './health.ts';

/** What a worker has seen of one request, and how many records went well for it since it last told. */
export type Seen = { integration: string; records: readonly string[]; sign: Sign; why: string; wellBefore: number };

/** Failed records that are remembered: enough for the share, few enough for a small item. */
const MAX_FAILED = 100;
const MAX_RUNS = 20;

/** The rests that hold the records of an integration. Pure, as all here is. */
export const restsOf = ({ rests }: ConnectionHealth, integration: string): Rest[] =>
  rests.filter((rest) => rest.integration === undefined || rest.integration === integration);

/** Whether somebody who sees a success should tell: a failure is remembered, which the success may outweigh. */
export const isWorthTelling = ({ tries, unclear, rests }: ConnectionHealth, integration: string): boolean =>
  rests.length === 0 && (tries.length > 0 || (unclear[integration] ?? 0) > 0);

const failedIn = (one: Try): readonly string[] => ('failed' in one ? one.failed : []);

/** Forgets what is too old, and what is too much. */
const recent = (tries: readonly Try[], nowMs: number, windowMs: number): Try[] => {
  let room = MAX_FAILED;
  return tries
    .filter(({ atMs }) => isRecent(atMs, nowMs, windowMs))
    .reverse()
    .filter((one) => {
      const fits = room > 0;
      room -= failedIn(one).length;
      return fits;
    })
    .reverse();
};

/**
 * Whether these tries show that the target is down: several requests failed, and with them most of enough different
 * records; or nothing was seen but failed connections, which no record can be the cause of, or nothing else for as many
 * requests in a row: a short list has fewer records than that.
 */
const showDown = (tries: readonly Try[], { minRecords, failedShare, minRequests }: RestTuning): boolean => {
  const failures = tries.filter((one) => 'failed' in one);
  if (failures.length < minRequests) return false;
  const lastSent = tries.findLastIndex((one) => !('failed' in one) || !one.isUnsent);
  if (lastSent < 0 || tries.length - 1 - lastSent >= minRecords) return true;
  const failed = new Set(failures.flatMap(failedIn)).size;
  const well = tries.reduce((sum, one) => sum + ('well' in one ? one.well : 0), 0);
  return failed + well >= minRecords && failed >= failedShare * (failed + well);
};

const triesOf = ({ integration, records, sign, wellBefore }: Seen, atMs: number): Try[] => {
  const well = wellBefore + (sign === 'well' || sign === 'unclear' ? records.length : 0);
  const before: Try[] = well > 0 ? [{ atMs, well }] : [];
  if (sign !== 'down' && sign !== 'unsent') return before;
  return [...before, { atMs, failed: records.map((id) => `${integration} ${id}`), isUnsent: sign === 'unsent' }];
};

/** How many answers in a row were not understood: each counts one, however many records were in its request. */
const unclearOf = (before: number, { sign, wellBefore }: Seen): number => {
  const earlier = wellBefore > 0 ? 0 : before;
  if (sign === 'unclear') return earlier + 1;
  return sign === 'well' ? 0 : earlier;
};

/**
 * What is known after a request. Where it shows that the target is down, or that its answers are not understood, a rest
 * begins. What was under way when one began changes nothing.
 */
export const withSeen = (health: ConnectionHealth, seen: Seen, nowMs: number, tuning: RestTuning): ConnectionHealth => {
  const { integration, why, sign } = seen;
  if (restsOf(health, integration).length > 0) return health;
  const tries = recent([...health.tries, ...triesOf(seen, nowMs)], nowMs, tuning.windowMs);
  const count = unclearOf(health.unclear[integration] ?? 0, seen);
  const { [integration]: _, ...others } = health.unclear;
  const begin = { why, sinceMs: nowMs, failedProbes: 0, runs: [] };
  if (showDown(tries, tuning)) {
    const rest: Rest = { cause: 'down', ...begin, probeAtMs: nowMs + pauseMs(0, tuning) };
    return { ...health, tries: [], rests: [...health.rests, rest] };
  }
  if (count >= tuning.unclearAnswers) {
    const rest: Rest = { cause: 'not-understood', integration, ...begin };
    return { tries, unclear: others, rests: [...health.rests, rest] };
  }
  if (sign === 'refused') return { ...health, tries: [], rests: [...health.rests, { cause: 'refused', ...begin }] };
  // Where nothing failed lately, there is nothing to weigh: the item stays small.
  const hasFailed = tries.some((one) => 'failed' in one);
  return {
    ...health,
    tries: hasFailed ? tries : [],
    unclear: { ...others, ...(count > 0 && { [integration]: count }) },
  };
};

/** The pause before the next probe, ms: longer after each that failed. One worker probes, so nothing spreads it. */
export const pauseMs = (failedProbes: number, { pause }: RestTuning): number =>
  Math.min(pause.capMs, pause.baseMs * 2 ** failedProbes);

/** Whether one record may be tried now. */
export const isProbeDue = ({ probeAtMs, probe }: Rest, nowMs: number): boolean =>
  probeAtMs !== undefined &&
  !lasts(probeAtMs, nowMs, reachMs.nextProbe) &&
  !(probe !== undefined && lasts(probe.untilMs, nowMs, reachMs.invocation));

/** The rests that hold an integration with this worker's probe on them; undefined: it is not time, or another is at it. */
export const withProbe = (
  health: ConnectionHealth,
  integration: string,
  probe: { owner: string; untilMs: number },
  nowMs: number,
): ConnectionHealth | undefined => {
  const held = restsOf(health, integration);
  if (held.length === 0 || !held.every((rest) => isProbeDue(rest, nowMs))) return undefined;
  return { ...health, rests: health.rests.map((rest) => (held.includes(rest) ? { ...rest, probe } : rest)) };
};

/**
 * What is known after a probe. An answer ends the rest of a target that was down; one that is understood ends the other.
 * `sign` undefined: the probe said nothing (429, not sent): the next record may be tried.
 */
export const afterProbe = (
  health: ConnectionHealth,
  owner: string,
  said: { sign: Sign; why: string } | undefined,
  nowMs: number,
  tuning: RestTuning,
): ConnectionHealth => {
  const rests = health.rests.flatMap((rest): Rest[] => {
    if (rest.probe?.owner !== owner) return [rest];
    const { probe: _, ...unprobed } = rest;
    if (said === undefined) return [unprobed];
    return afterSign(unprobed, said, nowMs, tuning);
  });
  return { ...health, rests };
};

const afterSign = (
  rest: Rest,
  { sign, why }: { sign: Sign; why: string },
  nowMs: number,
  tuning: RestTuning,
): Rest[] => {
  const { probeAtMs: _, ...failed } = { ...rest, why, failedProbes: rest.failedProbes + 1, failedMs: nowMs };
  // Only a person can mend that: the next run tries again.
  if (sign === 'refused') return [{ ...failed, cause: 'refused' }];
  switch (rest.cause) {
    case 'down':
      return sign === 'down' || sign === 'unsent'
        ? [{ ...failed, probeAtMs: nowMs + pauseMs(failed.failedProbes, tuning) }]
        : [];
    case 'not-understood':
      if (sign === 'well') return [];
      // Without an answer the question stays, and is asked again after a while.
      return sign === 'unclear' ? [failed] : [{ ...failed, probeAtMs: nowMs + pauseMs(failed.failedProbes, tuning) }];
    case 'refused':
      // Whoever answers in any other way has let us in.
      return sign === 'well' || sign === 'unclear'
        ? []
        : [{ ...failed, probeAtMs: nowMs + pauseMs(failed.failedProbes, tuning) }];
    default:
      return rest.cause satisfies never;
  }
};

/** A run begins: whatever rests its records, one of them is tried at once. */
export const askedAnew = (
  health: ConnectionHealth,
  integration: string,
  nowMs: number,
): ConnectionHealth | undefined => {
  const waiting = restsOf(health, integration).filter(({ probeAtMs = Number.POSITIVE_INFINITY }) => probeAtMs > nowMs);
  if (waiting.length === 0) return undefined;
  return {
    ...health,
    rests: health.rests.map((rest) => (waiting.includes(rest) ? { ...rest, probeAtMs: nowMs } : rest)),
  };
};

/** The rest with a run on it that has records waiting for its end; undefined: it is there already, or there is no room. */
export const withRun = (rest: Rest, { integration, runId }: RestingRun): Rest | undefined => {
  const isKnown = rest.runs.some((run) => run.integration === integration && run.runId === runId);
  if (isKnown || rest.runs.length >= MAX_RUNS) return undefined;
  return { ...rest, runs: [...rest.runs, { integration, runId }] };
};

const isSame = (a: Rest, b: Rest): boolean =>
  a.cause === b.cause && a.integration === b.integration && a.sinceMs === b.sinceMs;

/** The rests of `these` that are not among `those`. */
export const restsWithout = (these: ConnectionHealth, those: ConnectionHealth): Rest[] =>
  these.rests.filter((rest) => !those.rests.some((other) => isSame(rest, other)));

/** What an operator may see of the rests that hold an integration. */
export const shownRests = (health: ConnectionHealth, connection: string, integration: string): ConnectionRest[] =>
  restsOf(health, integration).map(({ probe: _, runs: _runs, ...rest }) => ({ connection, ...rest }));
