import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const projectDir = path.resolve(import.meta.dirname, '../..');

/** What packaging reads: a copy of these is a service, wherever it lies. */
const serviceParts = [
  'serverless.yml',
  'serverless',
  'functions',
  'lib',
  'integrations',
  'package.json',
  'tsconfig.json',
];

/** Copies the service to a temporary folder, where a test may change it. Remove it with `removeServiceCopy`. */
export const copyService = async (): Promise<string> => {
  const dir = await mkdtemp(path.join(tmpdir(), 'okki-sync-package-'));
  for (const part of serviceParts) await cp(path.join(projectDir, part), path.join(dir, part), { recursive: true });
  await symlink(path.join(projectDir, 'node_modules'), path.join(dir, 'node_modules'), 'dir');
  return dir;
};

export const removeServiceCopy = (dir: string): Promise<void> => rm(dir, { recursive: true, force: true });

type Packaged = { outDir: string; said: string };

/**
 * Packages the service in `dir` as a machine would that has no AWS credentials and no network: every request of the
 * packager goes to a proxy that does not exist. Gives the folder with template and archives and what the packager said,
 * or throws with the packager's words.
 */
export const runPackager = async (dir: string, stage: string, params: readonly string[]): Promise<Packaged> => {
  const outDir = path.join(dir, `packaged-${stage}`);
  const nowhere = 'http://127.0.0.1:9';
  const env = {
    PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env.PATH ?? ''}`,
    HOME: dir,
    HTTP_PROXY: nowhere,
    HTTPS_PROXY: nowhere,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const osls = path.join(dir, 'node_modules', 'serverless', 'bin', 'serverless.js');
  const args = [osls, 'package', '--stage', stage, '--package', outDir, ...params.map((param) => `--param=${param}`)];
  try {
    const said = await promisify(execFile)(process.execPath, args, { cwd: dir, env, timeout: 100_000 });
    return { outDir, said: `${said.stdout}${said.stderr}` };
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${stdout}${stderr}`, { cause: error });
  }
};

/** The addresses of both targets: every stage but `dev` wants them. */
export const addresses = ['qingyiyunBaseUrl=https://qingyiyun.example.com', 'crmBaseUrl=https://crm.example.com'];

/** As `runPackager`, with addresses; only the folder. */
export const packageService = async (dir: string, stage = 'dev'): Promise<string> =>
  (await runPackager(dir, stage, stage === 'dev' ? [] : addresses)).outDir;
