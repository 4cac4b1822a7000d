/** A batch request takes up to this many entries (SQS API Reference). */
export const MAX_BATCH_ENTRIES = 10;
/** One message, and all messages of a batch together, may have up to 1 MiB (SQS API Reference, SendMessageBatch). */
export const MAX_BATCH_BYTES = 1_048_576;

/**
 * Splits entries into batches that SQS accepts, in order. An entry that is larger than `MAX_BATCH_BYTES` by itself is
 * in none of them.
 */
export const packBatches = (entries: readonly number[], sizeBytes: (entry: number) => number): number[][] => {
  const batches: number[][] = [];
  let batch: number[] = [];
  let batchBytes = 0;
  for (const entry of entries) {
    const entryBytes = sizeBytes(entry);
    if (entryBytes > MAX_BATCH_BYTES) continue;
    if (batch.length === 0 || batch.length === MAX_BATCH_ENTRIES || batchBytes + entryBytes > MAX_BATCH_BYTES) {
      batch = [];
      batchBytes = 0;
      batches.push(batch);
    }
    batch.push(entry);
    batchBytes += entryBytes;
  }
  return batches;
};
