import { type ReplayDeps, type ReplayEvent, type Replayed, type ReplayRequest, replay } from '../replay/replay.ts';
import type { Runtime } from '../stores/stores.ts';

/** Sends dead letters to the records queue again. */
export const replayFlow = (
  stores: Pick<ReplayDeps, 'deadLetters' | 'records' | 'audit'>,
  runtime: Pick<Runtime<ReplayEvent>, 'clock' | 'log'>,
): ((request: ReplayRequest) => Promise<Replayed>) => {
  const deps: ReplayDeps = { ...stores, ...runtime };
  return (request) => replay(request, deps);
};
