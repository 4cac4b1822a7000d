import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

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
