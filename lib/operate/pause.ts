import { type Ends, noEnds, pausedEnds } from '../runs/ends.ts';
import type { Clock } from '../runtime/clock.ts';
import { OF_ALL, type Stores } from '../stores/stores.ts';
import type { Signature } from './close-letters.ts';
import { EndBusyError } from './decide-end.ts';

type PauseDeps = { runs: Pick<Stores['runs'], 'ends' | 'saveEnds'>; audit: Stores['audit']; clock: Clock };

// A run that starts meanwhile may write the same item, once.
const MAX_ROUNDS = 4;

/**
 * Pauses an integration, or lets it go on: while it is paused its schedule starts no run. What is queued is loaded all the
 * same, so that no message grows old, and a person may run it. The word stands in the stores, and so outlives deployments
 * and edits of the file. Gives since when it is paused, and whether that is new. Throws EndBusyError.
 */
export const setPaused = async (
  integration: string,
  isPaused: boolean,
  signature: Signature,
  { runs, audit, clock }: PauseDeps,
): Promise<{ pausedSinceMs?: number; isNew: boolean }> => {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const ends: Ends = (await runs.ends(integration)) ?? noEnds();
    const next = pausedEnds(ends, isPaused ? clock.nowMs() : undefined);
    const { pausedSinceMs } = next;
    if (next === ends) return { ...(pausedSinceMs !== undefined && { pausedSinceMs }), isNew: false };
    const action = isPaused ? 'paused' : 'resumed';
    await audit.add({ atMs: clock.nowMs(), action, integration, id: OF_ALL, reason: 'none', ...signature });
    if ((await runs.saveEnds(integration, next)) === 'saved') {
      return { ...(pausedSinceMs !== undefined && { pausedSinceMs }), isNew: true };
    }
  }
  throw new EndBusyError(`what was decided of ${integration} is being changed by others; try again`);
};

/** Which of these integrations are paused, and since when, ms since the epoch. */
export const pausedOf = async (
  names: readonly string[],
  { runs }: { runs: Pick<Stores['runs'], 'ends'> },
): Promise<Record<string, number>> => {
  const found = await Promise.all(
    names.map(async (name): Promise<[string, number][]> => {
      const sinceMs = (await runs.ends(name))?.pausedSinceMs;
      return sinceMs === undefined ? [] : [[name, sinceMs]];
    }),
  );
  return Object.fromEntries(found.flat());
};
