import type { AnswerPlan } from '../integration/compile/source-plan.ts';
import { isCompound, isJsonObject, isNumber, type JsonObject, type JsonValue } from '../json/json.ts';
import { readPath } from '../json/path.ts';

/**
 * What an answer says of more pages under a name that the file does not state, with its path. By a flag outright, by a
 * cursor, page or link that would be the next one, or by how many pages there are in all (the same on every page).
 */
export type MoreFlag = { path: string; more: boolean; by: 'flag' | 'next' | 'pages' };

type AnswerHeaders = Readonly<Record<string, string>>;

/** Names as they are spelled everywhere, without their capitals, `_`, `-`, `.` and `@`. */
const plain = (name: string): string => name.toLowerCase().replace(/[-_.@]/g, '');

const moreNames: ReadonlySet<string> = new Set([
  'hasnext',
  'hasnextpage',
  'hasmore',
  'hasmoredata',
  'hasmorepages',
  'hasmoreitems',
  'havemore',
  'havenext',
  'havenextpage',
  'more',
  'moredata',
  'morepages',
  'moreresults',
  'moreresultsavailable',
  'ismore',
  'isnext',
  'isnextpage',
  'istruncated',
  'truncated',
  'exceededtransferlimit',
]);
const lastNames: ReadonlySet<string> = new Set(['islast', 'islastpage', 'isend']);
/** A page's number or a day as well: only `true` and `false` speak of more. */
const vagueLastNames: ReadonlySet<string> = new Set(['last', 'lastpage']);
const nextNames: ReadonlySet<string> = new Set([
  'next',
  'nextlink',
  'nextpage',
  'nextpageurl',
  'nexturl',
  'nextcursor',
  'nextpagetoken',
  'nexttoken',
  'odatanextlink',
  'nextrecordsurl',
]);
const pagesNames: ReadonlySet<string> = new Set(['totalpage', 'totalpages', 'pagestotal', 'lastpage', 'pages']);
const totalNames: ReadonlySet<string> = new Set([
  'total',
  'totalcount',
  'totalcnt',
  'totalnum',
  'totalnumber',
  'totalitem',
  'totalitems',
  'totalrecord',
  'totalrecords',
  'totalresult',
  'totalresults',
  'totalrow',
  'totalrows',
  'totalsize',
  'totalelements',
  'totalentries',
  'totalhits',
  'recordcount',
  'recordscount',
  'recordstotal',
  'itotalrecords',
  'totalitemcount',
  'datacount',
  'odatacount',
  'numfound',
]);

const words: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['y', true],
  ['yes', true],
  ['t', true],
  ['false', false],
  ['0', false],
  ['n', false],
  ['no', false],
  ['f', false],
]);

/** A flag as servers write it: `true`, `1`, `"Y"`, …; undefined where it is none. */
export const flagOf = (value: JsonValue | undefined): boolean | undefined =>
  // Of an object `String` may throw: JSON can say `{"toString": false}`.
  typeof value === 'object' ? undefined : words.get(String(value).toLowerCase());

/** Envelopes lie no deeper than this. */
const MAX_LEVELS = 3;
/** Fields that are looked at: an envelope has a few. */
const MAX_FIELDS = 300;

type Field = { path: string; name: string; value: JsonValue };

/** The fields around the list, outer ones first; lists are not looked into. */
const fieldsOf = (body: JsonValue): Field[] => {
  const found: Field[] = [];
  let level: { around: string; object: JsonObject }[] = isJsonObject(body) ? [{ around: '', object: body }] : [];
  for (let depth = 0; depth < MAX_LEVELS; depth++) {
    const inner: typeof level = [];
    for (const { around, object } of level) {
      for (const [key, value] of Object.entries(object)) {
        if (found.length >= MAX_FIELDS) return found;
        const path = `${around}${key}`;
        found.push({ path, name: plain(key), value });
        if (isJsonObject(value)) inner.push({ around: `${path}.`, object: value });
      }
    }
    level = inner;
  }
  return found;
};

/** In an object the link or cursor stands under a name of its own: `href`, `after`, `link`. */
const isNextGiven = (value: JsonValue): boolean => {
  if (isJsonObject(value)) return Object.values(value).some((inner) => typeof inner === 'string' && isNextGiven(inner));
  if (isNumber(value)) return Number(value) > 0;
  if (typeof value === 'boolean') return value;
  return typeof value === 'string' && value !== '' && flagOf(value) !== false && !/^(null|none|-1)$/i.test(value);
};

/** Numbers come as texts, too. */
const isSeveral = (value: JsonValue): boolean => /^\d+$/.test(String(value)) && Number(value) > 1;

const flagsIn = ({ path, name, value }: Field): MoreFlag[] => {
  const flag = flagOf(value);
  if (moreNames.has(name) && flag !== undefined) return [{ path, more: flag, by: 'flag' }];
  if (lastNames.has(name) && flag !== undefined) return [{ path, more: !flag, by: 'flag' }];
  if (vagueLastNames.has(name) && typeof value === 'boolean') return [{ path, more: !value, by: 'flag' }];
  if (nextNames.has(name) && isNextGiven(value)) return [{ path, more: true, by: 'next' }];
  return pagesNames.has(name) && !isCompound(value) && isSeveral(value) ? [{ path, more: true, by: 'pages' }] : [];
};

/** A list without an envelope speaks of its next page in its headers. */
const inHeaders = (headers: AnswerHeaders): MoreFlag[] =>
  nextInHeader(headers.link) === undefined ? [] : [{ path: 'rel="next" of the Link header', more: true, by: 'next' }];

/**
 * What an answer says of more pages, under the names that are usual for it. Where a flag says it outright, a cursor
 * or a number of pages beside it says nothing more. `headers` are in lower case. Pure.
 */
export const moreFlagsOf = (body: JsonValue, headers: AnswerHeaders = {}): MoreFlag[] => {
  const flags = [...fieldsOf(body).flatMap(flagsIn), ...inHeaders(headers)];
  const outright = flags.filter(({ by }) => by === 'flag');
  return outright.length > 0 ? outright : flags;
};

/** Headers that tell the total of a list without an envelope. */
const TOTAL_HEADERS = ['x-total-count', 'x-total', 'x-wp-total'];

/** What stands under the usual names of a total, outer ones first, headers last. `headers` are in lower case. Pure. */
export const usualTotalsOf = (body: JsonValue, headers: AnswerHeaders = {}): JsonValue[] => [
  ...fieldsOf(body).flatMap(({ name, value }) => (totalNames.has(name) ? [value] : [])),
  ...TOTAL_HEADERS.flatMap((name) => headers[name] ?? []),
];

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
const nextInHeader = (header: string | undefined): string | undefined =>
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
