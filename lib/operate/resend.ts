import { resent, type Unsendable } from '../idcheck/by-hand.ts';
import { type CloseDeps, changeItem, presentState, readItem, type Signature } from './close-letters.ts';

export type ResendDeps = Pick<CloseDeps, 'idStore' | 'runs' | 'audit' | 'clock'>;

/** What becomes of an id that a person wants sent again. */
export type Resending = { id: string } & (
  | { kind: 'resent'; integration: string }
  | { kind: 'unsendable'; why: Unsendable }
  /** It is refused in several. */
  | { kind: 'ambiguous'; integrations: string[] }
);

/** For each id the integration in which it is refused without a letter, or why it is not sent again. Writes nothing. */
export const planResend = async (
  ids: readonly string[],
  integrations: readonly string[],
  { idStore, runs, clock }: Pick<ResendDeps, 'idStore' | 'runs' | 'clock'>,
): Promise<Resending[]> => {
  const results: Resending[] = [];
  for (const id of new Set(ids)) {
    const found: string[] = [];
    let why: Unsendable = 'unknown-id';
    for (const name of integrations) {
      const tried = resent(await readItem(idStore, await presentState(name, runs), id), clock.nowMs());
      if (tried.kind === 'resent') found.push(name);
      else if (tried.why !== 'unknown-id' && (why === 'unknown-id' || why === 'not-refused')) why = tried.why;
    }
    const [integration, ...more] = found;
    if (integration === undefined) results.push({ id, kind: 'unsendable', why });
    else if (more.length > 0) results.push({ id, kind: 'ambiguous', integrations: found });
    else results.push({ id, kind: 'resent', integration });
  }
  return results;
};

/** Lets the next run send these records again. Each is written to the audit log first. Throws ItemBusyError. */
export const resend = async (
  planned: readonly Resending[],
  signature: Signature,
  { idStore, runs, audit, clock }: ResendDeps,
): Promise<void> => {
  for (const one of planned) {
    if (one.kind !== 'resent') continue;
    const { id, integration } = one;
    const atMs = clock.nowMs();
    await audit.add({ atMs, action: 'resent', integration, id, reason: 'rejected', ...signature });
    await changeItem(idStore, await presentState(integration, runs), id, (stored) => {
      const now = resent(stored, atMs);
      return now.kind === 'resent' ? now.item : undefined;
    });
  }
};
