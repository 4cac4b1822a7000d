import type { JsonValue } from '../../lib/json/json.ts';
import type { Side } from '../../lib/runs/ends.ts';
import { defined } from '../../lib/runtime/defined.ts';
import {
  type Fault,
  FaultSyntaxError,
  GroupsFileError,
  isOnTarget,
  parseFault,
  readGroupsFile,
} from '../../local/sandbox/sandbox.ts';
import { UsageError } from './usage-error.ts';

/** What the sandbox stands in for, serves and does wrong, as the operator says it. */
export type SandboxFlags = { sandbox?: 'source' | 'target'; groups?: string; fault?: string[] };

/** Refuses what is said of the sandbox, or of the embedded stack, to a deployed one. Throws UsageError. */
export const checkStageFlags = (flags: SandboxFlags & { fresh?: boolean }): void => {
  const named = (['sandbox', 'groups', 'fault', 'fresh'] as const).filter((name) => flags[name] !== undefined);
  if (named.length === 0) return;
  const options = named.map((name) => `--${name}`).join(', ');
  throw new UsageError(`${options}: only for the embedded stack, not with --stage. 不能与 --stage 同用。`);
};

/** The groups and faults that the flags mean, or a UsageError that names file and line, or says what is allowed. */
export const sandboxOptions = async ({
  sandbox,
  groups,
  fault = [],
}: SandboxFlags): Promise<{ sandbox?: 'source' | 'target'; groups?: JsonValue[]; faults: Fault[] }> => {
  try {
    return {
      ...defined({ sandbox }),
      ...defined({ groups: groups === undefined ? undefined : await readGroupsFile(groups) }),
      faults: fault.map(parseFault),
    };
  } catch (error) {
    const isMistaken = error instanceof GroupsFileError || error instanceof FaultSyntaxError;
    throw isMistaken ? new UsageError(error.message, { cause: error }) : error;
  }
};

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
