import { promisify, TextDecoder } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw, zstdDecompress } from 'node:zlib';
import type { Answered } from './http.ts';

/** The bytes as they were before they were packed, or why there are none. */
type Unpacked = { bytes: Uint8Array } | 'tooLarge' | 'broken';

type Unpack = (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Uint8Array>;

const begins =
  (...magic: readonly number[]) =>
  (bytes: Uint8Array): boolean =>
    magic.every((byte, index) => bytes[index] === byte);

/** zlib's header (RFC 1950 §2.2); some servers send what follows it alone. */
const isZlib = (bytes: Uint8Array): boolean =>
  ((bytes[0] ?? 0) & 0x0f) === 8 && ((bytes[0] ?? 0) * 256 + (bytes[1] ?? 0)) % 31 === 0;

const inflated: Unpack = promisify(inflate);
const rawInflated: Unpack = promisify(inflateRaw);

/** By the name in content-encoding (RFC 9110 §8.4.1); `isPacked` where its bytes begin with a mark of their own. */
const codings: Readonly<Record<string, { isPacked?: (bytes: Uint8Array) => boolean; unpack: Unpack }>> = {
  gzip: { isPacked: begins(0x1f, 0x8b), unpack: promisify(gunzip) },
  'x-gzip': { isPacked: begins(0x1f, 0x8b), unpack: promisify(gunzip) },
  deflate: { unpack: (bytes, options) => (isZlib(bytes) ? inflated : rawInflated)(bytes, options) },
  br: { unpack: promisify(brotliDecompress) },
  zstd: { isPacked: begins(0x28, 0xb5, 0x2f, 0xfd), unpack: promisify(zstdDecompress) },
};

const FIRST_OF_TEXT = new Set([...'{["<'].map((character) => character.charCodeAt(0)));
const BLANKS = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf]);

/** JSON or a page of HTML, by its first character. */
const looksLikeText = (bytes: Uint8Array): boolean => {
  const first = bytes.find((byte) => !BLANKS.has(byte));
  return first !== undefined && FIRST_OF_TEXT.has(first);
};

const isTooLarge = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';

/**
 * Unpacks an answer as its content-encoding header says, up to `maxBytes`. Plain text that is declared as packed stays
 * as it is, and so do bytes under an unknown coding. An answer that breaks off is broken: `fetch` itself would hand out
 * its first part as if it were the whole.
 */
const unpack = async (packed: Uint8Array, header: string | undefined, maxBytes: number): Promise<Unpacked> => {
  const names = (header ?? '').split(',').map((name) => name.trim().toLowerCase());
  let bytes = packed;
  for (const name of names.reverse()) {
    const coding = Object.hasOwn(codings, name) ? codings[name] : undefined;
    if (coding === undefined || bytes.length === 0 || coding.isPacked?.(bytes) === false) continue;
    try {
      bytes = await coding.unpack(bytes, { maxOutputLength: maxBytes });
    } catch (error) {
      if (isTooLarge(error)) return 'tooLarge';
      if (!looksLikeText(bytes)) return 'broken';
    }
  }
  return { bytes };
};

/** The text of an answer; `unreadable` says in words why it is not what the server wrote. */
type Decoded = { text: string; unreadable?: string };

const CHARSET = /;\s*charset\s*=\s*(?:["']\s*)?([^"';,\s]+)/i;
const SHOWN_CHARACTERS = 40;

/** Byte order marks go before what a header says (WHATWG Encoding, decode). */
const marks: readonly [charset: string, mark: readonly number[]][] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

/** Names of charsets as Java, Python, Windows and MySQL write them, and the Encoding standard does not know them. */
const otherNames: ReadonlyMap<string, string> = new Map([
  ['cp936', 'gbk'],
  ['ms936', 'gbk'],
  ['cp950', 'big5'],
  ['ms950', 'big5'],
  ['cp932', 'shift_jis'],
  ['utf8mb4', 'utf-8'],
]);

const decoderFor = (charset: string): TextDecoder | undefined => {
  try {
    return new TextDecoder(otherNames.get(charset.toLowerCase()) ?? charset, { fatal: true });
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
const decodeText = (bytes: Uint8Array, contentType: string | undefined): Decoded => {
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

/**
 * An answer by its bytes as they came over the network: unpacked and decoded as its headers say, `maxBytes` long at
 * most. Unreadable bytes do not make the exchange fail: the status stands, and the text is marked.
 */
export const answerOf = async (
  head: Pick<Answered, 'status' | 'headers' | 'setCookies'>,
  bytes: Uint8Array,
  maxBytes: number,
): Promise<Answered | 'tooLarge'> => {
  const { headers } = head;
  const unpacked = await unpack(bytes, headers['content-encoding'], maxBytes);
  if (unpacked === 'tooLarge') return unpacked;
  const answered = { kind: 'answered', ...head } as const;
  if (unpacked === 'broken') {
    const message = `the answer is packed (${headers['content-encoding']}) and breaks off, or cannot be unpacked`;
    return { ...answered, text: '', unreadable: { why: 'packing', message } };
  }
  const { text, unreadable } = decodeText(unpacked.bytes, headers['content-type']);
  return unreadable === undefined
    ? { ...answered, text }
    : { ...answered, text, unreadable: { why: 'charset', message: unreadable } };
};
