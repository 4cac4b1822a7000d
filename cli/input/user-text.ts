import { readFileSync } from 'node:fs';
import { decodeUtf8, NotUtf8Error } from '../../lib/runtime/utf8.ts';
import { UsageError } from './usage-error.ts';

/** The user's bytes as UTF-8 text; `what` names them in the error. Throws UsageError. */
export const userText = (bytes: Uint8Array, what: string): string => {
  try {
    return decodeUtf8(bytes, what);
  } catch (error) {
    throw error instanceof NotUtf8Error ? new UsageError(error.message) : error;
  }
};

/** The text of a file that the user named. Throws UsageError. */
export const readUserText = (file: string): string => {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    throw new UsageError(`There is no readable file ${file}.`);
  }
  return userText(bytes, file);
};
