import type { IdCheck } from './item.ts';

/** The state in which an item must be for a write to go through. */
export type WriteCondition =
  /** Nothing is stored under this id. */
  | { absent: true }
  /** Nobody wrote since this revision was read. */
  | { rev: number }
  /** The claim is still this owner's. */
  | { owner: string };

/**
 * idCheck as a port (DynamoDB): strongly consistent by id, eventually consistent as a whole. An id has 1 to 1,024 bytes
 * (DynamoDB, sort key); `lib/transform/values.ts` refuses longer ones.
 */
export interface IdStore {
  /** `state` everywhere: `stateName`. Strongly consistent; ids without an item are absent from the map. */
  read(state: string, ids: readonly string[]): Promise<Map<string, IdCheck>>;
  /**
   * Replaces the item if the condition holds. `conflict` where it does not hold. An earlier try of this very write may
   * have been applied and its answer lost: read again to find out.
   */
  write(state: string, item: IdCheck, condition: WriteCondition): Promise<'written' | 'conflict'>;
  /** Everything known of a state, in pages, in no order, eventually consistent. */
  scan(state: string): AsyncIterable<IdCheck[]>;
}
