import { readFileSync } from 'node:fs';
import { TextDecoder } from 'node:util';

/** A text in another encoding than UTF-8. `line` counts from 1. */
export class NotUtf8Error extends Error {
  override readonly name = 'NotUtf8Error';
  readonly code = 'not-utf8';
  readonly line: number;

  constructor(what: string, line: number, options?: ErrorOptions) {
    super(`${what}, line ${line}: not UTF-8; save the file as UTF-8. 请另存为 UTF-8。`, options);
    this.line = line;
  }
}

const NEWLINE = 0x0a;

/** A newline byte never occurs inside a longer UTF-8 sequence, so the lines can be tried one by one. */
const firstBadLine = (bytes: Uint8Array, decoder: TextDecoder): number => {
  let line = 1;
  for (let start = 0; start <= bytes.length; line += 1) {
    const end = bytes.indexOf(NEWLINE, start);
    try {
      decoder.decode(bytes.subarray(start, end < 0 ? bytes.length : end));
    } catch {
      return line;
    }
    if (end < 0) break;
    start = end + 1;
  }
  return line;
};

/** Bytes as the UTF-8 that they are, without a byte order mark; `what` names them. Throws `NotUtf8Error`. */
export const decodeUtf8 = (bytes: Uint8Array, what: string): string => {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new NotUtf8Error(what, firstBadLine(bytes, decoder), { cause });
  }
};

/** The text of a file that people edit. Throws `NotUtf8Error`, and Node's error where the file cannot be read. */
export const readUtf8 = (file: string): string => decodeUtf8(readFileSync(file), file);
