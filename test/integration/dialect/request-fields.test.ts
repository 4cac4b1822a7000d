import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { everyField, isUnset, leavesOf, readRequest, takes } from '../../../lib/integration/dialect/request-fields.ts';
import type { JsonValue } from '../../../lib/json/json.ts';
import { valueAt } from '../../../lib/json/path.ts';

const tree: JsonValue = [
  { field: 'id', value: '{{id}}', type: 'long', is_required: true },
  5,
  {
    field: 'lines',
    type: 'array',
    value: 'details',
    children: [
      { field: 'no', value: 'a,b', parser: { name: 'StringToArray' } },
      { field: 'inner', children: [] },
    ],
  },
];

describe('a request tree', () => {
  it('is read once, each field with its template, type and parsers, and where it stands', () => {
    const [id, lines] = readRequest(tree);
    expect(id).toMatchObject({ name: 'id', path: 'id', at: [0], isRequired: true, type: 'integer' });
    expect(id && takes(id, 'id')).toBe(true);
    expect(lines).toMatchObject({ type: 'array', at: [2], template: { kind: 'constant', value: 'details' } });
    expect(lines?.children[0]).toMatchObject({
      path: 'lines.no',
      at: [2, 'children', 0],
      parsers: [{ name: 'StringToArray', params: ',' }],
    });
  });

  it('has its leaves in order, an empty list of children among them', () => {
    expect(leavesOf(readRequest(tree)).map(({ path }) => path)).toEqual(['id', 'lines.no', 'lines.inner']);
  });

  it('is gone through as far as is asked for', () => {
    const fields = readRequest(tree);
    expect(everyField(fields).map(({ path }) => path)).toEqual(['id', 'lines', 'lines.no', 'lines.inner']);
    expect(everyField(fields, ({ type }) => type !== 'array').map(({ path }) => path)).toEqual(['id', 'lines']);
  });

  it.each<[JsonValue | undefined, boolean]>([
    [undefined, true],
    [null, true],
    ['', true],
    [0, false],
    [false, false],
    [[], false],
    ['{{id}}', false],
  ])('has a field with the value %j: unset %s', (value, unset) => {
    const [field] = readRequest([{ field: 'x', ...(value === undefined ? {} : { value }) }]);
    expect(field && isUnset(field)).toBe(unset);
  });

  it('of any form names each entry by the place where it stands', () => {
    const name = fc.constantFrom<JsonValue>('a', 'b', '', 5);
    const { entry } = fc.letrec<{ entry: JsonValue }>((tie) => ({
      entry: fc.oneof(
        { maxDepth: 3 },
        fc.jsonValue({ maxDepth: 1 }).map((value) => value as JsonValue),
        fc.record({
          field: name,
          value: fc.constantFrom<JsonValue>('{{id}}', 1, null),
          children: fc.array(tie('entry')),
        }),
      ),
    }));
    fc.assert(
      fc.property(fc.array(entry), (request) => {
        for (const { at, name: read } of everyField(readRequest(request))) {
          const written = valueAt(request, [...at, 'field']);
          expect(read).toBe(typeof written === 'string' ? written : '');
        }
      }),
    );
  });
});
