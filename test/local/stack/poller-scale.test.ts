import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pollersFor } from '../../../local/stack/event-source.ts';

test.each([
  ['an empty queue keeps one', { visible: 0, batchMs: 5000, busy: 3 }, 1],
  ['a small backlog of quick batches keeps one', { visible: 300, batchMs: 5, busy: 1 }, 1],
  ['a backlog of a second gets two', { visible: 100, batchMs: 100, busy: 1 }, 2],
  ['a long backlog gets the most', { visible: 5000, batchMs: 100, busy: 1 }, 5],
  ['slow batches get no more pollers than there are batches', { visible: 12, batchMs: 30_000, busy: 1 }, 3],
])('%s', (_title, backlog, expected) => {
  expect(pollersFor({ batchSize: 10, max: 5, ...backlog })).toBe(expected);
});

test('always from 1 to max, and never fewer for a longer backlog', () => {
  const size = fc.integer({ min: 0, max: 100_000 });
  const most = fc.integer({ min: 1, max: 1000 });
  fc.assert(
    fc.property(size, size, most, most, size, (visible, more, batchSize, max, batchMs) => {
      const backlog = { batchSize, max, batchMs, busy: 1 };
      const fewer = pollersFor({ ...backlog, visible });
      const longer = pollersFor({ ...backlog, visible: visible + more });
      expect(fewer).toBeGreaterThanOrEqual(1);
      expect(longer).toBeLessThanOrEqual(max);
      expect(longer).toBeGreaterThanOrEqual(fewer);
    }),
  );
});
