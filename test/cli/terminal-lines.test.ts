import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { readPaste, terminalLines } from '../../cli/input/terminal-lines.ts';
import { blocksIn } from '../../lib/operate/integration-draft.ts';

const opened = () => {
  const input = new PassThrough();
  const output = new PassThrough();
  return { input, output, lines: terminalLines(input, output) };
};

const SOURCE = '{\n  "api": "/list",\n  "note": "a } and a \\" in a text"\n}';
const TARGET = '{"api": "/execute", "request": [{"field": "id"}]}';

describe('what is pasted on a terminal', () => {
  test.each<[how: string, pasted: string]>([
    ['with nothing behind it', `${SOURCE}\n${TARGET}\n`],
    ['with a dot and blank lines behind it', `\n${SOURCE}\n\n${TARGET}\n\n.\n`],
    ['as a list', `[${SOURCE},\n${TARGET}]\n`],
    ['as two objects with a comma', `${SOURCE},\n${TARGET}\n.\n`],
    ['both on one line', `${TARGET}${TARGET}\n`],
  ])('ends with its second block, %s; what follows is the answer to a question', async (_how, pasted) => {
    const { input, output, lines } = opened();
    input.write(pasted);
    const text = await readPaste(lines);
    expect(blocksIn(text)?.[1]).toMatchObject({ api: '/execute' });
    const answer = lines.next('Name? ');
    input.write('groups\n');
    expect(await answer).toBe('groups');
    expect(String(output.read())).toContain('Name? ');
  });

  test('arrives in pieces', async () => {
    const { input, lines } = opened();
    const text = readPaste(lines);
    for (const piece of [`${SOURCE}\n${TARGET}`.slice(0, 30), `${SOURCE}\n${TARGET}`.slice(30), '\n']) {
      input.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(blocksIn(await text)).toBeDefined();
  });

  test.each([
    ['a line with a single dot', '.\n', false],
    ['the end of the input', '', true],
  ])('that is no two blocks is ended by %s', async (_what, rest, ends) => {
    const { input, lines } = opened();
    input.write(`{"api": "/list"\n${rest}`);
    if (ends) input.end();
    expect(await readPaste(lines)).toBe('{"api": "/list"\n');
  });
});

test('lines are over once the input is', async () => {
  const { input, lines } = opened();
  input.end('last\n');
  expect(await lines.next()).toBe('last');
  expect(await lines.next('more? ')).toBeUndefined();
});
