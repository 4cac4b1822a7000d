import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describeFault, type Fault } from '../../lib/integration/fault.ts';
import { parseIntegration } from '../../lib/integration/read.ts';
import { SERVICE_DIR } from './embedded.ts';
import { type ExitCode, exitCodes, UsageError } from './exit-code.ts';

const filesAt = (path: string): string[] => {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new UsageError(`There is no file or folder ${path}.`);
  if (!stat.isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => name.endsWith('.json'))
    .map((name) => join(path, name));
};

/** Checks files one by one and prints every fault and warning with its place. */
export const validateCommand = async (paths: readonly string[], flags: { json?: boolean }): Promise<ExitCode> => {
  const files = (paths.length > 0 ? paths : [join(SERVICE_DIR, 'integrations')]).flatMap(filesAt);
  const faults: Fault[] = [];
  const warnings: Fault[] = [];
  for (const file of files) {
    const checked = parseIntegration(readFileSync(file, 'utf8'), file);
    faults.push(...checked.faults);
    warnings.push(...checked.warnings);
    if (flags.json) continue;
    const verdict = checked.faults.length > 0 ? '✗' : '✓';
    process.stdout.write(`${verdict} ${file}\n`);
    for (const fault of checked.faults) process.stdout.write(`    fault    ${describeFault(fault)}\n`);
    for (const warning of checked.warnings) process.stdout.write(`    warning  ${describeFault(warning)}\n`);
  }
  if (flags.json) process.stdout.write(`${JSON.stringify({ files, faults, warnings })}\n`);
  return faults.length > 0 ? exitCodes.usage : exitCodes.ok;
};
