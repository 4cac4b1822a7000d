import { ExactNumber } from './exact-number.ts';
import type { JsonValue } from './json.ts';

/** Deeper than anything that is accepted, and shallow enough for every function that walks a value whole. */
const MAX_LEVELS = 1_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** Where the string that begins at `at` ends. */
const endOfString = (text: string, at: number): number => {
  for (let index = at + 1; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === BACKSLASH) index += 1;
    else if (code === QUOTE) return index;
  }
  return text.length;
};

/** JSON text with null in place of every list and object below a thousand levels. One walk, without recursion. */
export const cutText = (text: string): string => {
  const kept: string[] = [];
  let level = 0;
  let from = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) {
      index = endOfString(text, index);
    } else if (OPENING.has(code)) {
      level += 1;
      if (level === MAX_LEVELS + 1) kept.push(text.slice(from, index), 'null');
    } else if (CLOSING.has(code)) {
      if (level === MAX_LEVELS + 1) from = index + 1;
      level -= 1;
    }
  }
  // What is cut and never closed is no JSON, and stays none.
  return level > MAX_LEVELS ? kept.join('') : kept.join('') + text.slice(from);
};

/** A copy with null in place of every list and object below a thousand levels. */
export const cutValue = (value: JsonValue, levels = MAX_LEVELS): JsonValue => {
  if (Array.isArray(value)) return levels === 0 ? null : value.map((inner) => cutValue(inner, levels - 1));
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value;
  if (levels === 0) return null;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, cutValue(inner, levels - 1)]));
};
