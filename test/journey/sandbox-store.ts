import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One record as it was written to a target of the sandbox. */
export type Applied = { id: string; content: Record<string, unknown> };

/** Everything that the sandbox's targets, or one of them, applied, in order: a line is one request. */
export const appliedRequests = (dataDir: string, target?: string): Applied[][] =>
  readFileSync(join(dataDir, 'sandbox-target.jsonl'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { target: string; rows: Applied[] })
    .filter((request) => target === undefined || request.target === target)
    .map(({ rows }) => rows);

/** How often each record was applied. */
export const appliedTimes = (dataDir: string, target?: string): Map<string, number> => {
  const times = new Map<string, number>();
  for (const { id } of appliedRequests(dataDir, target).flat()) times.set(id, (times.get(id) ?? 0) + 1);
  return times;
};
