import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dialectFiles, type Language, withTables } from '../../docs/generate/dialect-doc.ts';
import { chineseWords } from '../../docs/generate/dialect-words.ts';
import { fieldKeys, sourceKeys, targetKeys } from '../../lib/integration/dialect/words.ts';

/** The formatter pads the cells of tables. */
const unpadded = (text: string): string => text.replaceAll(/ {2,}/g, ' ').replaceAll(/-{3,}/g, '---');

test.each(Object.entries(dialectFiles))('the tables of the reference (%s) are those of the check', (language, file) => {
  const text = readFileSync(join(import.meta.dirname, '../..', file), 'utf8');
  expect(unpadded(withTables(text, language as Language))).toBe(unpadded(text));
});

test.each([
  ['source', sourceKeys],
  ['target', targetKeys],
  ['field', fieldKeys],
] as const)('every key of a %s has its words in Chinese, and no other has', (block, readings) => {
  expect(Object.keys(chineseWords[block]).sort()).toEqual(Object.keys(readings).sort());
});
