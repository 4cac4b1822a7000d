import { expect, test } from 'vitest';
import { doubtWords, listText } from '../../cli/screen/letters.ts';
import type { DeadLetterReason } from '../../lib/messages/dead-letter-reasons.ts';

const letter = (reason: DeadLetterReason, id: string) => ({
  reason,
  id,
  attempts: 1,
  firstMs: 0,
  lastMs: 0,
  messageId: `message-${id}`,
});
const list = (...reasons: DeadLetterReason[]): string =>
  listText(
    reasons.map((reason, index) => letter(reason, `id-${index}`)),
    new Map(reasons.map((reason) => [reason, 1])),
  );

test.each<[reasons: DeadLetterReason[], isReplayed: boolean, isResolved: boolean]>([
  [['rejected'], true, false],
  [['uncertain'], false, true],
  [['rejected', 'uncertain'], true, true],
])('the hint follows the reason: %j', (reasons, isReplayed, isResolved) => {
  const text = list(...reasons);
  expect(text.includes('npm start -- dlq replay')).toBe(isReplayed);
  expect(text.includes('npm start -- dlq resolve')).toBe(isResolved);
});

test('no hint resolves all uncertain records at once, and a long list is cut', () => {
  const ids = Array.from({ length: 7 }, (_, index) => `id-${index}`);
  const text = doubtWords(ids).join('\n');
  expect(text).toContain('7 uncertain');
  expect(text).toContain('id-4, …');
  expect(text).toContain('dlq resolve ID --loaded');
  expect(doubtWords([])).toEqual([]);
});
