import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { readPath } from '../../json/path.ts';

/** A refusal in an answer of status 2xx: where it stands, what it says, and the target's words about it. */
export type Refusal = { path: string; value: JsonValue; words?: string };

const said = (value: JsonValue): string =>
  typeof value === 'object' ? '' : typeof value === 'string' ? value.trim() : String(value);

const isNo = (value: JsonValue): boolean => /^false$/i.test(said(value));
const isError = (value: JsonValue): boolean => /^(error|fail|failed|failure)$/i.test(said(value));
const isNegative = (value: JsonValue): boolean => /^-\d*[1-9]/.test(said(value));
/** Vendors write "none" as 0, "0", "", null, false or [], and some as ok. */
const isSomething = (value: JsonValue): boolean =>
  typeof value === 'object' ? isJsonObject(value) : !/^(0*|false|ok|success)$/i.test(said(value));

/** The keys of the envelopes of published APIs, in lower case, and when their value is a refusal. */
const envelopes: Readonly<Record<string, (value: JsonValue) => boolean>> = {
  // 钉钉, 企业微信
  errcode: (value) => !isJsonObject(value) && isSomething(value),
  // 奇门
  error_response: isSomething,
  // 轻易云, 管易云
  success: isNo,
  status: (value) => isError(value) || isNegative(value),
};

const under = (path: string, key: string | number): string => (path === '' ? String(key) : `${path}.${key}`);

/** 金蝶 writes `Result.ResponseStatus.IsSuccess`, in lists of lists, too; 奇门 `response.flag`. */
const nested: Readonly<Record<string, readonly [key: string, isRefusal: (value: JsonValue) => boolean]>> = {
  responsestatus: ['issuccess', isNo],
  response: ['flag', isError],
};

const WORDS = ['message', 'msg', 'errmsg', 'sub_msg', 'sub_message', 'description', 'Message'];
const firstOf = (paths: readonly string[], around: JsonValue | undefined): string | undefined => {
  for (const path of paths) {
    const words = readPath(around, path);
    if (typeof words === 'string' && words.trim() !== '') return words;
  }
  return undefined;
};
/** The other end's words about how it went, under the names that are usual for them. Pure. */
export const usualWords = (around: JsonValue | undefined): string | undefined => firstOf(WORDS, around);

const wordsOf = (around: JsonObject, value: JsonValue): string | undefined =>
  firstOf(WORDS, around) ?? firstOf(WORDS, value) ?? firstOf(['Errors.0.Message', 'error.message', 'error'], around);

/** The envelopes that an object itself has. */
const refusalsAt = function* (object: JsonObject, path: string): Generator<Refusal> {
  for (const [key, value] of Object.entries(object)) {
    const name = key.toLowerCase();
    const isRefusal = Object.hasOwn(envelopes, name) ? envelopes[name] : undefined;
    if (isRefusal?.(value)) yield refusal(under(path, key), value, object);
  }
};

const refusal = (path: string, value: JsonValue, around: JsonObject): Refusal => {
  const words = wordsOf(around, value);
  return words === undefined ? { path, value } : { path, value, words };
};

/** Deeper than this no envelope lies; a body may be nested deeper than a stack is. */
const MAX_DEPTH = 12;

/** The envelopes that may stand at any depth. `skip`: what lies there speaks of single rows. */
const nestedRefusals = function* (value: JsonValue, path: string, skip?: string, depth = 0): Generator<Refusal> {
  if (typeof value !== 'object' || value === null || path === skip || depth === MAX_DEPTH) return;
  for (const [key, inner] of Object.entries(value)) {
    const at = under(path, key);
    const name = key.toLowerCase();
    const [innerKey, isRefusal] = (Object.hasOwn(nested, name) ? nested[name] : undefined) ?? [];
    if (isJsonObject(inner) && isRefusal !== undefined) {
      for (const [one, told] of Object.entries(inner)) {
        if (one.toLowerCase() === innerKey && isRefusal(told)) yield refusal(under(at, one), told, inner);
      }
    }
    yield* nestedRefusals(inner, at, skip, depth + 1);
  }
};

/** The envelope of an answer that is a list of one. */
const unpacked = (body: JsonValue): { value: JsonValue; path: string } => {
  let value = body;
  let path = '';
  while (Array.isArray(value) && value.length === 1) {
    value = value[0] as JsonValue;
    path = under(path, 0);
  }
  return { value, path };
};

/**
 * The first usual envelope of a refusal in a body, if there is one. `isDecided`: a rule of the file names this very path,
 * and has decided. `rowsPath`: where the answer speaks of each row by itself. Pure.
 */
export const refusalIn = (
  body: JsonValue,
  isDecided: (path: string) => boolean,
  rowsPath?: string,
): Refusal | undefined => {
  const { value, path } = unpacked(body);
  const own = isJsonObject(value) ? refusalsAt(value, path) : [];
  for (const found of own) if (!isDecided(found.path)) return found;
  for (const found of nestedRefusals(body, '', rowsPath)) if (!isDecided(found.path)) return found;
  return undefined;
};

/** What says of a row that it was refused. Its `status` may as well be the record's own. */
const rowKeys: ReadonlySet<string> = new Set(['errcode', 'error_response', 'success']);
const MAX_ROWS_DEPTH = 3;

/** The first refused row of the lists that a body has at its root or not far below it. Pure. */
export const refusedRowIn = (body: JsonValue, path = '', depth = 0): Refusal | undefined => {
  if (typeof body !== 'object' || body === null || depth === MAX_ROWS_DEPTH) return undefined;
  for (const [key, inner] of Object.entries(body)) {
    const at = under(path, key);
    const refusals = Array.isArray(body) && isJsonObject(inner) ? [...refusalsAt(inner, at)] : [];
    const ofRow = refusals.find((found) => rowKeys.has(found.path.slice(at.length + 1).toLowerCase()));
    const found = ofRow ?? (Array.isArray(body) ? undefined : refusedRowIn(inner, at, depth + 1));
    if (found !== undefined) return found;
  }
  return undefined;
};

/** Where 金蝶 says inside a list that the query was refused: `[[{"Result":{"ResponseStatus":{"IsSuccess":false}}}]]`. */
const REFUSED_ROW = /^(?:\d+\.)+(?:result\.)?responsestatus\.issuccess$/i;
const INSIDE_A_LIST = /(?:^|\.)\d+\./;

/**
 * The first usual envelope of a refusal around a list of records, if there is one. What records hold is no envelope:
 * lists are not looked into, but for the one row that stands for a refusal. `isDecided` as above; `listPath`: where the
 * records are. Pure.
 */
export const refusalAround = (
  body: JsonValue,
  isDecided: (path: string) => boolean,
  listPath?: string,
): Refusal | undefined => {
  if (!Array.isArray(body)) return refusalIn(body, (path) => isDecided(path) || INSIDE_A_LIST.test(path), listPath);
  const { value, path } = unpacked(body);
  if (!isJsonObject(value)) return undefined;
  for (const found of nestedRefusals(value, path)) if (REFUSED_ROW.test(found.path)) return found;
  return undefined;
};
