/** Why a batch counts as failed as a whole. */
type WholeBatchFailure = 'not-an-object' | 'not-a-list' | 'no-identifier' | 'unknown-identifier';

/** Which messages of a batch failed: none, some, or all. All where the answer is not valid. */
export type BatchAnswer =
  | { kind: 'partial'; failed: ReadonlySet<string> }
  | { kind: 'all-failed'; reason: WholeBatchFailure };

const NONE_FAILED: BatchAnswer = { kind: 'partial', failed: new Set() };

/**
 * Reads the answer of a function whose mapping has ReportBatchItemFailures.
 *
 * Lambda developer guide, "Handling errors for an SQS event source in Lambda", success and failure conditions: an
 * empty or null answer, and an empty or null `batchItemFailures`, mean success; an answer that is not valid, and an
 * `itemIdentifier` that is an empty string, null, under a wrong key, or not of this batch, mean that all failed.
 */
export function readBatchAnswer(answer: unknown, messageIds: ReadonlySet<string>): BatchAnswer {
  if (answer === null || answer === undefined) return NONE_FAILED;
  if (typeof answer !== 'object' || Array.isArray(answer)) return { kind: 'all-failed', reason: 'not-an-object' };
  const failures: unknown = 'batchItemFailures' in answer ? answer.batchItemFailures : null;
  if (failures === null || failures === undefined) return NONE_FAILED;
  if (!Array.isArray(failures)) return { kind: 'all-failed', reason: 'not-a-list' };
  const failed = new Set<string>();
  for (const failure of failures) {
    const id: unknown = typeof failure === 'object' && failure !== null ? failure.itemIdentifier : undefined;
    if (typeof id !== 'string' || id === '') return { kind: 'all-failed', reason: 'no-identifier' };
    if (!messageIds.has(id)) return { kind: 'all-failed', reason: 'unknown-identifier' };
    failed.add(id);
  }
  return { kind: 'partial', failed };
}
