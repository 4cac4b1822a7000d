import type { ConnectionRest } from '../connection/limit/health.ts';
import type { Integration } from '../integration/schema/schema.ts';
import { type RunRequest, writeRunRequest } from '../messages/run-request.ts';
import { readIds } from '../runs/id-lists.ts';
import { leftIn } from '../runs/line.ts';
import { type RunRecord, runIdOf } from '../runs/record.ts';
import { type Clock, lasts, reachMs } from '../runtime/clock.ts';
import type { Stores } from '../stores/stores.ts';
import { type Following, followRun, type RunSeen } from './follow-run.ts';
import { countLetters } from './letters.ts';
import { type ConnectionPause, heldTooLong, restsNow } from './pauses.ts';
import { drawUpRuns, type RunBooks } from './run-books.ts';

/** What whoever asked for a run is told while it goes on. */
export type RunNews =
  /** The stack has the request. */
  | { kind: 'asked' }
  /** Another run is under way, and is followed instead of the one that was asked for. */
  | { kind: 'joined'; runId: string }
  /** An earlier run was stopped while it was loading. It is brought to its end first. */
  | { kind: 'finishing'; runId: string }
  /** One end asked to wait. */
  | { kind: 'paused'; pause: ConnectionPause }
  /** Nothing is sent to the target but one record now and then. */
  | { kind: 'rests'; rest: ConnectionRest }
  | ({ kind: 'seen' } & RunSeen);

/** What is asked of a run. `confirmed`: yes to what would otherwise stop the run, or keep it from concluding. */
export type Asked = Pick<
  Extract<RunRequest, { kind: 'schedule' }>,
  'fullRefresh' | 'confirmed' | 'selection' | 'adoption'
>;

/** Writes what must be stored before the run of this id starts. Gives what else the run is asked for. */
export type Prepare = (run: Pick<RunRecord, 'integration' | 'runId' | 'versionMs'>) => Promise<Partial<Asked>>;

/** What runs an integration: a deployed stack, or one in this process. */
export type Engine = Pick<Following, 'runs' | 'idStore' | 'backlog' | 'closeBooks' | 'dispatch'> &
  Pick<Stores, 'deadLetters' | 'records'> & {
    /** Which connections are paused, and which rest; absent where their end is always waited for. */
    holds?: Pick<Stores, 'limiter' | 'health'>;
    /** Lets the workers take what is queued; absent where they always do. */
    work?(): void;
    /** Starts a run, or goes on with one that was left unfinished; answers its id. Throws RunNotStartedError. */
    start(asked: Asked, onNews: (news: RunNews) => void, prepare?: Prepare): Promise<string>;
  };

/** A run that was asked for and is over. */
export type RunEnd = RunBooks & {
  /** Messages whose function failed. */
  stranded: number;
  /** Letters of this integration that wait, from whichever run; not counted after a stop. */
  deadLetters: number;
  /** The pause that was not waited for. */
  pause?: ConnectionPause;
  /** The rest whose end was not waited for. */
  rest?: ConnectionRest;
  /** Those of the ids asked for that the source does not give; absent: none. */
  notGiven?: string[];
};

/** How a run is followed. `maxWaitMs`: how long pauses are waited for, where the engine tells of them. */
export type FollowedHow = {
  clock: Clock;
  onNews: (news: RunNews) => void;
  isStopped: () => boolean;
  maxWaitMs: number;
  prepare?: Prepare;
};

/** Asks for a run and follows it to its end, or until a pause or a rest is too long to wait for. Throws RunNotStartedError, and what the engine throws. */
export const runNow = async (
  integration: Integration,
  asked: Asked,
  engine: Engine,
  { clock, onNews, isStopped, maxWaitMs, prepare }: FollowedHow,
): Promise<RunEnd> => {
  const { holds, backlog, runs } = engine;
  let isOver = false;
  const hasEnded = () => isOver || isStopped();
  const booksOf = async (run: RunRecord): Promise<RunBooks> => {
    const [books] = await drawUpRuns([run], [integration], { ...engine, clock });
    if (books === undefined) throw new Error('one run has one books');
    return books;
  };
  const toItsEnd = async (): Promise<RunEnd> => {
    const onSeen = (seen: RunSeen) => onNews({ kind: 'seen', ...seen });
    const left = await finishEarlier(integration, engine, { clock, onNews, isStopped: hasEnded });
    // Who has given up starts nothing more.
    if (left !== undefined && hasEnded()) return { ...(await booksOf(left)), stranded: 0, deadLetters: 0 };
    const runId = await engine.start(asked, onNews, prepare);
    const followed = await followRun(runId, { ...engine, integration, clock, onSeen, isStopped: hasEnded });
    // The caller may close the stores next. Letters that are still being looked through would then stay hidden.
    const deadLetters = hasEnded() ? 0 : await countLetters(integration.name, engine, backlog !== undefined);
    const ids = await notGivenIn(followed.run, runs);
    return { ...(await booksOf(followed.run)), stranded: followed.stranded, deadLetters, ...ids };
  };
  const following = toItsEnd();
  if (holds === undefined || backlog === undefined) return following;
  const onPaused = (pause: ConnectionPause) => onNews({ kind: 'paused', pause });
  const onRest = (rest: ConnectionRest) => onNews({ kind: 'rests', rest });
  const watch = { integration, runs, ...holds, backlog, clock, maxWaitMs, isOver: hasEnded, onPaused, onRest };
  const overByItself = following.then((end) => ({ end }));
  const givenUp = async () => (await heldTooLong(watch)) ?? overByItself;
  try {
    const found = await Promise.race([overByItself, givenUp()]);
    if ('end' in found) return found.end;
    isOver = true;
    const { run, hold } = found;
    // What was loaded since then is in the books only after they are drawn up again.
    if (run.status === 'loading') await engine.closeBooks();
    const drawn = await runs.run(integration.name, run.runId);
    const deadLetters = await countLetters(integration.name, engine, true);
    const { kind: _, ...what } = hold;
    return { ...(await booksOf(drawn ?? run)), ...what, stranded: 0, deadLetters };
  } finally {
    isOver = true;
  }
};

/** Runs looked back on for one that was stopped while it was loading. */
const RUNS_LOOKED_AT = 10;
/**
 * Messages of another integration are not loaded here, so the wait ends when nothing has moved for this long. A dead
 * worker's claims last for a time-out and somewhat longer: that much is added.
 */
const UNMOVED_MS = 90_000;

/**
 * Lets the messages of earlier runs be loaded first, where the backlog is known. A run that was stopped while it was
 * loading is brought to its end, and its records count in its own books. Gives the last run that was waited for.
 */
const finishEarlier = async (
  integration: Integration,
  engine: Engine,
  { clock, onNews, isStopped }: Pick<FollowedHow, 'clock' | 'onNews' | 'isStopped'>,
): Promise<RunRecord | undefined> => {
  const { backlog, runs, holds } = engine;
  if (backlog === undefined) return undefined;
  // While a target rests its records wait: the run tries one of them, and reads its source in the meantime.
  if (holds !== undefined && (await restsNow(integration, holds.health)).length > 0) return undefined;
  const messages = (): number => {
    const { visible, inFlight, delayed } = backlog();
    return visible + inFlight + delayed;
  };
  if (messages() === 0 && leftIn(await runs.line(integration.name)) === 0) return undefined;
  const recent = await runs.runs(integration.name, RUNS_LOOKED_AT);
  const loading = recent.filter(({ status }) => status === 'loading').reverse();
  const books = await drawUpRuns(loading, [integration], { ...engine, clock });
  let last: RunRecord | undefined;
  for (const { run, state } of books) {
    if (state !== 'open' || isStopped()) continue;
    onNews({ kind: 'finishing', runId: run.runId });
    engine.work?.();
    // The queue is filled again from the ledger as it empties: what waits there moves, too.
    let inLedger = leftIn(await runs.line(integration.name));
    let fewest = messages() + inLedger;
    let movedMs = clock.nowMs();
    const isUnmoved = (): boolean => {
      const now = messages() + inLedger;
      if (now < fewest) movedMs = clock.nowMs();
      fewest = Math.min(fewest, now);
      return clock.nowMs() - movedMs > UNMOVED_MS + integration.target.connection.timeoutMs;
    };
    const onSeen = (seen: RunSeen) => {
      inLedger = seen.unsent;
      onNews({ kind: 'seen', ...seen });
    };
    const waited = { ...engine, integration, clock, onSeen, isStopped: () => isStopped() || isUnmoved() };
    last = (await followRun(run.runId, waited)).run;
  }
  return last;
};

const notGivenIn = async (run: RunRecord, runs: Engine['runs']): Promise<Pick<RunEnd, 'notGiven'>> =>
  run.notGiven === undefined ? {} : { notGiven: [...(await readIds('not-given', run, run.notGiven.chunks, runs))] };

/** A run that was asked for and did not start. */
export class RunNotStartedError extends Error {
  override readonly name = 'RunNotStartedError';
  readonly code = 'run-not-started';
}

/** A message on the runs queue is taken within seconds; where nobody takes it, something is wrong over there. */
const START_WITHIN_MS = 90_000;
const POLL_MS = 2_000;

export type AskingDeps = Pick<Stores, 'runs' | 'runRequests'> & {
  clock: Clock;
  /** The stack's name, for the words of an error. */
  stack: string;
};

/**
 * Sends a request to the runs queue and waits until a run of the integration has started: the requested one, or another
 * that is under way. Gives its id. Throws RunNotStartedError.
 */
export const askForRun = async (
  integration: string,
  asked: Asked,
  { runs, runRequests, clock, stack }: AskingDeps,
  onNews: (news: RunNews) => void,
  prepare?: Prepare,
): Promise<string> => {
  const sentMs = clock.nowMs();
  const wantedId = runIdOf(integration, sentMs);
  const before = await runs.lease(integration);
  const isToTakeOver = asked.adoption !== undefined;
  if (isToTakeOver && before !== undefined && lasts(before.untilMs, sentMs, reachMs.invocation))
    throw underWay(before.runId);
  const more = await prepare?.({ integration, runId: wantedId, versionMs: sentMs });
  const body = writeRunRequest({ kind: 'schedule', integration, scheduledMs: sentMs, ...asked, ...more });
  const { failed } = await runRequests.sendAll([{ body }]);
  if (failed.length > 0) throw new RunNotStartedError('The runs queue did not accept the request.');
  onNews({ kind: 'asked' });
  while (clock.nowMs() - sentMs < START_WITHIN_MS) {
    if ((await runs.run(integration, wantedId)) !== undefined) return wantedId;
    const lease = await runs.lease(integration);
    const isTaken = lease !== undefined && (lease.owner !== before?.owner || lease.untilMs > clock.nowMs());
    const other = isTaken ? await runs.run(integration, lease.runId) : undefined;
    if (other !== undefined && other.runId !== wantedId) {
      if (isToTakeOver && other.adoption === undefined) throw underWay(other.runId);
      onNews({ kind: 'joined', runId: other.runId });
      return other.runId;
    }
    await clock.sleep(POLL_MS);
  }
  const waited = `No run started within ${START_WITHIN_MS / 1_000} s.`;
  throw new RunNotStartedError(`${waited} Look at the log of ${stack}'s fetch function, and at its alarms.`);
};

const underWay = (runId: string): RunNotStartedError =>
  new RunNotStartedError(`The run ${runId} is under way: nothing is taken over before it has ended. 请等该运行结束。`);
