import { decodeText } from './charset.ts';
import type { Answered } from './http.ts';
import { unpack } from './unpack.ts';

/**
 * An answer by its bytes as they came over the network: unpacked and decoded as its headers say, `maxBytes` long at
 * most. Bytes that nobody can read are no failure of the exchange: the status stands, and the text is marked.
 */
export const answerOf = async (
  { status, headers }: Pick<Answered, 'status' | 'headers'>,
  bytes: Uint8Array,
  maxBytes: number,
): Promise<Answered | 'tooLarge'> => {
  const unpacked = await unpack(bytes, headers['content-encoding'], maxBytes);
  if (unpacked === 'tooLarge') return unpacked;
  const answered = { kind: 'answered', status, headers } as const;
  if (unpacked === 'broken') {
    const message = `the answer is packed (${headers['content-encoding']}) and breaks off, or cannot be unpacked`;
    return { ...answered, text: '', unreadable: { why: 'packing', message } };
  }
  const { text, unreadable } = decodeText(unpacked.bytes, headers['content-type']);
  return unreadable === undefined
    ? { ...answered, text }
    : { ...answered, text, unreadable: { why: 'charset', message: unreadable } };
};
