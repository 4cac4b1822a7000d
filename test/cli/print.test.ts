import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { styleText } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { historyText } from '../../cli/screen/record.ts';
import { safe, shown } from '../../cli/terminal/print.ts';
import { printable } from '../../lib/runtime/printable.ts';

/** ESC, the C1 form of CSI, BEL, a carriage return, a line end, and a right-to-left override. */
const HOSTILE = '\u001b[2J\u009b31m\u0007\rFAKE\n\u202edaeh';
const CLEAN = '\\u001b[2J\\u009b31m\\u0007\\u000dFAKE\\u000a\\u202edaeh';
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be printed
const STEERING = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

describe('text from outside', () => {
  test('stands on one line, what would steer the terminal as JSON escapes it', () => {
    expect(printable(HOSTILE)).toBe(CLEAN);
    expect(shown({ ids: [HOSTILE], deep: { reason: HOSTILE, count: 3, none: undefined } })).toEqual({
      ids: [CLEAN],
      deep: { reason: CLEAN, count: 3, none: undefined },
    });
  });

  test('keeps what is no control: Chinese, emoji and their joiners', () => {
    const text = '分组 👨‍👩‍👧 é';
    expect([printable(text), safe(text)]).toEqual([text, text]);
  });

  test('makes no line of its own in the history of a record', () => {
    const history = {
      integration: 'groups',
      id: HOSTILE,
      item: { id: HOSTILE, rev: 1, trouble: { ...trouble, reason: HOSTILE, parentId: HOSTILE } },
      runs: [],
      letters: [],
      audit: [],
      queued: 0,
    };
    const text = historyText(shown(history));
    expect(text).not.toMatch(STEERING);
    expect(text.split('\n').some((line) => line.startsWith('daeh') || line.startsWith('FAKE'))).toBe(false);
  });
});

const trouble = { kind: 'rejected', hash: 'A', versionMs: 1, sinceMs: 1 } as const;

describe('the last edge of what is printed', () => {
  test('lets line ends and our colours pass, and nothing else that steers', () => {
    const ours = `${styleText('green', '✓', { validateStream: false })}\n`;
    expect(safe(ours)).toBe(ours);
    expect(safe('\u001b[2J\u001b]52;c;AAAA\u0007\u001b[8m')).not.toContain('\u001b');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const colours = ['31', '32', '33', '36', '39', '2', '22'].map((code) => `\u001b[${code}m`);
        const printed = colours.reduce((left, colour) => left.replaceAll(colour, ''), safe(text));
        expect(printed).not.toMatch(STEERING);
      }),
    );
  });

  test('changes nothing that JSON says', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(JSON.parse(safe(json))).toEqual(JSON.parse(json));
      }),
    );
    expect(JSON.parse(safe(JSON.stringify({ id: HOSTILE })))).toEqual({ id: HOSTILE });
  });

  test('is the only way to stdout and stderr: no command writes past it', () => {
    const past = ['commands', 'screen', 'stack'].flatMap((folder) =>
      readdirSync(path.join('cli', folder)).filter((file) =>
        /process\.std(?:out|err)\.write\((?!'\\u001b\[2J)/.test(readFileSync(path.join('cli', folder, file), 'utf8')),
      ),
    );
    expect(past).toEqual([]);
  });
});
