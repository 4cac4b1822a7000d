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

/** Cold starts grow with the bundle (docs/benchmarks.md, Weight). Above these, find out what came in. */
const maxBundleBytes = 900_000;
const maxArchiveBytes = 1_000_000;

describe.each(functions)('the archive of $name', ({ name, environment }) => {
  let archive: Buffer;
  let unpackedDir: string;

  beforeAll(async () => {
    archive = await readFile(path.join(packagedDir, `${name}.zip`));
    unpackedDir = await mkdtemp(path.join(tmpdir(), 'okki-sync-bundle-'));
    for (const [file, { content }] of readZip(archive)) {
      await mkdir(path.join(unpackedDir, path.dirname(file)), { recursive: true });
      await writeFile(path.join(unpackedDir, file), content());
    }
  });
  afterAll(() => rm(unpackedDir, { recursive: true, force: true }));

  test('holds its own bundle, the source map and the integration files, and nothing else', () => {
    expect([...readZip(archive).keys()].sort()).toEqual(
      [
        `functions/${name}.mjs`,
        `functions/${name}.mjs.map`,
        ...integrations.map((file) => `integrations/${file}`),
      ].sort(),
    );
  });

  test('holds the integration files byte for byte', async () => {
    const files = readZip(archive);
    for (const file of integrations) {
      expect(files.get(`integrations/${file}`)?.content()).toEqual(await readFile(path.join('integrations', file)));
    }
  });

  test(`is small: bundle below ${maxBundleBytes} bytes, archive below ${maxArchiveBytes}`, () => {
    expect(readZip(archive).get(`functions/${name}.mjs`)?.sizeBytes).toBeLessThan(maxBundleBytes);
    expect(archive.length).toBeLessThan(maxArchiveBytes);
  });

  test('loads with nothing around it, and exports a handler', async () => {
    const env = Object.fromEntries(
      Object.entries(environment).map(([variable, value]) => [variable, typeof value === 'string' ? value : value.Ref]),
    );
    const script = `console.log(typeof (await import('./functions/${name}.mjs')).handler)`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: unpackedDir,
      env: { ...env, AWS_REGION: 'ap-southeast-1', LAMBDA_TASK_ROOT: unpackedDir },
    });
    expect(stdout.trim()).toBe('function');
  });
});
