import type { ConnectionRest } from '../connection/limit/health.ts';
import { type LetterFilter, listLetters } from '../messages/dead-letter-queue.ts';
import { nothingReplayed, type ReplayDeps, type Replayed, type ReplayRequest, replay } from '../replay/replay.ts';
import type { Clock } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import type { Stores } from '../stores/stores.ts';

/** What a replay did, and what waits now. */
export type ReplayEnd = Replayed & {
  dryRun: boolean;
  /** Letters that were sent again and have come back. */
  backInQueue: number;
  /** The target rests, and its end was not waited for: what was sent again is still queued. */
  rest?: ConnectionRest;
  /** Letters that still wait in the end: of the integration that was named, or of all. */
  deadLetters: number;
};

/** Sends letters to be loaded again. The stack's own workers load them later, so none has come back yet. */
export const replayLetters = async (request: ReplayRequest, deps: ReplayDeps): Promise<ReplayEnd> => {
  const replayed = await replay(request, deps);
  const waiting = await listLetters(deps.deadLetters, defined({ integration: request.integration }));
  return { ...replayed, dryRun: request.dryRun ?? false, backInQueue: 0, deadLetters: waiting.length };
};

/** A stack in this process: it replays, and loads until nothing is left to load. */
export type ReplayEngine = Pick<Stores, 'deadLetters'> & {
  clock: Pick<Clock, 'nowMs'>;
  replay(request: ReplayRequest): Promise<Replayed>;
  /** Loads until nothing is left, or until the target is given up; then it gives the target's rest. */
  loadAll(): Promise<ConnectionRest | undefined>;
};

/**
 * Where the letters of one integration are replayed. Its stack is opened for it, with its own target, and closed again.
 */
export type ReplayPlace = {
  integration: string;
  open<End>(use: (engine: ReplayEngine) => Promise<End>): Promise<End>;
};

/** Sends letters to be loaded again, one integration after the other, and waits until they are. */
export const replayAndLoad = async (
  request: ReplayRequest,
  places: readonly ReplayPlace[],
): Promise<Omit<ReplayEnd, 'deadLetters'>> => {
  const dryRun = request.dryRun ?? false;
  const end: Omit<ReplayEnd, 'deadLetters'> = { ...nothingReplayed(), dryRun, backInQueue: 0 };
  for (const { integration, open } of places) {
    const limit = request.limit === undefined ? undefined : request.limit - end.replayed.length;
    if (limit === 0) break;
    const one = { ...request, integration, ...defined({ limit }) };
    const { replayed, notReplayable, heldBack, mustBeResolved, otherTarget, backInQueue, rest } = await open((engine) =>
      replayOne(one, engine),
    );
    end.replayed.push(...replayed);
    end.mustBeResolved.push(...mustBeResolved);
    end.otherTarget.push(...otherTarget);
    end.notReplayable += notReplayable;
    end.heldBack += heldBack;
    end.backInQueue += backInQueue;
    if (rest !== undefined) end.rest = rest;
  }
  return end;
};

const replayOne = async (
  request: ReplayRequest & { integration: string },
  engine: ReplayEngine,
): Promise<Replayed & Pick<ReplayEnd, 'backInQueue' | 'rest'>> => {
  const beganMs = engine.clock.nowMs();
  const replayed = await engine.replay(request);
  if (request.dryRun || replayed.replayed.length === 0) return { ...replayed, backInQueue: 0 };
  const rest = await engine.loadAll();
  const waiting = await listLetters(engine.deadLetters, { integration: request.integration });
  // A record may have other letters, too, such as one of another target.
  const back = waiting.filter(({ message }) => (message?.replayedMs ?? 0) >= beganMs);
  return { ...replayed, backInQueue: back.length, ...defined({ rest }) };
};

/** The integrations that the letters belong to, and how many letters name none. */
export const integrationsWithLetters = async (
  filter: LetterFilter,
  { deadLetters }: Pick<Stores, 'deadLetters'>,
): Promise<{ names: string[]; unreadable: number }> => {
  const letters = await listLetters(deadLetters, filter);
  const unreadable = letters.filter(({ integration, message }) => (integration ?? message) === undefined).length;
  return { names: [...new Set(letters.flatMap(({ message }) => message?.integration ?? []))], unreadable };
};
