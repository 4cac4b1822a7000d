import { expect, test } from 'vitest';
import { type JsonObject, parseJson } from '../../lib/json/json.ts';
import { identify } from '../../lib/transform/values.ts';

test.each<[JsonObject, string, string]>([
  [{ id: '123' }, 'id', '123'],
  [{ id: 123 }, 'id', '123'],
  [{ id: 0 }, 'id', '0'],
  [{ id: '0' }, 'id', '0'],
  [{ id: '01' }, 'id', '01'],
  [{ a: { b: 7 } }, 'a.b', '7'],
  [{ id: 1.5 }, 'id', '1.5'],
])('%j has at %s the id %j', (record, path, id) => {
  expect(identify(record, path)).toEqual({ id });
});

test('ids past 2^53 are exact', () => {
  const record = parseJson('{"id": 812252963824298001}') as JsonObject;
  expect(identify(record, 'id')).toEqual({ id: '812252963824298001' });
});

test.each<[JsonObject, string]>([
  [{}, 'id: id is missing'],
  [{ id: null }, 'id: id is null'],
  [{ id: '' }, 'id: id is blank'],
  [{ id: '  ' }, 'id: id is blank'],
  [{ id: { a: 1 } }, 'id: id is an object, not a text or a number'],
  [{ id: [1] }, 'id: id is a list, not a text or a number'],
  [{ id: true }, 'id: id is true or false, not a text or a number'],
  [{ id: 1e21 }, 'id: id is a number that is not exact'],
  [{ id: '\uD800' }, 'id: id is not well-formed Unicode'],
  [{ id: '长'.repeat(301) }, 'id: id is longer than 900 bytes'],
])('%j has no id: %s', (record, reason) => {
  expect(identify(record, 'id')).toEqual({ reason });
});
