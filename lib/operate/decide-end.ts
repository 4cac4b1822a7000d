import { type Address, isSandbox } from '../connection/api/connection.ts';
import { movedWords } from '../fetch/whose-state.ts';
import { type Decided, decideEnd, type EndVerdict, noEnds, type OwnEnds, type Side } from '../runs/ends.ts';
import type { Clock } from '../runtime/clock.ts';
import { type AuditEntry, OF_ALL, type Stores } from '../stores/stores.ts';
import type { Signature } from './close-letters.ts';

/**
 * What a person says of one end of an integration. `now`: where that end is; absent where only a run on that stack can
 * tell.
 */
export type EndDecision = {
  integration: string;
  connection: string;
  side: Side;
  verdict: EndVerdict;
  now: Address | undefined;
};

export type DecideDeps = Pick<Stores, 'audit'> & {
  runs: Pick<Stores['runs'], 'ends' | 'saveEnds'>;
  limiter: Pick<Stores['limiter'], 'endPause'>;
  clock: Clock;
};

/** What a decision would come to; nothing is written. */
export const plannedDecision = async (
  { integration, side, verdict, now }: EndDecision,
  { runs, clock }: Pick<DecideDeps, 'runs' | 'clock'>,
): Promise<Decided> => decideEnd((await runs.ends(integration)) ?? noEnds(), side, verdict, now, clock.nowMs());

const actionOf = (side: Side, verdict: EndVerdict): AuditEntry['action'] => `${side}-${verdict}`;

/** Thrown when other writers kept changing whose state it is. */
export class EndBusyError extends Error {
  override readonly name = 'EndBusyError';
  readonly code = 'end-busy';
}

// A run that starts meanwhile may write the same item, once.
const MAX_ROUNDS = 4;

/**
 * Writes down what a person says of an end that is at another address. It is one write, which holds as a whole or not
 * at all. The audit log is written first: an entry without its change can be seen, a change without its entry could
 * not. A pause that the old address asked for ends. Throws EndBusyError.
 */
export const decideByHand = async (decision: EndDecision, signature: Signature, deps: DecideDeps): Promise<Decided> => {
  const { integration, connection, side, verdict } = decision;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const decided = await plannedDecision(decision, deps);
    if (decided.kind !== 'decided') return decided;
    const { ends, from, to } = decided;
    await deps.audit.add({
      atMs: deps.clock.nowMs(),
      action: actionOf(side, verdict),
      integration,
      id: OF_ALL,
      reason: `${from.origin} (${from.id}), now ${to.origin} (${to.id})`,
      ...signature,
    });
    await deps.limiter.endPause(connection);
    if ((await deps.runs.saveEnds(integration, ends)) === 'saved') return decided;
  }
  throw new EndBusyError(`whose state is kept of ${integration} is being changed by others; try again`);
};

/** Whether an integration's state belongs to the sandbox. State without an address counts as real. */
export const isOfSandbox = async (
  integration: string,
  { runs }: { runs: Pick<Stores['runs'], 'ends'> },
): Promise<boolean> => {
  const target = (await runs.ends(integration))?.target;
  return target !== undefined && isSandbox(target);
};

/**
 * Why nothing may be sent: the target is another than the one that the state belongs to; undefined: it may. `named`: as
 * the integration is named in the commands that are proposed.
 */
export const targetMoved = async (
  { integration, named }: { integration: string; named: string },
  own: OwnEnds,
  { runs }: { runs: Pick<Stores['runs'], 'ends'> },
): Promise<string | undefined> => movedWords(named, (await runs.ends(integration)) ?? noEnds(), own, 'target');
