import { defined } from '../runtime/defined.ts';
import type { IdCheck } from './item.ts';

/** What a person says the target has already. */
export type Adoptee = { id: string; hash: string; versionMs: number };

/**
 * Whether an id may be written down as loaded without having been sent: nothing is loaded of it, and nothing of it is on
 * its way or in doubt. What was refused, given up or deleted is taken over: the target has it by now. Pure.
 */
export const isAdoptable = (stored: IdCheck | undefined): boolean =>
  stored === undefined ||
  (stored.loaded === undefined &&
    stored.claim === undefined &&
    stored.trouble?.kind !== 'uncertain' &&
    stored.trouble?.kind !== 'parked');

/** The item of an adoptable id as if its content had been loaded. A doubt stays for as long as it may come true. Pure. */
export const asAdopted = (stored: IdCheck | undefined, { id, hash, versionMs }: Adoptee, nowMs: number): IdCheck => {
  const loaded = { hash, versionMs, atMs: nowMs };
  if (stored === undefined) return { id, rev: 1, loaded };
  const { doubt } = stored;
  return { id, rev: stored.rev + 1, turn: (stored.turn ?? 0) + 1, loaded, ...defined({ doubt }) };
};
