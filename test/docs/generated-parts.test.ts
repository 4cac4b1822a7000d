import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chineseWords } from '../../docs/generate/dialect-words.ts';
import { generatedParts } from '../../docs/generate/generated-parts.ts';
import { fieldKeys, sourceKeys, targetKeys } from '../../lib/integration/dialect/keys.ts';

/** The formatter pads the cells of tables. */
const unpadded = (text: string): string => text.replaceAll(/ {2,}/g, ' ').replaceAll(/-{3,}/g, '---');

test.each(generatedParts)('what is generated in $file is what the code says', ({ file, update }) => {
  const text = readFileSync(join(import.meta.dirname, '../..', file), 'utf8');
  expect(unpadded(update(text))).toBe(unpadded(text));
});

test.each([
  ['source', sourceKeys],
  ['target', targetKeys],
  ['field', fieldKeys],
] as const)('every key of a %s has its words in Chinese, and no other has', (block, readings) => {
  expect(Object.keys(chineseWords[block]).sort()).toEqual(Object.keys(readings).sort());
});
