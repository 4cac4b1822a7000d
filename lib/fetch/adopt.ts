import { type Adoptee, asAdopted, isAdoptable } from '../idcheck/by-hand.ts';
import { classify, skipReason } from '../idcheck/classify.ts';
import { type LoadPolicy, surelyLoaded } from '../idcheck/decide.ts';
import { type IdCheck, type IdStore, stateOf } from '../idcheck/item.ts';
import type { Known } from '../idcheck/known.ts';
import type { LedgerEntry } from '../runs/ledger.ts';
import type { UnfinishedRun } from '../runs/record.ts';
import { mapBounded } from '../runtime/bounded.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Compared, Ready } from './compare.ts';
import type { Part } from './pass.ts';
import type { Taking } from './taking.ts';

/** A record that is to be written down as loaded. */
export type Adopt = Pick<Adoptee, 'id' | 'hash'>;

/** `isKnown`: something is loaded of it, on its way or in doubt, and stays as it is. */
type ComparedToAdopt = Pick<Compared, 'entry' | 'isLeftOut'> & { toAdopt?: Adopt; isKnown?: true };

const KNOWN = 'known already: loaded with other content, on its way or in doubt';

const left = (id: string, reason: string): Pick<ComparedToAdopt, 'entry' | 'isLeftOut'> => ({
  entry: { id, outcome: 'waiting', reason },
  isLeftOut: true,
});

/** What taking over makes of a record. It never replaces what is known; the next run compares such records as ever. */
export const compareToAdopt = (
  { id, hash }: Pick<Ready, 'id' | 'hash'>,
  known: Known,
  policy: LoadPolicy,
  taking: Taking,
): ComparedToAdopt => {
  const stored = known.take(id);
  if (isAdoptable(stored)) {
    const reason = taking.leavesOut({ id }, known.isLoaded);
    if (reason !== undefined) return left(id, reason);
    const entry: LedgerEntry = { id, outcome: 'unchanged', reason: 'taken over' };
    return { entry, toAdopt: { id, hash } };
  }
  const isKnown = taking.means(id) && { isKnown: true as const };
  const classified = classify(stored, hash, policy, false);
  if (classified.outcome === 'unchanged') return { entry: { id, outcome: 'unchanged' }, ...isKnown };
  if (classified.outcome === 'enqueued') return { ...left(id, KNOWN), ...isKnown };
  return { entry: { id, outcome: 'skipped', reason: skipReason(classified.skip), hash }, ...isKnown };
};

/** Items under way at once: as many as keep a table busy without being throttled. */
const WRITE_CONCURRENCY = 16;
/** A loader may write the same item meanwhile; more rounds than this mean that something else keeps writing. */
const MAX_ROUNDS = 5;

/** Thrown when an item kept changing while it was to be taken over. */
class ItemContendedError extends Error {
  override readonly name = 'ItemContendedError';
  readonly code = 'item-contended';
}

type AdoptDeps = { idStore: IdStore; clock: Clock };

/**
 * Writes a part's records down as loaded, each under the condition that nobody has written its item since. Gives the part
 * as it came to be: what others loaded or claimed meanwhile stays theirs. Done again it changes nothing.
 */
export const adoptingInto =
  ({ idStore, clock }: AdoptDeps) =>
  async (part: Part, run: Pick<UnfinishedRun, 'integration' | 'generation' | 'versionMs'>): Promise<Part> => {
    const { versionMs } = run;
    const state = stateOf(run);
    if (part.toAdopt.length === 0) return part;
    // The items that the run began with are eventually consistent, and old by now.
    const ids = part.toAdopt.map(({ id }) => id);
    const items = await idStore.read(state, ids);
    const ends = await mapBounded(part.toAdopt, WRITE_CONCURRENCY, (one) =>
      adoptOne(state, { ...one, versionMs }, items.get(one.id), idStore, clock.nowMs()),
    );
    if (ends.every((end) => end === 'adopted')) return part;
    const endOf = new Map(part.toAdopt.map(({ id }, place) => [id, ends[place]]));
    const others = new Set([...endOf].flatMap(([id, end]) => (end === 'other' ? [id] : [])));
    return {
      ...part,
      entries: part.entries.map((entry) =>
        entry.outcome === 'unchanged' && others.has(entry.id) ? left(entry.id, KNOWN).entry : entry,
      ),
      toAdopt: part.toAdopt.filter(({ id }) => endOf.get(id) === 'adopted'),
      known: part.known + ends.filter((end) => end !== 'adopted').length,
      leftOut: part.leftOut + others.size,
    };
  };

/** `same`: its content is loaded already; `other`: something else is, or is on its way. */
const adoptOne = async (
  state: string,
  one: Adoptee,
  known: IdCheck | undefined,
  idStore: IdStore,
  nowMs: number,
): Promise<'adopted' | 'same' | 'other'> => {
  let stored = known;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (stored !== undefined && !isAdoptable(stored)) {
      const loaded = stored.claim === undefined ? surelyLoaded(stored) : undefined;
      if (loaded?.hash !== one.hash) return 'other';
      // The answer of our own first try was lost.
      return loaded.versionMs === one.versionMs ? 'adopted' : 'same';
    }
    const condition = stored === undefined ? { absent: true as const } : { rev: stored.rev };
    if ((await idStore.write(state, asAdopted(stored, one, nowMs), condition)) === 'written') return 'adopted';
    stored = (await idStore.read(state, [one.id])).get(one.id);
  }
  throw new ItemContendedError(`the item of ${one.id} is being written by others`);
};
