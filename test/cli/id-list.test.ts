import { expect, test } from 'vitest';
import { idsIn, idsTyped } from '../../cli/input/id-list.ts';
import { UsageError } from '../../cli/input/usage-error.ts';

test.each<[what: string, text: string, ids: string[]]>([
  ['one a line, blanks and empty lines aside', '1\n  2 \r\n\n3\r4\n', ['1', '2', '3', '4']],
  ['each once', '1\n1\n2', ['1', '2']],
  ['the first column of a CSV', '1,a\n2;b\n3\tc', ['1', '2', '3']],
  ['a column in quotes', '"a,1",x\n"say ""b""";y', ['a,1', 'say "b"']],
  ['below a header', 'ID,name\n1,a', ['1']],
  ['below the name of the id field', 'group_id\n1', ['1']],
  ['a JSON list', ' ["1", 2, 9007199254740993, "a b"]', ['1', '2', '9007199254740993', 'a b']],
  ['a JSON list, which has no header', '["id"]', ['id']],
])('ids of a file are %s: %j', (_, text, ids) => {
  expect([...idsIn(text, 'ids.txt', ['group_id'])]).toEqual(ids);
});

test.each([
  ['', 'ids.txt holds no ids'],
  ['id\n', 'ids.txt holds no ids'],
  ['[]', 'ids.txt holds no ids'],
  ['["1"', 'begins as a JSON list and is none'],
  ['[{"id":1}]', 'entry 1 is no id'],
  ['["1",null]', 'entry 2 is no id'],
])('a file with %j is refused', (text, words) => {
  expect(() => idsIn(text, 'ids.txt', [])).toThrow(UsageError);
  expect(() => idsIn(text, 'ids.txt', [])).toThrow(words);
});

test('ids that are typed are taken once each; an empty one, or more than a hundred, are refused', () => {
  expect(idsTyped(undefined)).toBeUndefined();
  expect(idsTyped(['1', ' 1', '2'])).toEqual(['1', '2']);
  expect(() => idsTyped(['1', ' '])).toThrow(UsageError);
  expect(() => idsTyped(Array.from({ length: 101 }, (_, n) => String(n)))).toThrow(UsageError);
});
