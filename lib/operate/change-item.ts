import { stateName } from '../idcheck/generation.ts';
import type { IdCheck } from '../idcheck/item.ts';
import type { IdStore } from '../idcheck/store.ts';
import { presentGeneration } from '../runs/evidence.ts';
import type { RunStore } from '../runs/store.ts';

/** Under which name idCheck keeps the present state of an integration. */
export const presentState = async (integration: string, runs: Pick<RunStore, 'ends'>): Promise<string> =>
  stateName(integration, await presentGeneration(integration, runs));

/** What idCheck knows of an id in a state. */
export const readItem = async (store: IdStore, state: string, id: string): Promise<IdCheck | undefined> =>
  (await store.read(state, [id])).get(id);

// A loader may write the same item at the same time. After so many lost rounds something else keeps writing it.
const MAX_ROUNDS = 5;

/** Thrown when an item kept changing under the operator's hands. */
export class ItemBusyError extends Error {
  override readonly name = 'ItemBusyError';
  readonly code = 'item-busy';
}

/**
 * Writes what `next` makes of an item; undefined: the item stays. Begins anew after a lost race. Throws ItemBusyError.
 */
export const changeItem = async (
  store: IdStore,
  state: string,
  id: string,
  next: (stored: IdCheck | undefined) => IdCheck | undefined,
): Promise<void> => {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const stored = await readItem(store, state, id);
    const item = next(stored);
    if (stored === undefined || item === undefined) return;
    if ((await store.write(state, item, { rev: stored.rev })) === 'written') return;
  }
  throw new ItemBusyError(`the item of ${id} is being written by others; try again`);
};
