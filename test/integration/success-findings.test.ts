import { expect, test } from 'vitest';
import { parseIntegration } from '../../lib/integration/read.ts';
import { type Changes, changedText } from './sample.ts';

const NAME = 'okki-product-groups-to-qingyiyun';
const rule = { path: 'code', equals: [0] };
const results = { path: 'rows', success: { path: 'ok', equals: [true] } };

/** What is said of `target.success`, as `fault` or `warning`. */
const saidOf = (changes: Changes): string[] => {
  const { faults, warnings } = parseIntegration(changedText(NAME, changes), `${NAME}.json`);
  const ofSuccess = ({ path }: { path: string }) => path.startsWith('target.success');
  return [
    ...faults.filter(ofSuccess).map(({ path }) => `fault ${path}`),
    ...warnings.filter(ofSuccess).map(({ path }) => `warning ${path}`),
  ];
};

test.each<[string, Changes, string[]]>([
  ['rules', { 'target.success': { rules: [rule] } }, []],
  ['a 2xx is enough', { 'target.success': { status: true } }, []],
  ['rules, and a 2xx where they find nothing', { 'target.success': { rules: [rule], status: true } }, []],
  ['an answer row by row', { 'target.success': undefined, 'target.results': results }, []],
  [
    'the metadata',
    {
      'target.success': undefined,
      'target.metadata.otherResponse': [
        { field: 'statusKey', value: 'code' },
        { field: 'statusValue', value: '0' },
      ],
    },
    [],
  ],
  ['a profile', { 'target.success': undefined, 'target.profile': 'generic-rest' }, []],
  ['nothing', { 'target.success': undefined }, ['warning target.success']],
  ['no rules', { 'target.success': { rules: [] } }, ['warning target.success']],
  ['a throttle alone', { 'target.success': { throttled: rule } }, ['warning target.success']],
  [
    'a rule that must be there, and a 2xx without it',
    { 'target.success': { rules: [{ ...rule, required: true }], status: true } },
    ['fault target.success.status'],
  ],
  [
    'a status that is not enough',
    { 'target.success': { rules: [rule], status: false } },
    ['fault target.success.status'],
  ],
])('what a success is, said by %s', (_, changes, expected) => {
  expect(saidOf(changes)).toEqual(expected);
});
