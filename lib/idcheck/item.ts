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
  loaded?: { hash: string; versionMs: number; atMs: number };
  /** A worker is about to POST, or vanished doing so. */
  claim?: { owner: string; hash: string; versionMs: number; untilMs: number };
  /** The last content that ended otherwise than loaded. */
  trouble?: Trouble;
};

export type Trouble = {
  kind: TroubleKind;
  hash: string;
  versionMs: number;
  sinceMs: number;
  /** A few words for people: the target's status or the cause. */
  reason: string;
};

/**
 * - `rejected`: the target refused this content; nothing retries it until it changes or someone replays it.
 * - `uncertain`: nobody knows whether the POST was applied; it will be sent again.
 * - `parked`: as uncertain, but a person decides (`onUncertain: park`).
 * - `exhausted`: surely not applied, given up after `maxAttempts`; the next run sends it again.
 */
export type TroubleKind = 'rejected' | 'uncertain' | 'parked' | 'exhausted';
