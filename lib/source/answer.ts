import { refusalAround, usualWords } from '../connection/api/refusal.ts';
import type { AnswerPlan, SourcePlan } from '../integration/compile/source-plan.ts';
import { isCompound, isJsonObject, type JsonValue, parseJson } from '../json/json.ts';
import { readPath } from '../json/path.ts';
import { defined } from '../runtime/defined.ts';
import { flagOf, type MoreFlag, moreFlagsOf, type NextMark, nextMarkOf, usualTotalsOf } from './answer-next.ts';
import type { Source } from './source.ts';

/** One page as the source sent it. */
export type Page = {
  records: JsonValue[];
  /** How many records the source says there are in all. */
  total?: number;
  /** What stands where a cursor or link to the next page is expected; absent with paging that has none. */
  next?: NextMark;
  /** What the source says about more pages at `hasMorePath`, where it says anything. */
  hasMore?: boolean;
  /** What it says of them under names that are usual for it; absent: nothing. */
  moreFlags?: readonly MoreFlag[];
};

/** What is wrong with an answer that is no page. */
export type FaultCode =
  | 'answer-empty'
  | 'answer-html'
  | 'answer-truncated'
  | 'answer-charset'
  | 'answer-not-json'
  | 'answer-shape'
  | 'business-error'
  | 'source-throttled';

/** Why an answer is no page. */
type AnswerFault = {
  kind: 'fault';
  code: FaultCode;
  message: string;
  /** The source gives no list, in good order: behind the last page that may be its way to say that there is none. */
  isOrderly?: true;
};

/** A fault of the moment: the same request may well be answered properly. The other faults would only come again. */
export const passingFaults: ReadonlySet<string> = new Set<FaultCode>([
  'answer-empty',
  'answer-html',
  'answer-truncated',
  'answer-not-json',
]);

const fault = (code: FaultCode, message: string): AnswerFault => ({ kind: 'fault', code, message });

const SHOWN_CHARACTERS = 200;

/** JSON that was cut off lacks its last bracket; other text never was JSON. */
const unreadable = (text: string): AnswerFault => {
  const start = text.trimStart().slice(0, 15).toLowerCase();
  const end = text.trimEnd().at(-1);
  if (start.startsWith('<!doctype html') || /^<(html|head|body|!--)/.test(start)) {
    return fault('answer-html', 'the answer is a web page, not JSON: a gateway, a login or a maintenance page');
  }
  const closing = start.startsWith('{') ? '}' : start.startsWith('[') ? ']' : undefined;
  return closing !== undefined && end !== closing
    ? fault('answer-truncated', `the answer breaks off after ${text.length} characters`)
    : fault('answer-not-json', 'the answer is not JSON');
};

const parse = (text: string): { kind: 'json'; body: JsonValue } | AnswerFault => {
  if (text.trim() === '') return fault('answer-empty', 'the answer has no body');
  try {
    return { kind: 'json', body: parseJson(text) };
  } catch {
    return unreadable(text);
  }
};

const describe = (value: JsonValue | undefined): string => {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (!isJsonObject(value)) return `a ${typeof value}`;
  const keys = Object.keys(value).join(', ').slice(0, SHOWN_CHARACTERS);
  return keys === '' ? 'an empty object' : `an object with ${keys}`;
};

const refusedWith = (what: string, words: string | undefined): AnswerFault => {
  const told = words === undefined ? '' : ` "${words.slice(0, SHOWN_CHARACTERS)}"`;
  return { ...fault('business-error', `the source refuses with ${what}${told}`), isOrderly: true };
};

/** The source's words at the path of the plan, else under a usual name beside the code or around everything. */
const wordsIn = (body: JsonValue, { code, message }: AnswerPlan): string | undefined => {
  const said = readPath(body, message);
  if (typeof said === 'string' && said !== '') return said;
  const around = code.includes('.') ? readPath(body, code.slice(0, code.lastIndexOf('.'))) : undefined;
  return usualWords(around) ?? usualWords(body);
};

const businessError = (body: JsonValue, answer: AnswerPlan): AnswerFault | undefined => {
  const { code, successCodes } = answer;
  const found = readPath(body, code);
  // The code comes as 200 and as "200"; a bare array has none.
  if (found === undefined || found === null || Array.isArray(body)) return undefined;
  // Of an object `String` may throw: JSON can say `{"toString": false}`.
  if (!isCompound(found) && successCodes.has(String(found))) return undefined;
  const shown = isCompound(found) ? describe(found) : String(found).slice(0, SHOWN_CHARACTERS);
  return refusedWith(`code ${shown}`, wordsIn(body, answer));
};

/** "Too many" as the plan names it. */
const throttledIn = (body: JsonValue, answer: AnswerPlan): AnswerFault | undefined => {
  const found = answer.throttled && readPath(body, answer.throttled.path);
  if (found === undefined || isCompound(found) || !answer.throttled?.codes.has(String(found))) return undefined;
  const words = wordsIn(body, answer)?.slice(0, SHOWN_CHARACTERS);
  const told = words === undefined ? '' : ` "${words}"`;
  return fault('source-throttled', `the source says that it is asked too often: ${String(found)}${told}`);
};

/** A refusal in a usual envelope that the plan does not name. It counts even where a list stands beside it. */
const envelopeError = (body: JsonValue, answer: AnswerPlan, listPath: string | undefined): AnswerFault | undefined => {
  const refusal = refusalAround(body, (path) => path === answer.code, listPath);
  if (refusal === undefined) return undefined;
  const { path, value, words } = refusal;
  return refusedWith(isCompound(value) ? path : `${path} ${String(value)}`, words ?? wordsIn(body, answer));
};

/** What says "too many" in the body of an HTTP error, as the plan names it. */
export const throttleIn = (text: string, answer: AnswerPlan): AnswerFault | undefined => {
  const parsed = parse(text);
  return parsed.kind === 'json' ? throttledIn(parsed.body, answer) : undefined;
};

/** The words in the body of an HTTP error, where it has the form of a business error. */
export const messageIn = (text: string, answer: AnswerPlan): string | undefined => {
  const parsed = parse(text);
  return parsed.kind === 'json' ? wordsIn(parsed.body, answer)?.slice(0, SHOWN_CHARACTERS) : undefined;
};

const WHOLE_NUMBER = /^\d+(\.0+)?$/;

/** A count that the source wrote as number or text; undefined where it is neither. */
const asCount = (value: JsonValue | undefined): number | undefined => {
  const isText = typeof value === 'string' && WHOLE_NUMBER.test(value.trim());
  const count = isText || typeof value === 'bigint' ? Number(value) : value;
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : undefined;
};

/**
 * The total that the source states: at the paths of the plan or, where they lead to none or to the length of the page
 * itself, under a usual name. Without paths there is no total.
 */
const totalOf = (
  body: JsonValue,
  headers: Readonly<Record<string, string>>,
  paths: readonly string[],
  pageLength: number,
): number | undefined => {
  if (paths.length === 0) return undefined;
  const stated = paths.map((path) => asCount(readPath(body, path))).find((count) => count !== undefined);
  if (stated !== undefined && stated !== pageLength) return stated;
  const usual = usualTotalsOf(body, headers).map(asCount);
  return usual.find((count) => count !== undefined && count !== pageLength) ?? stated ?? usual.find(isCount);
};

const isCount = (count: number | undefined): count is number => count !== undefined;

/** What stands in the place of a list where there is none: PHP writes an empty list as `{}`, `""` or `false`, too. */
const isNothingAt = (place: JsonValue): boolean =>
  place === null || place === '' || place === false || (isJsonObject(place) && Object.keys(place).length === 0);

/** What the answer says of the next page. */
const nextOf = (
  body: JsonValue,
  headers: Readonly<Record<string, string>>,
  { next }: AnswerPlan,
): Pick<Page, 'next' | 'hasMore' | 'moreFlags'> => {
  const moreFlags = moreFlagsOf(body, headers);
  const usual = moreFlags.length > 0 ? { moreFlags } : {};
  if (next.kind === 'nothing') return usual;
  const isStated = next.kind === 'cursor' && next.hasMorePath !== undefined;
  const hasMore = isStated ? flagOf(readPath(body, next.hasMorePath ?? '')) : undefined;
  return { ...usual, ...defined({ hasMore }), next: nextMarkOf(body, headers, next) };
};

/**
 * Reads a page out of an answer of status 2xx, or names what is wrong with it. `headers` are in lower case. Integers
 * past 2^53 stay exact. A bare array is its own list of records; records are not looked into.
 */
export const readAnswer = (
  text: string,
  headers: Readonly<Record<string, string>>,
  answer: AnswerPlan,
): { kind: 'page'; page: Page } | AnswerFault => {
  const parsed = parse(text);
  if (parsed.kind === 'fault') return parsed;
  const { body } = parsed;
  const refused = throttledIn(body, answer) ?? businessError(body, answer);
  if (refused) return refused;
  const places = answer.records.map((path) => readPath(body, path));
  const found = Array.isArray(body)
    ? body
    : (places.find(Array.isArray) ?? places.find((value) => value !== undefined));
  const isList = Array.isArray(found);
  const listPath = answer.records.find((path) => isList && readPath(body, path) === found);
  const enveloped = envelopeError(body, answer, listPath);
  if (enveloped) return enveloped;
  const total = totalOf(body, headers, answer.total, isList ? found.length : 0);
  const rest = { ...defined({ total }), ...nextOf(body, headers, answer) };
  if (isList) return { kind: 'page', page: { records: found, ...rest } };
  const isNothing = found === undefined ? body === null || isJsonObject(body) : isNothingAt(found);
  // Where the source itself says that there is nothing, null or no list stands for the empty list.
  if (isNothing && total === 0) return { kind: 'page', page: { records: [], ...rest } };
  const place = isJsonObject(body) ? answer.records.map((path) => `"${path}"`).join(' or ') : 'the root';
  const what = describe(found === undefined ? body : found);
  const shapeless = fault('answer-shape', `the answer has no list of records at ${place}, but ${what}`);
  return isNothing ? { ...shapeless, isOrderly: true } : shapeless;
};

/**
 * A source that is one saved answer, read as an answer from the network would be. Nothing is requested. A record that
 * it lacks has not vanished: the answer may be the first page of many, so its end counts as unsure.
 */
export const savedAnswer = (text: string, { answer }: SourcePlan): Source => ({
  readPage: async () => {
    const read = readAnswer(text.replace(/^\uFEFF/, ''), {}, answer);
    const shared = { requests: 0, warnings: [] };
    if (read.kind === 'fault') return { ...shared, kind: 'failed', code: read.code, message: read.message };
    const { records, total } = read.page;
    const spoken = total === undefined ? '' : ` of the ${total} that it speaks of`;
    const message = `a saved answer with ${records.length} records${spoken}: what it lacks may be on another page`;
    const warnings = [{ code: 'total-mismatch', count: 1, message }];
    return { ...shared, kind: 'page', records, warnings };
  },
});
