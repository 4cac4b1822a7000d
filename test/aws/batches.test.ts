import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_BATCH_BYTES, MAX_BATCH_ENTRIES, packBatches } from '../../lib/aws/sqs-queue.ts';

const sizes = fc.array(
  fc.oneof(
    fc.nat(2_000),
    fc.integer({ min: MAX_BATCH_BYTES / 4, max: MAX_BATCH_BYTES + 2 }),
    fc.constant(MAX_BATCH_BYTES),
  ),
  { maxLength: 60 },
);
const pack = (bytes: number[]) =>
  packBatches(
    bytes.map((_, index) => index),
    (index) => bytes[index] ?? 0,
  );
const total = (batch: number[], bytes: number[]) => batch.reduce((sum, index) => sum + (bytes[index] ?? 0), 0);

describe('packBatches', () => {
  it('keeps every batch within 10 entries and 1 MiB, and loses only what is larger than that alone', () => {
    fc.assert(
      fc.property(sizes, (bytes) => {
        const batches = pack(bytes);
        for (const batch of batches) {
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(MAX_BATCH_ENTRIES);
          expect(total(batch, bytes)).toBeLessThanOrEqual(MAX_BATCH_BYTES);
        }
        const fitting = bytes.flatMap((size, index) => (size <= MAX_BATCH_BYTES ? [index] : []));
        expect(batches.flat()).toEqual(fitting);
      }),
    );
  });

  it('starts a new batch only when the next entry does not fit', () => {
    fc.assert(
      fc.property(sizes, (bytes) => {
        const batches = pack(bytes);
        batches.slice(1).forEach((batch, index) => {
          const before = batches[index] ?? [];
          const full = before.length === MAX_BATCH_ENTRIES;
          expect(full || total(before, bytes) + (bytes[batch[0] ?? 0] ?? 0) > MAX_BATCH_BYTES).toBe(true);
        });
      }),
    );
  });
});
