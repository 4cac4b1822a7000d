import { isJsonObject, type JsonObject, parseJson, stringifyJson } from '../json/json.ts';
import { defined } from '../runtime/defined.ts';
import type { Prepared } from '../transform/transform.ts';

/** A record that is clean and mapped, and waits until its place in the tree is known. */
export type Held = Extract<Prepared, { outcome: 'ready' }> & { parentId: string };

/**
 * A ledger chunk keeps held records beside its entries and memory, and an item of DynamoDB has 400 KB: this many bytes
 * of JSON for all held records of a chunk, so that the rest has its room whatever does not compress.
 */
export const MAX_HELD_BYTES = 150_000;

/** A held record as a ledger chunk keeps it. */
export const writeHeld = ({ id, parentId, number, hash, body }: Held): string =>
  stringifyJson({ id, parentId, ...defined({ number }), hash, body });

/** The reverse of `writeHeld`. Throws TypeError where the text is none. */
export const readHeld = (text: string): Held => {
  const held = parseJson(text);
  if (isHeld(held)) {
    const { id, parentId, number, hash, body } = held;
    return { outcome: 'ready', id, parentId, ...defined({ number }), hash, body };
  }
  throw new TypeError(`not a held record: ${text.slice(0, 40)}`);
};

const isHeld = (value: unknown): value is JsonObject & Omit<Held, 'outcome'> =>
  isJsonObject(value) &&
  typeof value.id === 'string' &&
  typeof value.parentId === 'string' &&
  typeof value.hash === 'string' &&
  (value.number === undefined || typeof value.number === 'string') &&
  isJsonObject(value.body);
