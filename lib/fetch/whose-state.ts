import { type Ends, hasMoved, metBy, noEnds, type OwnEnds, renamedTo, type Side } from '../runs/ends.ts';
import type { RunFailure, RunRecord, RunWarning } from '../runs/record.ts';
import type { RunStore } from '../runs/store.ts';
import { defined } from '../runtime/defined.ts';

/** What a run knows of whose state it works on. */
export type StateFacts = Pick<RunRecord, 'generation' | 'ends' | 'sourceSinceMs' | 'sourceMoved'>;

/** Thrown where whose state it is keeps changing: the next request looks again. */
class EndsBusyError extends Error {
  override readonly name = 'EndsBusyError';
  readonly code = 'ends-busy';
}

// Only a person's word on an end, or another start of a run, writes the same item.
const MAX_TRIES = 4;

/** Whose state it is, with what these addresses add to it: written down only where that is something new. */
export const meetEnds = async (
  integration: string,
  own: OwnEnds,
  runs: Pick<RunStore, 'ends' | 'saveEnds'>,
): Promise<{ ends: Ends; before: Ends }> => {
  for (let tried = 0; tried < MAX_TRIES; tried++) {
    const before = (await runs.ends(integration)) ?? noEnds();
    const ends = metBy(before, own);
    if (ends === before || (await runs.saveEnds(integration, ends)) === 'saved') return { ends, before };
  }
  throw new EndsBusyError(`whose state is kept of ${integration} is being changed by others`);
};

/** What a run is to know of whose state it works on. Pure. */
export const stateFacts = (ends: Ends, own: OwnEnds): StateFacts => ({
  ...(ends.generation > 0 && { generation: ends.generation }),
  ends: defined({ source: own.source?.id, target: own.target?.id }),
  ...defined({ sourceSinceMs: ends.sourceSinceMs }),
  ...(hasMoved(ends, own, 'source') && { sourceMoved: true as const }),
});

/** Whether a run that was left unfinished has worked on this state, and read this source. Pure. */
export const isOfThisState = (run: Pick<RunRecord, 'generation' | 'ends'>, ends: Ends, own: OwnEnds): boolean =>
  (run.generation ?? 0) === ends.generation &&
  (run.ends?.source === undefined || own.source === undefined || run.ends.source === own.source.id);

/** Where state and an end disagree, and the two ways on; undefined: they agree. `named`: the integration's name. Pure. */
export const movedWords = (named: string, ends: Ends, own: OwnEnds, side: Side): string | undefined => {
  const known = ends[side];
  const now = own[side];
  if (known === undefined || now === undefined || !hasMoved(ends, own, side)) return undefined;
  const newName = side === 'target' ? renamedTo(ends) : undefined;
  if (newName !== undefined) {
    return `the integration ${named} was renamed to ${newName}: nothing was sent. Rename its file as well; "okki-sync target new ${named}" begins anew under the old name`;
  }
  const places =
    known.origin === now.origin
      ? `another ${side} at ${known.origin} (other path or account)`
      : `the ${side} ${known.origin}, and the ${side} is now ${now.origin}`;
  const follows = side === 'target' ? 'nothing was sent' : 'nothing follows from absence';
  const command = (verdict: string) => `"okki-sync ${side} ${verdict} ${named}"`;
  return `the state is that of ${places}: ${follows}. ${command('same')} keeps the state (the system has moved), ${command('new')} begins anew (it is another system)`;
};

/** Why a run must not begin: its target is another than the one that the state belongs to. Pure. */
export const failureOfTarget = (
  integration: string,
  ends: Ends,
  own: OwnEnds,
): { code: RunFailure; message: string } | undefined => {
  const message = movedWords(integration, ends, own, 'target');
  return message === undefined ? undefined : { code: 'target-moved', message };
};

/**
 * What a run says of whose state it is: that the source is another one; or that the state of an earlier version, which
 * named no address, is taken for that of these ends. `isKnown`: there was state. Pure.
 */
export const stateWarnings = (
  integration: string,
  before: Ends,
  ends: Ends,
  own: OwnEnds,
  isKnown: boolean,
): RunWarning[] => {
  const moved = movedWords(integration, ends, own, 'source');
  const isTaken = before.rev === 0 && isKnown && own.target !== undefined;
  const taken = `the state of an earlier version named no address: it is taken for that of the target ${own.target?.origin} and the source ${own.source?.origin}`;
  return [
    ...(moved === undefined ? [] : [{ code: 'source-moved', count: 1, message: moved }]),
    ...(isTaken ? [{ code: 'state-taken', count: 1, message: taken }] : []),
  ];
};
