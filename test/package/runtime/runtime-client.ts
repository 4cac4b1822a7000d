import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The published package, held to its bytes (`npm view aws-lambda-ric dist.integrity`). */
const CLIENT = {
  version: '4.0.2',
  integrity: 'sha512-FE5Vskx7mYNnqAnWWJXUOsLp2VGgdsJsCoRLFTa8L4Yk0QVtArqR8q58yPA++QC1a73ZWJXBQ2AH31nIAv7NOQ==',
};
const cacheDir = path.resolve(import.meta.dirname, '../../../node_modules/.cache/okki-sync');

/** Where Lambda's runtime client is, and whether its native transport is built there. */
export type RuntimeClient = { file: string; hasNativeTransport: boolean };

/**
 * Lambda's own runtime client for Node.js, aws-lambda-ric: the program that loads a handler, calls it and reports its
 * end on AWS. Fetched from the registry once, as npm does, and kept under node_modules.
 *
 * It is no dependency of the project: installing it compiles curl and a C++ library, which needs CMake, a compiler and
 * Node's headers. Its JavaScript is complete without them, except for the HTTP calls: see `transport.ts`. To use one
 * that was built, set RUNTIME_CLIENT_DIR to its folder. Throws where the package cannot be had, or is not what it was.
 */
export const runtimeClient = async (): Promise<RuntimeClient> => {
  const dir = process.env.RUNTIME_CLIENT_DIR ?? (await fetchClient());
  return { file: path.join(dir, 'index.mjs'), hasNativeTransport: await exists(path.join(dir, 'rapid-client.node')) };
};

const fetchClient = async (): Promise<string> => {
  const dir = path.join(cacheDir, `aws-lambda-ric-${CLIENT.version}`);
  if (await exists(dir)) return path.join(dir, 'package');
  await mkdir(cacheDir, { recursive: true });
  const unpacked = await mkdtemp(path.join(cacheDir, 'unpacking-'));
  try {
    const spec = `aws-lambda-ric@${CLIENT.version}`;
    await run('npm', ['pack', spec, '--pack-destination', unpacked], { cwd: unpacked, timeout: 60_000 });
    const archive = path.join(unpacked, `aws-lambda-ric-${CLIENT.version}.tgz`);
    const digest = createHash('sha512')
      .update(await readFile(archive))
      .digest('base64');
    if (`sha512-${digest}` !== CLIENT.integrity) throw new Error(`${spec} is not the package that was published`);
    await run('tar', ['-xzf', archive, '-C', unpacked, 'package/index.mjs', 'package/package.json', 'package/LICENSE']);
    await rm(archive);
    // In one step, so that two runs at once cannot see half a package; the second one's is as good.
    await rename(unpacked, dir).catch(async (error: unknown) => {
      if (!(await exists(dir))) throw error;
    });
  } finally {
    await rm(unpacked, { recursive: true, force: true });
  }
  return path.join(dir, 'package');
};

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
