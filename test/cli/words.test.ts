import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { parseSpan } from '../../cli/input/flags.ts';
import { fittedTable } from '../../cli/screen/table.ts';
import { limitWords, span } from '../../cli/screen/words.ts';

describe('a table', () => {
  const header = ['id', 'words', 'n'];
  const rows = [['5203300118', '分组名称不符合目标系统的规则'.repeat(5), '1']];

  test.each([40, 60, 80, 120])('fits a terminal of %d columns, Chinese characters counted as two', (columns) => {
    for (const line of fittedTable(header, rows, columns).split('\n')) {
      expect(stringWidth(line)).toBeLessThanOrEqual(columns);
    }
  });

  test('cuts the widest column first, and leaves ids whole', () => {
    expect(fittedTable(header, rows, 60)).toContain('5203300118');
  });

  describe('that says what may give way', () => {
    const wide = ['run', 'integration', 'started', 'waiting'];
    const runs = ['crm', 'qingyiyun'].map((target) => [
      '20261128T071725Z',
      `okki-product-groups-to-${target}`,
      '2026-11-28 07:17:25',
      '3 rejected, 2 uncertain, 1 open',
    ]);
    const fit = { cut: ['waiting'], cutFront: ['integration'], drop: ['started', 'integration'] };

    test.each([40, 60, 80, 120])('fits %d columns with its key whole', (columns) => {
      const lines = fittedTable(wide, runs, columns, fit).split('\n');
      for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
      expect(lines[1]).toContain('20261128T071725Z');
    });

    test('leaves out in order what may be left out, and only as much as it must', () => {
      const headerAt = (columns: number) => fittedTable(wide, runs, columns, fit).split('\n')[0]?.split(/ +/);
      expect(headerAt(120)).toEqual(wide);
      expect(headerAt(60)).toEqual(['run', 'integration', 'waiting']);
      expect(headerAt(40)).toEqual(['run', 'waiting']);
    });

    test('cuts names that begin alike at their front', () => {
      expect(fittedTable(wide, runs, 60, fit)).toMatch(/…[\w-]*to-crm.*\n.*…[\w-]*qingyiyun/);
    });
  });

  test('cuts nothing where there is no terminal', () => {
    expect(fittedTable(header, rows, undefined)).toContain(rows[0]?.[1]);
  });
});

test.each([
  ['90s', 90_000],
  ['30m', 1_800_000],
  ['2h', 7_200_000],
  ['7d', 604_800_000],
  ['2', undefined],
  ['2w', undefined],
  ['-2h', undefined],
  ['1h30m', undefined],
])('the span %s is %s ms', (text, ms) => {
  expect(parseSpan(text)).toBe(ms);
});

test.each([
  [850, '850 ms'],
  [12_340, '12.3 s'],
  [250_000, '4 min 10 s'],
  [12_000_000, '3 h 20 min'],
  [187_200_000, '2 d 4 h'],
])('%d ms read as %s', (ms, words) => {
  expect(span(ms)).toBe(words);
});

test.each([
  [{ heldMs: 0, throttled: 0, putOff: 0 }, ''],
  [{ heldMs: 130_000, throttled: 0, putOff: 0 }, 'held up for 2 min 10 s'],
  [{ heldMs: 900, throttled: 1, putOff: 0 }, 'held up for 900 ms, 1 answer "too many"'],
  [{ heldMs: 0, throttled: 3, putOff: 27 }, '3 answers "too many", 27 put off'],
])('limits that were hit are told in words', (hits, words) => {
  expect(limitWords(hits)).toBe(words);
});
