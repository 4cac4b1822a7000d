import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Env } from '../connection/secrets.ts';
import { parseJson } from '../json/json.ts';
import type { PackagedIntegrations } from './packaged.ts';
import type { Integration } from './schema/schema.ts';

const jsonFilesIn = (folder: string): string[] => readdirSync(folder).filter((name) => name.endsWith('.json'));

/** The profiles of a folder's integrations: `package.patterns` of serverless.yml packs them, and nothing further down. */
const profilesIn = (folder: string): string[] => {
  try {
    return jsonFilesIn(join(folder, 'profiles')).map((name) => join('profiles', name));
  } catch {
    return [];
  }
};

/**
 * The same for two folders of integration files that hold the same names and the same bytes, profiles included.
 * Undefined where there is no such folder.
 */
export const fingerprintOf = (folder: string): string | undefined => {
  try {
    const files = [...jsonFilesIn(folder), ...profilesIn(folder)].sort();
    return hash('sha256', JSON.stringify(files.map((file) => [file, readFileSync(join(folder, file), 'base64')])));
  } catch {
    return undefined;
  }
};

/** The integrations of this process, read once. Throws ConfigurationError. */
export type Catalog = { all(): Promise<Integration[]>; find(name: string): Promise<Integration | undefined> };

/**
 * Where integration files are: `INTEGRATIONS` (files and folders, separated as in PATH), else the folder
 * `integrations` beside the code (in Lambda) or in the working directory.
 */
export const integrationPaths = (
  env: { readonly INTEGRATIONS?: string | undefined; readonly LAMBDA_TASK_ROOT?: string | undefined },
  workingDirectory: string,
): string[] => {
  const listed = (env.INTEGRATIONS ?? '').split(delimiter).filter((path) => path !== '');
  return listed.length > 0 ? listed : [join(env.LAMBDA_TASK_ROOT ?? workingDirectory, 'integrations')];
};

/**
 * The integrations at these paths. Files that were checked as they were packaged, and are the same still, are not
 * checked again: the schemas take longer to load than all else that a function needs before its first request.
 * Throws ConfigurationError.
 */
export const readCatalog = async (
  paths: readonly string[],
  packaged: PackagedIntegrations | undefined,
): Promise<Integration[]> => {
  const [folder, ...others] = paths;
  if (packaged !== undefined && folder !== undefined && others.length === 0) {
    if (fingerprintOf(folder) === packaged.fingerprint) return parseJson(packaged.integrationsJson) as Integration[];
  }
  const { readIntegrations } = await import('./read.ts');
  return readIntegrations(paths).integrations;
};

/** Reads the integration files that the environment names, at the first use; a failure is not remembered. */
export const openCatalog = (env: Env): Catalog => {
  let read: Promise<Integration[]> | undefined;
  const all = async (): Promise<Integration[]> => {
    read ??= import('./packaged.ts').then(({ packaged }) =>
      readCatalog(integrationPaths(env, process.cwd()), packaged),
    );
    try {
      return await read;
    } catch (error) {
      read = undefined;
      throw error;
    }
  };
  return { all, find: async (name) => (await all()).find((integration) => integration.name === name) };
};
