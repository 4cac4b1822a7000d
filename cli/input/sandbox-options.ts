import type { JsonValue } from '../../lib/json/json.ts';
import { defined } from '../../lib/runtime/defined.ts';
import {
  type Fault,
  FaultSyntaxError,
  GroupsFileError,
  parseFault,
  readGroupsFile,
} from '../../local/sandbox/sandbox.ts';
import { UsageError } from './usage-error.ts';

/** What the sandbox serves and does wrong, as the operator says it. */
export type SandboxFlags = { groups?: string; fault?: string[] };

/** The groups and faults that the flags mean, or a UsageError that names file and line, or says what is allowed. */
export const sandboxOptions = async ({
  groups,
  fault = [],
}: SandboxFlags): Promise<{ groups?: JsonValue[]; faults: Fault[] }> => {
  try {
    return {
      ...defined({ groups: groups === undefined ? undefined : await readGroupsFile(groups) }),
      faults: fault.map(parseFault),
    };
  } catch (error) {
    const isMistaken = error instanceof GroupsFileError || error instanceof FaultSyntaxError;
    throw isMistaken ? new UsageError(error.message, { cause: error }) : error;
  }
};
