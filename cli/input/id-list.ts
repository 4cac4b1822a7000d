import { isNumber, type JsonValue, parseJson } from '../../lib/json/json.ts';
import { UsageError } from './usage-error.ts';
import { readUserText } from './user-text.ts';

const SEPARATORS = [',', ';', '\t'];

/** The first column of a line: as far as the first separator, or, in quotes, as far as the closing one. */
const firstColumn = (line: string): string => {
  const text = line.trim();
  const quoted = /^"((?:[^"]|"")*)"/.exec(text);
  if (quoted) return (quoted[1] ?? '').replaceAll('""', '"').trim();
  const ends = SEPARATORS.map((separator) => text.indexOf(separator)).filter((at) => at >= 0);
  return text.slice(0, Math.min(text.length, ...ends)).trim();
};

const idsInJson = (list: JsonValue, file: string): string[] => {
  if (!Array.isArray(list)) throw new UsageError(`${file}: expected a JSON list of ids.`);
  return list.map((id, index) => {
    if (typeof id === 'string' || isNumber(id)) return String(id).trim();
    throw new UsageError(`${file}: entry ${index + 1} is no id but ${JSON.stringify(id)}.`);
  });
};

const jsonIn = (text: string, file: string): JsonValue => {
  try {
    return parseJson(text);
  } catch (cause) {
    throw new UsageError(`${file} begins as a JSON list and is none: ${String(cause)}`, { cause });
  }
};

/**
 * The ids in the text of a file: one a line, the first column of a CSV, or a JSON list; each once. A first line that is
 * `id`, or what a field of the id is called (`idFields`), is a header. Throws UsageError where there is none.
 */
export const idsIn = (text: string, file: string, idFields: readonly string[]): ReadonlySet<string> => {
  const isJson = text.trimStart().startsWith('[');
  const found = isJson ? idsInJson(jsonIn(text, file), file) : text.split(/\r\n|\n|\r/).map(firstColumn);
  const ids = found.filter((id) => id !== '');
  const [first = ''] = ids;
  const names = ['id', ...idFields].map((name) => name.toLowerCase());
  const hasHeader = !isJson && names.includes(first.toLowerCase());
  const named = new Set(hasHeader ? ids.slice(1) : ids);
  if (named.size === 0) throw new UsageError(`${file} holds no ids. 文件中没有编号。`);
  return named;
};

/** As `idsIn`, of a file that the user named. Throws UsageError. */
export const readIdFile = (file: string, idFields: readonly string[]): ReadonlySet<string> =>
  idsIn(readUserText(file), file, idFields);

/** A handful is typed; more belong into a file, and would not fit into the request. */
const MOST_IDS = 100;

/** The ids that were typed, each once; undefined where none was. Throws UsageError. */
export const idsTyped = (ids: readonly string[] | undefined): string[] | undefined => {
  if (ids === undefined) return undefined;
  const named = [...new Set(ids.map((id) => id.trim()))];
  if (named.includes('')) throw new UsageError('--id: expected an id of the source. 请给出编号。');
  if (named.length > MOST_IDS) throw new UsageError(`--id: ${named.length} ids, ${MOST_IDS} at most. 编号过多。`);
  return named;
};
