import type { Env } from '../connection/secrets.ts';
import { integrationPaths, readIntegrations } from './read.ts';
import type { Integration } from './schema.ts';

/** The integrations of this process, read once. */
export type Catalog = { all(): Integration[]; find(name: string): Integration | undefined };

/** Reads the integration files that the environment names, at the first use. Throws ConfigurationError. */
export const openCatalog = (env: Env): Catalog => {
  let integrations: Integration[] | undefined;
  const all = (): Integration[] => {
    integrations ??= readIntegrations(integrationPaths(env, process.cwd())).integrations;
    return integrations;
  };
  return { all, find: (name) => all().find((integration) => integration.name === name) };
};
