import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { readIntegrations } from '../lib/integration/read.ts';
import type { Integration } from '../lib/integration/schema/schema.ts';
import { describeFault } from '../lib/runtime/fault.ts';
import { UsageError } from './exit-code.ts';

export const DEFAULT_INTEGRATION = 'okki-product-groups-to-qingyiyun';
/** Where the embedded stack keeps its state unless told otherwise. */
export const DEFAULT_DATA_DIR = '.local';

/** An integration, the value of `INTEGRATIONS` under which the functions find it, and what is to say of its file. */
export type Choice = { integration: Integration; paths: string; warnings: string[] };

/**
 * Finds an integration by name in the shipped folder, or by the path of its file; a file outside replaces a shipped
 * one of its name. Throws UsageError, ConfigurationError.
 */
export const chooseIntegration = (nameOrPath: string, serviceDir: string): Choice => {
  const folder = join(serviceDir, 'integrations');
  if (nameOrPath.endsWith('.json') || nameOrPath.includes('/')) {
    const file = resolve(nameOrPath);
    if (!existsSync(file)) throw new UsageError(`There is no integration file ${file}.`);
    const { integrations, warnings } = readIntegrations([file]);
    const [integration] = integrations;
    if (integration === undefined) throw new UsageError(`${file} holds no integration.`);
    return { integration, paths: file, warnings: warnings.map(describeFault) };
  }
  const { integrations, warnings } = readIntegrations([folder]);
  const integration = integrations.find(({ name }) => name === nameOrPath);
  if (integration === undefined) {
    const names = integrations.map(({ name }) => name).join(', ');
    throw new UsageError(`There is no integration ${JSON.stringify(nameOrPath)}. In ${folder} there are: ${names}.`);
  }
  const ofThisFile = warnings.filter(({ file }) => basename(file, '.json') === integration.name);
  return { integration, paths: folder, warnings: ofThisFile.map(describeFault) };
};
