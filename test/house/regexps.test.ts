import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import { analyse } from 'scslre';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** Everything that meets what others wrote: integration files, records, answers. */
const files = ['functions', 'lib', 'cli'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
);

const expressionsOf = (file: string): { place: string; source: string; flags: string }[] => {
  const text = readFileSync(join(root, file), 'utf8');
  const found: { place: string; source: string; flags: string }[] = [];
  const visitor = new Visitor({
    Literal: (node) => {
      if (!('regex' in node)) return;
      const line = text.slice(0, node.start).split('\n').length;
      found.push({ place: `${file}:${line}`, source: node.regex.pattern, flags: node.regex.flags });
    },
  });
  visitor.visit(parseSync(file, text).program);
  return found;
};

describe('regular expressions', () => {
  const expressions = files.flatMap(expressionsOf);

  test('are found', () => {
    expect(expressions.length).toBeGreaterThan(100);
  });

  test('take time in proportion to the text: none backtracks over the same characters in two ways', () => {
    const slow = expressions.filter(({ source, flags }) => analyse({ source, flags }).reports.length > 0);
    expect(slow.map(({ place, source }) => `${place} ${source}`)).toEqual([]);
  });
});
