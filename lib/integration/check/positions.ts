import type { FaultPath } from '../../runtime/fault.ts';

/** Where the members and elements of a JSON text stand. */
export type Positions = {
  /** Position of the member's key or of the element; of the nearest one around it where the path leads nowhere. */
  of(path: FaultPath): { line: number; column: number };
  /** Keys that one object holds twice: JSON.parse would silently keep the last. */
  repeatedKeys: FaultPath[];
};

const STRING = /"(?:[^"\\]|\\.)*"/y;
const SCALAR = /[^\s,\]}]+/y;
const SPACE = /\s*/y;

const keyOf = (path: FaultPath): string => JSON.stringify(path);

/** Line and column, from 1, of an offset in a text. */
export const positionAt = (text: string, offset: number): { line: number; column: number } => {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
};

/** Finds every member and element of `text`, which must be valid JSON. */
export const positionsOf = (text: string): Positions => {
  const offsets = new Map<string, number>([[keyOf([]), 0]]);
  const repeatedKeys: FaultPath[] = [];
  let offset = 0;

  const take = (pattern: RegExp): string => {
    pattern.lastIndex = offset;
    const [taken = ''] = pattern.exec(text) ?? [];
    offset += taken.length;
    return taken;
  };
  /** Steps over `mark` and the space around it, if it comes next. */
  const next = (mark: string): boolean => {
    take(SPACE);
    if (text[offset] !== mark) return false;
    offset += 1;
    take(SPACE);
    return true;
  };

  const members = (path: FaultPath): void => {
    while (!next('}')) {
      next(',');
      const start = offset;
      const member = [...path, JSON.parse(take(STRING)) as string];
      if (offsets.has(keyOf(member))) repeatedKeys.push(member);
      offsets.set(keyOf(member), start);
      next(':');
      value(member);
    }
  };
  const elements = (path: FaultPath): void => {
    for (let index = 0; !next(']'); index += 1) {
      next(',');
      offsets.set(keyOf([...path, index]), offset);
      value([...path, index]);
    }
  };
  const value = (path: FaultPath): void => {
    if (next('{')) members(path);
    else if (next('[')) elements(path);
    else if (take(STRING) === '') take(SCALAR);
  };
  value([]);

  return {
    of: (path) => {
      let around = path;
      while (!offsets.has(keyOf(around))) around = around.slice(0, -1);
      return positionAt(text, offsets.get(keyOf(around)) ?? 0);
    },
    repeatedKeys,
  };
};
