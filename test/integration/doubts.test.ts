import { describe, expect, it, test } from 'vitest';
import { parseIntegration } from '../../lib/integration/read.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import { type Changes, changedText } from './sample.ts';

const crm = 'okki-product-groups-to-crm';

/** The warnings on a request, and whether the file runs. */
const said = (side: 'source' | 'target', request: JsonValue, changes: Changes = {}) => {
  const text = changedText(crm, { 'transform.types': undefined, [`${side}.metadata.request`]: request, ...changes });
  const { warnings, integration, faults } = parseIntegration(text, `${crm}.json`);
  expect(faults).toEqual([]);
  expect(integration).toBeDefined();
  return warnings
    .filter(({ path }) => path.startsWith(`${side}.metadata.request`))
    .map(({ path, expected }) => `${path.replace(`${side}.metadata.`, '')}: ${expected}`);
};

const id = { field: 'id', value: '{{id}}' };

describe('what is hardly meant is warned about, and runs', () => {
  it.each<[string, JsonValue, RegExp]>([
    ['a body of constants', [{ field: 'a', value: 'x' }], /^request: a field of the record.*same body/],
    ['constants in children', [{ field: 'o', children: [{ field: 'a', value: 'x' }] }], /^request: .*same body/],
    [
      'an array of children that names no list',
      [id, { field: 'ls', type: 'array', children: [{ field: 'a', value: '{{a}}' }] }],
      /^request\[1\]: the name of a list.*single element/,
    ],
    [
      'an array without anything',
      [id, { field: 'ls', type: 'array' }],
      /^request\[1\]: a value; without one the record's own/,
    ],
    [
      'a list that is spelled in two ways',
      [
        id,
        { field: 'ls', type: 'array', value: 'details_list', children: [{ field: 'a', value: '{{detail_list.a}}' }] },
      ],
      /^request\[1\]\.children\[0\]\.value: a list that the block names \(did you mean "details_list"\?\)/,
    ],
    [
      'a required field without a value',
      [id, { field: 'a', is_required: true }],
      /^request\[1\]\.value: .*every record is rej/,
    ],
    [
      'a placeholder',
      [id, { field: 'order_id', value: '1' }],
      /^request\[1\]\.value: a value that is meant.*placeholder/,
    ],
    ['several ones', [id, { field: 'type', value: '111' }], /^request\[1\]\.value: .*placeholder/],
    [
      'a 1 described as 111',
      [id, { field: 'type', value: '1', describe: '111' }],
      /^request\[1\]\.value: .*placeholder/,
    ],
  ])('%s', (_, request, words) => {
    expect(said('target', request)).toContainEqual(expect.stringMatching(words));
  });

  it('a placeholder in what a list is asked for', () => {
    expect(said('source', [{ field: 'shop_id', value: '1' }])).toContainEqual(expect.stringMatching(/placeholder/));
  });

  it.each<[string, JsonValue, Changes, boolean]>([
    ['a token among the parameters', [{ field: 'access_token', value: 'tok_live_1' }], {}, true],
    ['an app secret in an object', [{ field: 'o', children: [{ field: 'appSecret', value: 's' }] }], {}, true],
    [
      'a header of any name',
      [{ field: 'X-Key', value: 'abc' }],
      { 'source.send': { request: { in: 'header' } } },
      true,
    ],
    [
      'a header that says how',
      [{ field: 'Accept', value: 'a/b' }],
      { 'source.send': { request: { in: 'header' } } },
      false,
    ],
    ['a parameter of a plain name', [{ field: 'X-Key', value: 'abc' }], {}, false],
    ['a token that a template gives', [{ field: 'page_token', value: '{{PAGINATION_START_PAGE}}' }], {}, false],
  ])('a secret typed into a block: %s', (_, request, changes, isWarned) => {
    expect(said('source', request, changes).some((words) => /connection\.auth, by reference/.test(words))).toBe(
      isWarned,
    );
  });

  it('a required field that no column of the list gives', () => {
    const rows = { 'source.answer.rows': 'lists' };
    const request = [{ field: 'a', value: '{{names}}', is_required: true }];
    expect(said('target', request, rows)).toContainEqual(expect.stringMatching(/column of the list.*"name".*no names/));
    expect(said('target', request)).toEqual([]);
  });
});

test('a body in which nothing has a value is refused: it would be empty for every record', () => {
  const request = [{ field: 'a' }, { field: 'o', children: [{ field: 'b', value: '' }] }];
  const text = changedText(crm, { 'transform.types': undefined, 'target.metadata.request': request });
  expect(parseIntegration(text, `${crm}.json`).faults).toEqual([
    expect.objectContaining({ path: 'target.metadata.request', expected: expect.stringContaining('would be empty') }),
  ]);
});

test.each<[string, JsonValue]>([
  ['a field of the record', [id]],
  ['a list of the record', [{ field: 'ls', type: 'array', value: 'details', children: [{ field: 'a', value: 'x' }] }]],
  ['a list that its children address', [{ field: 'ls', type: 'array', children: [{ field: 'a', value: '{{ls.a}}' }] }]],
  [
    'a field of an object beside a list',
    [
      { field: 'ls', type: 'array', value: 'rows' },
      { field: 'a', value: '{{customer.no}}' },
    ],
  ],
  ['a 1 that is meant', [id, { field: 'is_offline', value: '1' }, { field: 'n', type: 'int', value: '1' }]],
])('%s is no matter of doubt', (_, request) => {
  expect(said('target', request)).toEqual([]);
});
