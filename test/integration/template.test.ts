import { expect, test } from 'vitest';
import { parseTemplate } from '../../lib/integration/template.ts';

test.each([
  ['PRE001', { kind: 'constant', value: 'PRE001' }],
  [5, { kind: 'constant', value: 5 }],
  [null, { kind: 'constant', value: null }],
  ['{{id}}', { kind: 'field', path: 'id' }],
  [' {{ a.b }} ', { kind: 'field', path: 'a.b' }],
  ['{{MB_001}}', { kind: 'field', path: 'MB_001' }],
  ['{{a}}-{{b}}', { kind: 'text', parts: [{ text: '' }, { path: 'a' }, { text: '-' }, { path: 'b' }, { text: '' }] }],
  ['{{a}', { kind: 'constant', value: '{{a}' }],
])('%j is read', (value, template) => {
  expect(parseTemplate(value)).toEqual(template);
});

test.each([
  ['{{}}', 'empty'],
  ['{{a|datetime}}', 'pipe'],
  ['since {{LAST_SYNC_TIME}}', 'variable'],
  ['{{DAYS_AGO_1}}', 'variable'],
  ['_function {{a}} * 2', '_function'],
])('%j is named, not sent as text', (value, why) => {
  expect(parseTemplate(value)).toEqual({ kind: 'unsupported', why: expect.stringContaining(why) });
});
