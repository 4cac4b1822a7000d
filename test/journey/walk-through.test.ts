import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseIntegration } from '../../lib/integration/read.ts';
import { newDir, program } from './program.ts';

const docs = join(import.meta.dirname, '../../docs');

type Fence = { language: string; file: string | undefined; text: string };

const fencesOf = (page: string): Fence[] =>
  [...readFileSync(join(docs, page), 'utf8').matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map(
    ([, language = '', file, text = '']) => ({ language, file, text }),
  );

/** The arguments of `npm start -- …`, where `tryout` is a folder of the test's own. */
const argsOf = (command: string, tryout: string): string[] =>
  command
    .trim()
    .split(' ')
    .slice(3)
    .map((word) => word.replace(/^tryout(?=\/)/, tryout));

/** A line without the spaces between its words: columns are as wide as their widest cell. */
const words = (line: string): string => line.replaceAll(/\s+/g, ' ').trim();

const [page, inChinese] = ['from-export-to-schedule.md', 'from-export-to-schedule.zh-CN.md'] as const;

describe('the walk-through', () => {
  test('does what it says, command by command', { timeout: 120_000 }, async () => {
    const tryout = newDir();
    let said = '';
    let commands = 0;
    for (const { language, file, text } of fencesOf(page)) {
      if (language === 'json' && file !== undefined) {
        writeFileSync(file.replace(/^tryout/, tryout), text);
      } else if (language === 'sh') {
        const { code, stdout, stderr } = await program(argsOf(text, tryout));
        expect(code, stderr).toBe(file === 'exit-1' ? 1 : 0);
        said = words(stdout.replaceAll(tryout, 'tryout'));
        commands += 1;
      } else if (language === 'text') {
        for (const line of text.trim().split('\n')) expect(said).toContain(words(line));
      }
    }
    expect(commands).toBe(4);
    const made = readFileSync(join(tryout, 'receipts-to-qingyiyun.json'), 'utf8').replace('"okki"', '"./my-api.json"');
    expect(parseIntegration(made, join(tryout, 'receipts-to-qingyiyun.json')).faults).toEqual([]);
  });

  test('shows the same files and commands in both languages', () => {
    expect(fencesOf(inChinese)).toEqual(fencesOf(page));
  });
});
