import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { integrationPaths, openCatalog, readCatalog } from '../../lib/integration/catalog.ts';
import { packIntegrations } from '../../lib/integration/pack.ts';
import { readIntegrations } from '../../lib/integration/read.ts';
import { ConfigurationError } from '../../lib/runtime/fault.ts';
import { changedText, integrationsFolder, shippedText } from './sample.ts';

const crm = 'okki-product-groups-to-crm';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'integrations-'));
  writeFileSync(join(folder, `${crm}.json`), shippedText(crm));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the environment says where integration files are', () => {
  test.each([
    [{ INTEGRATIONS: ['/a', '/b/c.json'].join(delimiter) }, ['/a', '/b/c.json']],
    [{ LAMBDA_TASK_ROOT: '/var/task' }, ['/var/task/integrations']],
    [{}, ['/srv/integrations']],
    [{ INTEGRATIONS: '' }, ['/srv/integrations']],
  ])('%j', (env, paths) => {
    expect(integrationPaths(env, '/srv')).toEqual(paths);
  });
});

describe('integrations that were checked as they were packaged', () => {
  /** Tells by their title that they were not read again. */
  const packed = () => {
    const packaged = packIntegrations(folder);
    return {
      ...packaged,
      integrationsJson: packaged.integrationsJson.replaceAll(/"title":"[^"]*"/g, '"title":"packed"'),
    };
  };
  const titles = async (paths: string[], packaged: ReturnType<typeof packed>) =>
    (await readCatalog(paths, packaged)).map(({ title }) => title);

  test('are taken as they are while the files are the same', async () => {
    expect(await titles([folder], packed())).toEqual(['packed']);
  });

  test('are what a check would give, integers past 2^53 included', async () => {
    const request = [{ field: 'account_id', label: '', type: 'string', value: 9_007_199_254_740_993n }];
    writeFileSync(join(folder, 'big.json'), changedText(crm, { name: 'big', 'source.metadata.request': request }));
    for (const each of [folder, integrationsFolder]) {
      const read = await readCatalog([each], packIntegrations(each));
      expect(read).toStrictEqual(readIntegrations([each]).integrations);
    }
  });

  test.each<[string, () => void]>([
    ['changed', () => writeFileSync(join(folder, `${crm}.json`), `${shippedText(crm)}\n`)],
    ['renamed', () => writeFileSync(join(folder, 'other.json'), changedText(crm, { name: 'other' }))],
    [
      'given a profile of its own',
      () => {
        mkdirSync(join(folder, 'profiles'));
        writeFileSync(join(folder, 'profiles', 'erp.json'), '{}');
      },
    ],
  ])('are checked again where a file was %s', async (_, change) => {
    const packaged = packed();
    change();
    expect(await titles([folder], packaged)).not.toContain('packed');
  });

  test('are not taken for another list of paths', async () => {
    expect(await titles([join(folder, `${crm}.json`)], packed())).not.toContain('packed');
    rmSync(join(folder, `${crm}.json`));
    const packaged = { ...packIntegrations(integrationsFolder), integrationsJson: '[]' };
    writeFileSync(join(folder, 'more.json'), changedText(crm, { name: 'more' }));
    expect(await readCatalog([integrationsFolder, folder], packaged)).toHaveLength(3);
  });

  test('cannot be packed with a fault', () => {
    writeFileSync(join(folder, 'b.json'), changedText(crm, { title: 5 }));
    expect(() => packIntegrations(folder)).toThrow(ConfigurationError);
  });
});

describe('a catalog', () => {
  test('finds by name, and knows what is not there', async () => {
    const catalog = openCatalog({ INTEGRATIONS: folder });
    expect(await catalog.find(crm)).toMatchObject({ name: crm });
    expect(await catalog.find('none')).toBeUndefined();
  });

  test('reads once', async () => {
    const catalog = openCatalog({ INTEGRATIONS: folder });
    const [first] = await catalog.all();
    writeFileSync(join(folder, `${crm}.json`), '{');
    expect(await catalog.find(crm)).toBe(first);
  });

  test('does not remember a failure', async () => {
    const catalog = openCatalog({ INTEGRATIONS: folder });
    writeFileSync(join(folder, `${crm}.json`), '{');
    await expect(catalog.all()).rejects.toThrow(ConfigurationError);
    writeFileSync(join(folder, `${crm}.json`), shippedText(crm));
    expect(await catalog.all()).toHaveLength(1);
  });
});
