import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw, zstdDecompress } from 'node:zlib';

/** The bytes as they were before they were packed, or why there are none. */
export type Unpacked = { bytes: Uint8Array } | 'tooLarge' | 'broken';

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
 * Unpacks an answer as its content-encoding header says, up to `maxBytes`. A server that declares a coding and sends
 * plain text is taken at its bytes, and so is a coding that nobody asked for and nobody knows. What breaks off is broken:
 * `fetch` itself would hand out the first part of it as if it were the whole.
 */
export const unpack = async (packed: Uint8Array, header: string | undefined, maxBytes: number): Promise<Unpacked> => {
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
