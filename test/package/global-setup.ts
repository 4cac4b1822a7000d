import type { TestProject } from 'vitest/node';
import { copyService, packageService, removeServiceCopy } from './packaging.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder with the template and the archives of stage `dev`. */
    packagedDir: string;
  }
}

/** Packages the service once for all test files. */
export default async (project: TestProject): Promise<() => Promise<void>> => {
  const dir = await copyService();
  project.provide('packagedDir', await packageService(dir));
  return () => removeServiceCopy(dir);
};
