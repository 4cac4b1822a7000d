import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const PROGRAM = ['functions', 'lib', 'cli', 'local'];
const MAX_LINES = 300;

const filesIn = (folder: string, ending = '.ts'): string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));

const files = PROGRAM.flatMap((folder) => filesIn(folder));
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

/** The files of the project that a file imports, at once or later. */
const importsOf = (file: string): string[] =>
  [...textOf(file).matchAll(/(?:from|import\()\s*'(\.[^']+\.ts)'/g)].map(([, path = '']) =>
    normalize(join(dirname(file), path)).replaceAll('\\', '/'),
  );

const imports = files.flatMap((file) => importsOf(file).map((imported) => ({ file, imported })));
const roomOf = (file: string): string | undefined => /^lib\/([^/]+)\//.exec(file)?.[1];

/** Rooms in the order of CONTRIBUTING's table; those of one row stand beside each other. */
const order = new Map(
  textOf('CONTRIBUTING.md')
    .split('\n')
    .filter((line) => /^\| `/.test(line) && !line.includes('test'))
    .flatMap((line, row) => [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, room = '']) => [room, row])),
);

describe('the house', () => {
  test('every room of lib/ is in the table of CONTRIBUTING, and no other', () => {
    expect([...order.keys()].sort()).toEqual([...new Set(files.flatMap((file) => roomOf(file) ?? []))].sort());
  });

  test('a room imports only rooms above it in that table', () => {
    const upwards = imports.filter(({ file, imported }) => {
      const [from, to] = [roomOf(file), roomOf(imported)];
      return from !== undefined && to !== undefined && from !== to && (order.get(to) ?? 0) >= (order.get(from) ?? 0);
    });
    expect(upwards).toEqual([]);
  });

  test('no two folders import each other', () => {
    const pairs = new Set(
      imports
        .map(({ file, imported }) => `${dirname(file)} ${dirname(imported)}`)
        .filter((pair) => pair.split(' ')[0] !== pair.split(' ')[1]),
    );
    expect([...pairs].filter((pair) => pairs.has(pair.split(' ').reverse().join(' ')))).toEqual([]);
  });

  test('lib/ and functions/ import neither the command line nor the rehearsal', () => {
    const outside = imports.filter(
      ({ file, imported }) => /^(lib|functions)\//.test(file) && /^(cli|local)\//.test(imported),
    );
    expect(outside).toEqual([]);
  });

  test(`no file has more than ${MAX_LINES} lines`, () => {
    expect(files.filter((file) => textOf(file).split('\n').length - 1 > MAX_LINES)).toEqual([]);
  });

  test('a file of ours that a comment or a page names is there', () => {
    const pages = ['README.md', 'README.zh-CN.md', 'CONTRIBUTING.md', ...filesIn('docs', '.md')];
    const ours =
      /(?<![\w./-])(?:bench|cli|docs|functions|lib|local|serverless|test)\/[\w./-]+\.(?:ts|cjs|md|yml|json)\b/g;
    const named = [...files, ...filesIn('serverless', '.cjs'), ...pages].flatMap((file) =>
      [...textOf(file).matchAll(ours)].map(([path]) => ({ file, path })),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(({ path }) => !existsSync(join(root, path)))).toEqual([]);
  });
});
