import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readIntegrations } from '../../lib/integration/read.ts';
import type { Integration } from '../../lib/integration/schema/schema.ts';
import { describeFault } from '../../lib/runtime/fault.ts';
import { UsageError } from './usage-error.ts';

/** The project's own folder: where serverless.yml, functions and integrations are. */
export const SERVICE_DIR = fileURLToPath(new URL('../..', import.meta.url));
export const SHIPPED_DIR = join(SERVICE_DIR, 'integrations');

export const DEFAULT_INTEGRATION = 'okki-product-groups-to-qingyiyun';

/** An integration, the value of `INTEGRATIONS` under which the functions find it, and what is to say of its file. */
export type Choice = { integration: Integration; paths: string; warnings: string[] };

/**
 * Finds an integration by name in the shipped folder, or by the path of its file; a file outside replaces a shipped
 * one of its name. Throws UsageError, ConfigurationError.
 */
export const chooseIntegration = (nameOrPath: string): Choice => {
  if (nameOrPath.endsWith('.json') || nameOrPath.includes('/')) {
    const file = resolve(nameOrPath);
    if (!existsSync(file)) throw new UsageError(`There is no integration file ${file}.`);
    const { integrations, warnings } = readIntegrations([file]);
    const [integration] = integrations;
    if (integration === undefined) throw new UsageError(`${file} holds no integration.`);
    return { integration, paths: file, warnings: warnings.map(describeFault) };
  }
  const { integrations, warnings } = readIntegrations([SHIPPED_DIR]);
  const integration = integrations.find(({ name }) => name === nameOrPath);
  if (integration === undefined) {
    const names = integrations.map(({ name }) => name).join(', ');
    throw new UsageError(
      `There is no integration ${JSON.stringify(nameOrPath)}. In ${SHIPPED_DIR} there are: ${names}.`,
    );
  }
  const ofThisFile = warnings.filter(({ file }) => basename(file, '.json') === integration.name);
  return { integration, paths: SHIPPED_DIR, warnings: ofThisFile.map(describeFault) };
};

/** The integrations that a command looks at: the one that is named, by name or file, or all shipped ones. */
export const integrationsMeant = (nameOrPath: string | undefined): Integration[] =>
  nameOrPath === undefined ? readIntegrations([SHIPPED_DIR]).integrations : [chooseIntegration(nameOrPath).integration];

/** The name of the integration that a flag means, where it means one. */
export const nameMeant = (nameOrPath: string | undefined): string | undefined =>
  nameOrPath === undefined ? undefined : chooseIntegration(nameOrPath).integration.name;
