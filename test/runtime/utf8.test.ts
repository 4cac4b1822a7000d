import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { planCommand } from '../../cli/commands/plan.ts';
import { readUserText } from '../../cli/input/user-text.ts';
import { parseIntegration } from '../../lib/integration/read.ts';
import { decodeUtf8, NotUtf8Error } from '../../lib/runtime/utf8.ts';

const dir = mkdtempSync(join(tmpdir(), 'utf8-'));
afterAll(() => rmSync(dir, { recursive: true }));

const gbk = Buffer.from('{\n  "name": "a",\n  "title": "\xd6\xd0\xb9\xfa"\n}', 'latin1');

it('a text is UTF-8, with or without a byte order mark', () => {
  expect(decodeUtf8(Buffer.from('中😀'), 'it')).toBe('中😀');
  expect(decodeUtf8(Buffer.from('\uFEFF{}'), 'it')).toBe('{}');
});

it.each([
  ['in GBK', gbk, 3],
  ['in UTF-16 with its mark', Buffer.from('\uFEFF{}', 'utf16le'), 1],
  ['that breaks off in a character', Buffer.from('a\n中').subarray(0, 4), 2],
])('bytes %s are refused with their line, and say what to do', (_, bytes, line) => {
  const words = `it, line ${line}: not UTF-8; save the file as UTF-8. 请另存为 UTF-8。`;
  expect(() => decodeUtf8(bytes, 'it')).toThrow(NotUtf8Error);
  expect(() => decodeUtf8(bytes, 'it')).toThrow(words);
});

it('an integration file in another encoding has that one fault, with its line', () => {
  expect(parseIntegration(gbk, 'a.json')).toEqual({
    faults: [
      {
        file: 'a.json',
        path: '',
        position: { line: 3, column: 1 },
        expected: 'a file saved as UTF-8 (请另存为 UTF-8)',
        found: expect.stringContaining('no UTF-8'),
      },
    ],
    warnings: [],
    keys: [],
  });
});

it('a file that the user names on the command line is refused in the same words', async () => {
  const file = join(dir, 'saved.json');
  writeFileSync(file, gbk);
  expect(() => readUserText(file)).toThrow('请另存为 UTF-8');
  expect(() => readUserText(join(dir, 'none'))).toThrow('There is no readable file');
  await expect(planCommand({ integration: 'okki-product-groups-to-crm', from: file, dataDir: dir })).rejects.toThrow(
    'line 3',
  );
});
