import { readFile } from 'node:fs/promises';
import { isJsonObject, type JsonValue, parseJson } from '../../lib/json/json.ts';
import { decodeUtf8, NotUtf8Error } from '../../lib/runtime/utf8.ts';
import { type GroupPath, groupsFromPaths } from './group-tree.ts';

/** A file of groups that cannot be read; the message names the file, the line and what was expected. */
export class GroupsFileError extends Error {
  override readonly name = 'GroupsFileError';
  readonly code = 'groups-file';
}

const LINE = /^(\S+) - (.+)$/;
const PLAIN_INTEGER = /^(0|[1-9]\d*)$/;

const failed = (file: string, line: number, words: string, cause?: unknown): GroupsFileError =>
  new GroupsFileError(`${file}, line ${line}: ${words}`, cause === undefined ? {} : { cause });

/**
 * Reads groups from a JSON array, a JSON envelope whose `data` (or `data.list`) is one, or text of the form
 * `id - A > B > C` (one group a line, blank lines and `#` comments skipped, UTF-8).
 *
 * Throws GroupsFileError.
 */
export const readGroupsFile = async (file: string): Promise<JsonValue[]> => {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new GroupsFileError(`${file} cannot be read: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  const text = textOf(file, bytes);
  return /^\s*[[{]/.test(text) ? groupsFromJson(file, text) : groupsFromPaths(parsePaths(file, text));
};

const textOf = (file: string, bytes: Buffer): string => {
  try {
    return decodeUtf8(bytes, file);
  } catch (cause) {
    throw cause instanceof NotUtf8Error ? new GroupsFileError(cause.message, { cause }) : cause;
  }
};

const groupsFromJson = (file: string, text: string): JsonValue[] => {
  let value: JsonValue;
  try {
    value = parseJson(text);
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw failed(file, lineOfSyntaxError(text, words), `not JSON: ${words}`, cause);
  }
  const data = isJsonObject(value) ? value.data : value;
  const list = isJsonObject(data) ? data.list : data;
  if (Array.isArray(list)) return list;
  throw failed(file, 1, 'expected an array of groups, or an envelope with one under "data" or "data.list"');
};

/** V8 names the position where a syntax error lies, except at the end of the text. */
const lineOfSyntaxError = (text: string, words: string): number => {
  const position = /position (\d+)/.exec(words)?.[1];
  return text.slice(0, position === undefined ? text.length : Number(position)).split('\n').length;
};

const parsePaths = (file: string, text: string): GroupPath[] => {
  const groups: GroupPath[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const match = LINE.exec(line);
    // With a space at both ends, an empty name at either end is found as well.
    const path = ` ${match?.[2] ?? ''} `.split(' > ').map((name) => name.trim());
    if (match?.[1] === undefined || path.includes('')) {
      throw failed(file, index + 1, `expected "id - A > B > C" with no empty name, found "${line.slice(0, 80)}"`);
    }
    groups.push({ id: idOf(match[1]), path });
  }
  return groups;
};

/** Plain digits are an integer, as OKKI's ids are; anything else, and digits with leading zeros, stays a string. */
const idOf = (text: string): GroupPath['id'] => {
  if (!PLAIN_INTEGER.test(text)) return text;
  const id = Number(text);
  return Number.isSafeInteger(id) ? id : BigInt(text);
};
