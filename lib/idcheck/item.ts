/**
 * What is known of one target record: one permanent item per integration and source id.
 *
 * `versionMs` everywhere is the start of the snapshot that the content came from: the newer one wins.
 */
export type IdCheck = {
  id: string;
  /** Grows by one with every write: the claim is conditional on it. */
  rev: number;
  /** The content last loaded. */
  loaded?: Loaded;
  /** The target was told to delete the record, so no content is loaded. */
  deleted?: { hash: string; versionMs: number; atMs: number };
  /** A worker is about to POST, or vanished doing so. */
  claim?: Claim;
  /** The last content that ended otherwise than loaded. */
  trouble?: Trouble;
  /** A POST of this content, of unknown outcome, may still be applied until then: other content waits. */
  doubt?: { hash: string; untilMs: number };
  /**
   * Part of the Idempotency-Key, absent: 0. Grows when content is loaded or deleted, and when content in doubt gives way
   * to other content: A, then B, then A again is no repeat of the first A. A POST of unknown outcome that is sent again
   * keeps it.
   */
  turn?: number;
  /** A person said then that the record is to be sent: the next run does. Ends with the next claim. */
  toSend?: { atMs: number };
};

export type Loaded = {
  hash: string;
  versionMs: number;
  atMs: number;
  /**
   * Since then nobody knows whether the target still has this content: a POST of unknown outcome came after it, and was
   * refused or given up when it was sent again. Absent: the target has it.
   */
  unsureSinceMs?: number;
  /** Nobody has seen it loaded: a person looked into the target then, and said so. */
  saidMs?: number;
};

/** From `sinceMs` the owner may POST; a claim that outlives `untilMs` has lost its owner. */
export type Claim = { owner: string; hash: string; versionMs: number; sinceMs: number; untilMs: number };

export type Trouble = {
  kind: TroubleKind;
  hash: string;
  versionMs: number;
  sinceMs: number;
  /** A few words for people: the target's status or the cause. */
  reason: string;
  /** Since when a dead letter for this content waits; absent: none was written. */
  letterMs?: number;
  /** A person gave the letter up then: the record is left out until its content changes or somebody asks for it. */
  discardedMs?: number;
  /** Nothing was sent: this record, which must be loaded first, is in trouble itself. */
  parentId?: string;
};

/**
 * - `rejected`: the target refused this content; nothing retries it until it changes or someone replays it.
 * - `uncertain`: nobody knows whether the POST was applied; it will be sent again.
 * - `parked`: as uncertain, but a person decides (`onUncertain: park`, or an answer that nobody understands).
 * - `exhausted`: surely not applied, given up after `maxAttempts`; the next run sends it again.
 */
export type TroubleKind = 'rejected' | 'uncertain' | 'parked' | 'exhausted';

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

/**
 * Under which name idCheck and the watermark keep what is known of an integration. A state that is begun anew gets the
 * next generation, and with it another name: one write forgets everything at once. No integration's name holds a `~`.
 */
export const stateName = (integration: string, generation: number): string =>
  generation === 0 ? integration : `${integration}~${generation}`;

/** The same, where the generation is absent in what earlier versions wrote: it was the first one. */
export const stateOf = ({ integration, generation = 0 }: { integration: string; generation?: number }): string =>
  stateName(integration, generation);
