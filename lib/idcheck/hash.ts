import { hash } from 'node:crypto';
import { canonicalJson, type JsonValue } from '../json/json.ts';

const digest = (value: JsonValue): string => hash('sha256', canonicalJson(value), 'base64url');

// 22 characters of base64url hold 132 bits: no two contents of one record meet by chance.
export const HASH_CHARACTERS = 22;

/** Hash of mapped content, whatever the order of its keys: 22 printable characters. */
export const contentHash = (value: JsonValue): string => digest(value).slice(0, HASH_CHARACTERS);

/**
 * `Idempotency-Key` of a POST: the same for the same content of the same record, whoever sends it and when. `turn` sets
 * content that comes back after other content apart from its first time (`lib/idcheck/item.ts`); `state` what is begun anew
 * from what was before it (`stateName`).
 */
export const idempotencyKey = (state: string, id: string, hash: string, turn = 0): string =>
  digest(turn === 0 ? [state, id, hash] : [state, id, hash, turn]);

/**
 * The content hash of "this record is gone", for the content loaded from `loadedVersionMs`. A record that comes back,
 * is loaded and vanishes again gets another one, so that its second deletion does not pass for a repeat of the first.
 */
export const tombstoneHash = (loadedVersionMs: number): string => `deleted@${loadedVersionMs}`;

/** Hashes of contents are base64url and hold no `@`. */
export const isTombstone = (hash: string): boolean => hash.startsWith('deleted@');
