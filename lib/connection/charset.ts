import { TextDecoder } from 'node:util';

/** The text of an answer; `unreadable` says in words why it is not what the server wrote. */
export type Decoded = { text: string; unreadable?: string };

const CHARSET = /;\s*charset\s*=\s*["']?\s*([^"';,\s]+)/i;
const SHOWN_CHARACTERS = 40;

/** Byte order marks go before what a header says (WHATWG Encoding, decode). */
const marks: readonly [charset: string, mark: readonly number[]][] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

const decoderFor = (charset: string): TextDecoder | undefined => {
  try {
    return new TextDecoder(charset, { fatal: true });
  } catch {
    return undefined;
  }
};

/** What can be shown of bytes that are no text: the characters that can be read. */
const shown = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/**
 * The text of an answer's bytes: in the charset that its content-type declares (GBK, Big5, Shift_JIS, UTF-16, …), and in
 * UTF-8 where it declares none (RFC 8259 §8.1). Nothing is guessed: where the bytes are not in that charset, or nobody
 * knows it, the text is marked as unreadable.
 */
export const decodeText = (bytes: Uint8Array, contentType: string | undefined): Decoded => {
  const marked = marks.find(([, mark]) => mark.every((byte, index) => bytes[index] === byte))?.[0];
  const declared = CHARSET.exec(contentType ?? '')?.[1]?.slice(0, SHOWN_CHARACTERS);
  const decoder = decoderFor(marked ?? declared ?? 'utf-8');
  if (decoder === undefined) {
    return { text: shown(bytes), unreadable: `the answer declares the charset ${declared}, which is unknown` };
  }
  try {
    return { text: decoder.decode(bytes) };
  } catch {
    const unreadable =
      declared === undefined
        ? 'the bytes of the answer are no UTF-8, and it declares no charset'
        : `the bytes of the answer are not in the charset ${declared}, which it declares`;
    return { text: shown(bytes), unreadable };
  }
};
