import type { JsonValue } from '../json/json.ts';

/** What the `value` of a request field says. */
export type Template =
  | { kind: 'constant'; value: JsonValue }
  /** Exactly one `{{path}}`: the value passes with its type. */
  | { kind: 'field'; path: string }
  /** Text with `{{path}}` in it. */
  | { kind: 'text'; parts: ({ text: string } | { path: string })[] }
  | { kind: 'unsupported'; why: string };

const PLACEHOLDER = /\{\{([^{}]*)\}\}/;

/** The platform's own variables: they are not fields of a record. */
const VARIABLE = /^(?:LAST_SYNC_TIME|CURRENT_TIME|DAYS_AGO_\d+|PAGINATION_[A-Z_]+)$/;

const unsupported = (why: string): Template => ({ kind: 'unsupported', why });

const placeholderFault = (inside: string): string | undefined => {
  if (inside === '') return 'an empty {{}}';
  if (inside.includes('|')) return `the pipe in {{${inside}}}`;
  if (VARIABLE.test(inside)) return `the variable {{${inside}}}`;
  return undefined;
};

/** Reads a template; what cannot be carried out is named instead of being sent as text. */
export const parseTemplate = (value: JsonValue): Template => {
  if (typeof value !== 'string') return { kind: 'constant', value };
  if (value.trimStart().startsWith('_function')) return unsupported('_function');
  // split with one group alternates text and what stood inside the braces.
  const pieces = value.split(new RegExp(PLACEHOLDER, 'g'));
  const paths = pieces.filter((_, index) => index % 2 === 1).map((inside) => inside.trim());
  const [path] = paths;
  if (path === undefined) return { kind: 'constant', value };
  const fault = paths.map(placeholderFault).find((found) => found !== undefined);
  if (fault !== undefined) return unsupported(fault);
  if (paths.length === 1 && pieces.every((piece, index) => index === 1 || piece.trim() === '')) {
    return { kind: 'field', path };
  }
  return {
    kind: 'text',
    parts: pieces.map((piece, index) => (index % 2 === 1 ? { path: piece.trim() } : { text: piece })),
  };
};
