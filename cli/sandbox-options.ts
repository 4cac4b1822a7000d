import type { JsonValue } from '../lib/json/json.ts';
import { type Fault, FaultSyntaxError, GroupsFileError, parseFault, readGroupsFile } from '../local/sandbox/sandbox.ts';
import { UsageError } from './exit-code.ts';

/** The groups of a file, or a UsageError that names file and line. */
export const readGroups = async (file: string): Promise<JsonValue[]> => {
  try {
    return await readGroupsFile(file);
  } catch (error) {
    if (error instanceof GroupsFileError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
};

/** The faults that `--fault` names, or a UsageError that says what is allowed. */
export const readFaults = (texts: readonly string[]): Fault[] => {
  try {
    return texts.map(parseFault);
  } catch (error) {
    if (error instanceof FaultSyntaxError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
};
