import { expect, it } from 'vitest';
import { fittedTable, table } from '../../cli/screen/table.ts';

it('what a record holds does not steer the terminal: control characters and half characters are shown as escapes', () => {
  const rows = [['\u001b[2J\u0007a\nb', '\ud83d 😀 \ude00 分组 \u009b1m\u0000']];
  const shown = ['\\u001b[2J\\u0007a\\u000ab', '\\ud83d 😀 \\ude00 分组 \\u009b1m\\u0000'].join('  ');
  expect(table(['id', 'name'], rows).split('\n')[1]).toBe(shown);
  expect(fittedTable(['id', 'name'], rows, 200).split('\n')[1]).toBe(shown);
  expect(fittedTable(['id', 'name'], rows, undefined).split('\n')[1]).toBe(shown);
});
