import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { readTemplate, resourcesOf } from './template.ts';
import { readZip } from './zip.ts';

const packagedDir = inject('packagedDir');
const functions = resourcesOf(await readTemplate(packagedDir), 'AWS::Lambda::Function').map(({ properties }) => ({
  name: properties.Handler.replace(/^functions\/(.*)\.handler$/, '$1'),
  environment: properties.Environment.Variables,
}));
const integrations = (await readdir('integrations')).filter((file) => file.endsWith('.json'));

/**
 * Bytes of code that Node reads before the handler is there: a cold start takes in proportion to them (decision 0010).
 * Some 5 % above what it was when last looked at: above these, find out what came in.
 */
const maxStartBytes: Readonly<Record<string, number>> = {
  fetch: 525_000,
  load: 404_000,
  replay: 294_000,
  reconcile: 308_000,
};
const maxArchiveBytes = 700_000;

/** Modules that wait in files of their own until an invocation needs them; replay has none of them. */
const later = ['ssm-parameter', 'secrets-manager-secret', 'ky-http', 'packaged', 'read'];
/** What the files of some systems need to log in, or to sign. */
const laterForAccess = ['declared-login', 'dressing'];
/** What of the dialect a target's plan may need; fetch needs the dialect in any case. */
const laterForTargets = ['beside', 'body-plan'];

/** What importing a handler came to: `files` are those of the archive that were read for it. */
type Imported = { handler: string; files: string[]; hasLoadedFetch: boolean };

describe.each(functions)('the archive of $name', ({ name, environment }) => {
  let archive: Buffer;
  let unpackedDir: string;
  let imported: Imported;

  beforeAll(async () => {
    archive = await readFile(path.join(packagedDir, `${name}.zip`));
    unpackedDir = await mkdtemp(path.join(tmpdir(), 'okki-sync-bundle-'));
    for (const [file, { content }] of readZip(archive)) {
      await mkdir(path.join(unpackedDir, path.dirname(file)), { recursive: true });
      await writeFile(path.join(unpackedDir, file), content());
    }
    imported = await importHandler(name, unpackedDir, environment);
  });
  afterAll(() => rm(unpackedDir, { recursive: true, force: true }));

  test('holds its own code, the source maps and the integration files, and nothing else', () => {
    const files = [...readZip(archive).keys()];
    const code = files.filter((file) => file.endsWith('.mjs'));
    expect(code).toContain(`functions/${name}.mjs`);
    for (const file of code) expect(file.startsWith(`functions/${name}.`), file).toBe(true);
    expect(files.sort()).toEqual(
      [...code, ...code.map((file) => `${file}.map`), ...integrations.map((file) => `integrations/${file}`)].sort(),
    );
  });

  test('holds the integration files byte for byte', async () => {
    const files = readZip(archive);
    for (const file of integrations) {
      expect(files.get(`integrations/${file}`)?.content()).toEqual(await readFile(path.join('integrations', file)));
    }
  });

  test('loads with nothing around it, and exports a handler', () => {
    expect(imported.handler).toBe('function');
  });

  test('starts small', () => {
    const startBytes = imported.files.reduce((sum, file) => sum + (readZip(archive).get(file)?.sizeBytes ?? 0), 0);
    expect(imported.files).toContain(`functions/${name}.mjs`);
    expect(startBytes).toBeLessThan(maxStartBytes[name] ?? 0);
    expect(archive.length).toBeLessThan(maxArchiveBytes);
  });

  test('starts without what many invocations do not need', () => {
    const ofModule = (module: string) => (file: string) => file.startsWith(`functions/${name}.${module}-`);
    const waiting = [...(name === 'replay' ? [] : later), ...(name === 'load' ? laterForTargets : [])];
    if (name === 'fetch' || name === 'load') waiting.push(...laterForAccess);
    for (const module of waiting) {
      expect([...readZip(archive).keys()].filter(ofModule(module)), module).toHaveLength(2);
      expect(imported.files.filter(ofModule(module))).toEqual([]);
    }
    // What a schema says of its keys; the schemas are for the check of files (serverless/schemas-apart.cjs).
    const described = (files: readonly string[]) =>
      files.filter((file) => readZip(archive).get(file)?.content().includes('Path of the token request.'));
    expect(described([...readZip(archive).keys()])).toHaveLength(name === 'replay' ? 0 : 1);
    expect(described(imported.files)).toEqual([]);
    // Node compiles its own HTTP client when something first looks at `fetch`: that takes as long as all code of ours.
    expect(imported.hasLoadedFetch).toBe(false);
  });
});

/** Imports a handler as Lambda does, in a process of its own with the function's variables. */
const importHandler = async (
  name: string,
  unpackedDir: string,
  environment: Record<string, string | { Ref: string }>,
): Promise<Imported> => {
  const env = Object.fromEntries(
    Object.entries(environment).map(([variable, value]) => [variable, typeof value === 'string' ? value : value.Ref]),
  );
  const script = `
    import { registerHooks } from 'node:module';
    import { relative } from 'node:path';
    import { fileURLToPath } from 'node:url';
    const files = [];
    registerHooks({
      load(url, context, next) {
        if (url.startsWith('file:')) files.push(relative('.', fileURLToPath(url)));
        return next(url, context);
      },
    });
    const { handler } = await import('./functions/${name}.mjs');
    const hasLoadedFetch = process.moduleLoadList.some((module) => module.endsWith('/undici/undici'));
    console.log(JSON.stringify({ handler: typeof handler, files, hasLoadedFetch }));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: unpackedDir,
    env: { ...env, AWS_REGION: 'ap-southeast-1', LAMBDA_TASK_ROOT: unpackedDir },
  });
  return JSON.parse(stdout) as Imported;
};
