import { auditQueues } from './audit-queues.ts';
import { auditRuns } from './audit-runs.ts';
import { auditTarget } from './audit-target.ts';
import { noEvidence } from './evidence.ts';
import type { World } from './world.ts';

/**
 * Watches every request that reaches a store, a queue or the target, and breaks the world at the first one that no
 * correct program makes. What can only be judged at the end is judged in `verdict.ts`.
 */
export const auditOf = (world: World) => {
  const evidence = noEvidence();
  return {
    evidence,
    ...auditTarget(world, evidence),
    ...auditQueues(world, evidence),
    ...auditRuns(world, evidence),
  };
};

export type Audit = ReturnType<typeof auditOf>;
