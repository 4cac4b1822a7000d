import { expect, test } from 'vitest';
import { parseIntegration } from '../../lib/integration/read.ts';
import { type Changes, changedText } from './sample.ts';

const NAME = 'okki-product-groups-to-crm';
const sinceLastSync = [{ field: 'start_time', value: '{{LAST_SYNC_TIME|datetime}}' }];
const window = { initial: '2020-01-01 00:00:00' };
const pathsOf = (changes: Changes): string[] =>
  parseIntegration(changedText(NAME, changes), `${NAME}.json`).faults.map(({ path }) => path);

test.each<[string, Changes, string[]]>([
  ['a time of the last sync without a window', { 'source.metadata.request': sinceLastSync }, ['source.window']],
  ['a window that no request asks for', { 'source.window': window }, ['source.window']],
  ['both together', { 'source.metadata.request': sinceLastSync, 'source.window': window }, []],
  ['deletions without an endpoint', { vanished: { action: 'post' } }, ['vanished.path']],
  ['an endpoint without deletions', { vanished: { path: '/x' } }, ['vanished.path']],
  ['both together', { vanished: { action: 'post', path: '/x' } }, []],
  [
    'deletions concluded from a list of changes',
    {
      'source.metadata.request': sinceLastSync,
      'source.window': window,
      vanished: { action: 'post', path: '/x' },
    },
    ['vanished.action'],
  ],
  ['a share above the whole', { vanished: { maxShare: 1.5 } }, ['vanished.maxShare']],
  ['an initial time that is none', { 'source.window': { initial: '2020-13-01' } }, ['source.window.initial']],
  ['another word for overlap', { overlap: 'queue' }, ['overlap']],
])('%s', (_, changes, expected) => {
  expect(pathsOf(changes).filter((path) => !expected.some((one) => path.startsWith(`${one}.`)))).toEqual(
    expect.arrayContaining(expected),
  );
  if (expected.length === 0) expect(pathsOf(changes)).toEqual([]);
});
