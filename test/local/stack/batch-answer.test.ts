import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readBatchAnswer } from '../../../local/stack/event-source.ts';

const batch = new Set(['a', 'b', 'c']);

test.each([
  ['null', null],
  ['undefined', undefined],
  ['an empty answer', {}],
  ['a null list', { batchItemFailures: null }],
  ['an empty list', { batchItemFailures: [] }],
])('%s: none failed', (_title, answer) => {
  expect(readBatchAnswer(answer, batch)).toEqual({ kind: 'partial', failed: new Set() });
});

test.each([
  ['an empty identifier', { batchItemFailures: [{ itemIdentifier: '' }] }, 'no-identifier'],
  ['a null identifier', { batchItemFailures: [{ itemIdentifier: null }] }, 'no-identifier'],
  ['a wrong key', { batchItemFailures: [{ messageId: 'a' }] }, 'no-identifier'],
  ['no object in the list', { batchItemFailures: ['a'] }, 'no-identifier'],
  ['a good one beside a bad one', { batchItemFailures: [{ itemIdentifier: 'a' }, {}] }, 'no-identifier'],
  ['an identifier of another batch', { batchItemFailures: [{ itemIdentifier: 'z' }] }, 'unknown-identifier'],
  ['a list that is none', { batchItemFailures: 'a' }, 'not-a-list'],
  ['an answer that is a text', 'done', 'not-an-object'],
  ['an answer that is a list', [], 'not-an-object'],
])('%s: all failed', (_title, answer, reason) => {
  expect(readBatchAnswer(answer, batch)).toEqual({ kind: 'all-failed', reason });
});

test('exactly the reported messages failed', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.uuid(), { minLength: 1 }).chain((ids) => fc.tuple(fc.constant(ids), fc.subarray(ids))),
      ([ids, failed]) => {
        const answer = { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
        expect(readBatchAnswer(answer, new Set(ids))).toEqual({ kind: 'partial', failed: new Set(failed) });
      },
    ),
  );
});
