import type { Side } from '../../lib/runs/ends.ts';
import { type Fault, isOnTarget } from '../../local/sandbox/sandbox.ts';
import { UsageError } from '../input/usage-error.ts';

const WHOSE = 'this is for the sandbox, which does not stand in here. The sandbox alone: npm start -- sandbox --help';

/**
 * Refuses faults and groups that would change nothing: the sandbox that they are meant for does not stand in. Throws
 * UsageError.
 */
export const checkSandboxFlags = (
  { needs, groups, faults = [] }: { needs: readonly Side[]; groups?: unknown; faults?: readonly Fault[] },
  sandboxed: readonly Side[],
): void => {
  const isReal = (side: Side): boolean => sandboxed.length === 0 || (needs.includes(side) && !sandboxed.includes(side));
  if (groups !== undefined && isReal('source')) throw new UsageError(`--groups: ${WHOSE}. --groups 只对沙箱有效。`);
  const idle = faults.find((fault) => isReal(isOnTarget(fault) ? 'target' : 'source'));
  if (idle !== undefined) throw new UsageError(`--fault ${idle.text}: ${WHOSE}. --fault 只对沙箱有效。`);
};
