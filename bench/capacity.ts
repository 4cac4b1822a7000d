type Capacity = { CapacityUnits?: number | undefined };

/** One exchange with DynamoDB as it is billed. */
export type Billed = { kind: 'read' | 'write'; units: number };

const READS = new Set(['GetItem', 'BatchGetItem', 'Query']);

/** A request's body with the question what it consumed. */
export const askingForCapacity = (body: string): string =>
  JSON.stringify({ ...JSON.parse(body), ReturnConsumedCapacity: 'TOTAL' });

/**
 * DynamoDB bills a refused conditional write by the size of the item that is there, and does not report it (developer
 * guide, "Read and write operations"). All items that the measured programs put conditions on have less than 1 KB: one
 * unit.
 */
export const REFUSED_WRITE_UNITS = 1;

/** What an exchange consumed, by its `x-amz-target` and its answer. */
export const billedFor = (target: string, answer: string): Billed => {
  const kind = READS.has(target.slice(target.indexOf('.') + 1)) ? 'read' : 'write';
  if (answer.includes('ConditionalCheckFailedException')) return { kind, units: REFUSED_WRITE_UNITS };
  const { ConsumedCapacity } = JSON.parse(answer) as { ConsumedCapacity?: Capacity | Capacity[] };
  return {
    kind,
    units: [ConsumedCapacity ?? []].flat().reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0),
  };
};
