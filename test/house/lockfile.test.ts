import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

type Locked = { version: string; integrity?: string; resolved?: string };
const { packages } = JSON.parse(textOf('package-lock.json')) as { packages: Record<string, Locked> };
const locked = Object.entries(packages).filter(([path]) => path !== '');

test('every package of the lockfile has its hash, those of other platforms, too', () => {
  expect(locked.length).toBeGreaterThan(0);
  expect(locked.flatMap(([path, { integrity }]) => (integrity?.startsWith('sha512-') ? [] : path))).toEqual([]);
});

test('no package comes from an address of its own', () => {
  expect(locked.flatMap(([path, { resolved }]) => (resolved === undefined ? [] : path))).toEqual([]);
});

test('nothing runs while packages are installed', () => {
  expect(textOf('.npmrc')).toMatch(/^ignore-scripts=true$/m);
});

test('the interpreters that the lockfile brings are of one version, and of the major that Lambda runs', () => {
  const interpreters = locked.filter(([path]) => /^node_modules\/node-(?:linux|win)-/.test(path));
  const versions = [...new Set(interpreters.map(([, { version }]) => version))];
  expect(interpreters).toHaveLength(3);
  expect(versions).toHaveLength(1);
  expect(textOf('serverless.yml')).toContain(`nodejs${versions[0]?.split('.')[0]}.x`);
});
