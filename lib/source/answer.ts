import type { AnswerPlan } from '../integration/compile/source-plan.ts';
import { isJsonObject, type JsonValue, parseJson } from '../json/json.ts';
import { readPath } from '../json/path.ts';

/** One page as the source sent it. */
export type Page = {
  records: JsonValue[];
  /** How many records the source says there are in all. */
  total?: number;
  /** Where the next page starts, with cursor paging; absent: nowhere. */
  cursor?: string | number;
  /** What the source says about more pages, where it says anything. */
  hasMore?: boolean;
  /** The link to the next page, with link paging; absent: none. */
  link?: string;
};

/** What is wrong with an answer that is no page. */
export type FaultCode =
  | 'answer-empty'
  | 'answer-html'
  | 'answer-truncated'
  | 'answer-charset'
  | 'answer-not-json'
  | 'answer-shape'
  | 'business-error';

/** Why an answer is no page. */
export type AnswerFault = { kind: 'fault'; code: FaultCode; message: string };

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

const businessError = (body: JsonValue, { code, successCodes, message }: AnswerPlan): AnswerFault | undefined => {
  const found = readPath(body, code);
  // The code comes as 200 and as "200"; a bare array has none.
  if (found === undefined || found === null || Array.isArray(body)) return undefined;
  if (successCodes.has(String(found))) return undefined;
  const said = readPath(body, message);
  const words = typeof said === 'string' && said !== '' ? ` "${said.slice(0, SHOWN_CHARACTERS)}"` : '';
  const shown = typeof found === 'object' ? describe(found) : String(found).slice(0, SHOWN_CHARACTERS);
  return fault('business-error', `the source refuses with code ${shown}${words}`);
};

/** What the source says in the body of an error of HTTP, where it says it as it does in a business error. */
export const messageIn = (text: string, { message }: AnswerPlan): string | undefined => {
  const parsed = parse(text);
  const said = parsed.kind === 'json' ? readPath(parsed.body, message) : undefined;
  return typeof said === 'string' && said !== '' ? said.slice(0, SHOWN_CHARACTERS) : undefined;
};

const WHOLE_NUMBER = /^\d+$/;

/** A count that the source wrote as number or text; undefined where it is neither. */
const asCount = (value: JsonValue | undefined): number | undefined => {
  const isText = typeof value === 'string' && WHOLE_NUMBER.test(value.trim());
  const count = isText || typeof value === 'bigint' ? Number(value) : value;
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : undefined;
};

const totalOf = (body: JsonValue, paths: readonly string[]): { total?: number } => {
  const total = paths.map((path) => asCount(readPath(body, path))).find((count) => count !== undefined);
  return total === undefined ? {} : { total };
};

/** Null, false and empty mean that there is no next page; 0 is a cursor like any other. */
const cursorOf = (value: JsonValue | undefined): { cursor?: string | number } => {
  if (typeof value === 'number') return { cursor: value };
  const text = typeof value === 'string' || typeof value === 'bigint' ? String(value) : '';
  return text === '' ? {} : { cursor: text };
};

const flags: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['y', true],
  ['false', false],
  ['0', false],
  ['n', false],
]);

const hasMoreOf = (value: JsonValue | undefined): { hasMore?: boolean } => {
  // Of an object `String` may throw: JSON can say `{"toString": false}`.
  const hasMore = typeof value === 'object' ? undefined : flags.get(String(value).toLowerCase());
  return hasMore === undefined ? {} : { hasMore };
};

const LINK = /<(?<target>[^>]*)>(?<params>(?:\s*;\s*[^;,="]+(?:=(?:"[^"]*"|[^;,"]*))?)*)/g;
const IS_NEXT = /;\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next\s*(?:;|$))/i;

/** The target of `rel="next"` in a Link header (RFC 8288 §3). */
const nextInHeader = (header: string | undefined): string | undefined =>
  [...(header ?? '').matchAll(LINK)].find(({ groups }) => IS_NEXT.test(groups?.params ?? ''))?.groups?.target;

const linkOf = (link: JsonValue | undefined): { link?: string } =>
  typeof link === 'string' && link !== '' ? { link } : {};

/** What the answer says of the next page. */
const nextOf = (
  body: JsonValue,
  headers: Readonly<Record<string, string>>,
  next: AnswerPlan['next'],
): Pick<Page, 'cursor' | 'hasMore' | 'link'> => {
  switch (next.kind) {
    case 'nothing':
      return {};
    case 'cursor': {
      const hasMore = next.hasMorePath === undefined ? {} : hasMoreOf(readPath(body, next.hasMorePath));
      return { ...cursorOf(readPath(body, next.path)), ...hasMore };
    }
    case 'link':
      return linkOf(next.in === 'header' ? nextInHeader(headers.link) : readPath(body, next.path));
    default:
      return next satisfies never;
  }
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
  const refused = businessError(body, answer);
  if (refused) return refused;
  const total = totalOf(body, answer.total);
  const next = nextOf(body, headers, answer.next);
  const places = answer.records.map((path) => readPath(body, path));
  const found = Array.isArray(body)
    ? body
    : (places.find(Array.isArray) ?? places.find((value) => value !== undefined));
  if (Array.isArray(found)) return { kind: 'page', page: { records: found, ...total, ...next } };
  // Where the source itself says that there is nothing, null stands for the empty list.
  if (found === null && total.total === 0) return { kind: 'page', page: { records: [], ...total, ...next } };
  const place = isJsonObject(body) ? answer.records.map((path) => `"${path}"`).join(' or ') : 'the root';
  return fault(
    'answer-shape',
    `the answer has no list of records at ${place}, but ${describe(found === undefined ? body : found)}`,
  );
};
