import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

type Locked = { license?: string; dev?: boolean; optional?: boolean; devOptional?: boolean };

const { dependencies } = JSON.parse(await readFile('package.json', 'utf8')) as { dependencies: Record<string, string> };
const { packages } = JSON.parse(await readFile('package-lock.json', 'utf8')) as { packages: Record<string, Locked> };
const page = await readFile('docs/dependencies.md', 'utf8');

/** Licences that ask for nothing but their notice. */
const allowed = new Set(['MIT', 'MIT-0', 'Apache-2.0', '0BSD']);

const deployed = Object.entries(packages).filter(
  ([name, { dev, optional, devOptional }]) => name !== '' && !dev && !optional && !devOptional,
);

test('every deployed package, direct or not, is under a licence that the page names', () => {
  expect(deployed.length).toBeGreaterThan(Object.keys(dependencies).length);
  const others = deployed.filter(([, { license = 'none' }]) => !allowed.has(license));
  expect(others).toEqual([]);
});

test.each(Object.entries(dependencies))(
  '%s is pinned, and the page says why it is there and under which licence',
  (name, version) => {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(page).toContain(`| \`${name}\` | ${packages[`node_modules/${name}`]?.license} |`);
  },
);

test('the page names nothing that is gone', () => {
  const named = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name);
  expect(named.sort()).toEqual(Object.keys(dependencies).sort());
});
