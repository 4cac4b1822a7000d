/**
 * The content hash of "this record is gone", for the content loaded from `loadedVersionMs`. A record that comes back,
 * is loaded and vanishes again gets another one, so that its second deletion does not pass for a repeat of the first.
 */
export const tombstoneHash = (loadedVersionMs: number): string => `deleted@${loadedVersionMs}`;

/** Hashes of contents are base64url and hold no `@`. */
export const isTombstone = (hash: string): boolean => hash.startsWith('deleted@');
