import { type ReplayDeps, type ReplayEvent, type Replayed, type ReplayRequest, replay } from '../replay/replay.ts';
import type { Runtime } from '../stores/runtime.ts';

/** Sends dead letters to the records queue again. */
export const replayFlow = (
  { deadLetters, records }: Pick<ReplayDeps, 'deadLetters' | 'records'>,
  { clock, log }: Pick<Runtime<ReplayEvent>, 'clock' | 'log'>,
): ((request: ReplayRequest) => Promise<Replayed>) => {
  const deps = { deadLetters, records, clock, log };
  return (request) => replay(request, deps);
};
