import { stringifyJson } from '../json/json.ts';
import { fingerprintOf } from './catalog.ts';
import type { PackagedIntegrations } from './packaged.ts';
import { readIntegrations } from './read.ts';

/** Checks a folder of integration files for a package. Throws ConfigurationError with the faults of all files at once. */
export const packIntegrations = (folder: string): PackagedIntegrations => {
  const { integrations } = readIntegrations([folder]);
  const fingerprint = fingerprintOf(folder);
  if (fingerprint === undefined) throw new Error(`${folder} went away while it was read`);
  return { fingerprint, integrationsJson: stringifyJson(integrations) };
};
