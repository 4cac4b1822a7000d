import type { AnswerPlan } from '../integration/compile/source-plan.ts';
import { isJsonObject, isNumber, type JsonValue } from '../json/json.ts';
import { readPath } from '../json/path.ts';

/** What stands where an answer says how the next page is asked for. */
export type NextMark =
  /** A cursor or a link. */
  | { kind: 'given'; at: string | number }
  /** A value that means that there is no next page: null, empty text, or one that `source.paging.end` names. */
  | { kind: 'end' }
  /** Nothing: the path leads nowhere, the header has no such link. */
  | { kind: 'absent' }
  /** Something that is neither cursor nor link nor end; `found` says what, in words. */
  | { kind: 'unfit'; found: string };

const SHOWN_CHARACTERS = 40;

/** What programs write where they have no value. */
const EMPTY_WORDS: ReadonlySet<string> = new Set(['', 'null', 'undefined', 'none', 'nil', 'nan']);

const unfit = (found: string): NextMark => ({ kind: 'unfit', found });

const describe = (value: JsonValue): string => {
  if (Array.isArray(value)) return 'a list';
  if (!isJsonObject(value)) return String(value);
  return `an object with ${Object.keys(value).join(', ').slice(0, SHOWN_CHARACTERS) || 'nothing in it'}`;
};

const isEnd = (value: JsonValue, end: ReadonlySet<string>): boolean =>
  value === null || value === '' || (typeof value !== 'object' && end.has(String(value)));

const textOf = (text: string): NextMark =>
  EMPTY_WORDS.has(text.trim().toLowerCase()) ? unfit(`the text ${JSON.stringify(text)}`) : { kind: 'given', at: text };

const cursorOf = (value: JsonValue): NextMark => {
  if (typeof value === 'number') return { kind: 'given', at: value };
  if (isNumber(value)) return { kind: 'given', at: String(value) };
  return typeof value === 'string' ? textOf(value) : unfit(describe(value));
};

const linkOf = (value: JsonValue): NextMark => {
  if (typeof value === 'string') return textOf(value);
  return unfit(typeof value === 'object' ? describe(value) : `the ${typeof value} ${String(value)}`);
};

const LINK = /<(?<target>[^<>]*)>(?<params>(?:[^<",]|"(?:[^"\\]|\\.)*")*)/g;
/** One parameter of a link. Some servers quote by `'`. */
const PARAM = /;\s*(?<name>[^\s=;"]+)\s*=\s*(?:"(?<quoted>(?:[^"\\]|\\.)*)"|'(?<odd>[^']*)'|(?<bare>[^\s";]+))/g;

const isNext = (params = ''): boolean => {
  const rel = [...params.matchAll(PARAM)].find(({ groups }) => groups?.name?.toLowerCase() === 'rel')?.groups;
  const said = rel?.quoted ?? rel?.odd ?? rel?.bare ?? '';
  return said.toLowerCase().split(/\s/).includes('next');
};

/** The target of `rel="next"` in a Link header (RFC 8288 §3). */
export const nextInHeader = (header: string | undefined): string | undefined =>
  [...(header ?? '').matchAll(LINK)].find(({ groups }) => isNext(groups?.params))?.groups?.target;

/** What the answer says of the next page at the place that the plan names. `headers` are in lower case. Pure. */
export const nextMarkOf = (
  body: JsonValue,
  headers: Readonly<Record<string, string>>,
  next: Exclude<AnswerPlan['next'], { kind: 'nothing' }>,
): NextMark => {
  if (next.kind === 'link' && next.in === 'header') {
    const target = nextInHeader(headers.link);
    return target === undefined || target === '' ? { kind: 'absent' } : { kind: 'given', at: target };
  }
  const value = readPath(body, next.path);
  if (value === undefined) return { kind: 'absent' };
  if (isEnd(value, next.end)) return { kind: 'end' };
  return next.kind === 'cursor' ? cursorOf(value) : linkOf(value);
};
