import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tellSourcePositions, withSourcePositions } from '../../../lib/aws/lambda/source-positions.ts';

const source = `
export const fail = (): never => {
  try {
    throw new TypeError('within');
  } catch (cause) {
    throw new Error('without', { cause });
  }
};
`;

/** What an error of the bundle and its cause say, in a process that does without source maps. */
let stacks: [error: string, cause: string];
let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'source-positions-'));
  writeFileSync(join(dir, 'source.ts'), source);
  const outfile = join(dir, 'functions', 'bundle.mjs');
  await build({ entryPoints: [join(dir, 'source.ts')], outfile, format: 'esm', minify: true, sourcemap: 'linked' });
  const script = `
    const { fail } = await import('./functions/bundle.mjs');
    try { fail(); } catch (error) { console.log(JSON.stringify([error.stack, error.cause.stack])); }
  `;
  const options = { cwd: dir, env: {}, encoding: 'utf8' } as const;
  stacks = JSON.parse(execFileSync(process.execPath, ['--input-type=module', '--eval', script], options));
});
afterAll(() => rmSync(dir, { recursive: true }));

test('an error and its causes tell where they are in the source', () => {
  const cause = Object.assign(new TypeError('within'), { stack: stacks[1] });
  const error = Object.assign(new Error('without', { cause }), { stack: stacks[0] });
  for (const { stack } of [error, cause]) expect(stack).toMatch(/functions\/bundle\.mjs:1:\d+/);
  tellSourcePositions(error);
  expect(error.stack).toMatch(/^Error: without\n {4}at \w+ \(source\.ts:6:11\)\n/);
  expect(cause.stack).toMatch(/^TypeError: within\n {4}at \w+ \(source\.ts:4:11\)\n/);
});

test.each([
  ['of Node', 'at async node:internal/process/task_queues:105:5'],
  ['of a file without a map', 'at run (file:///nowhere/bundle.mjs:1:2)'],
  ['that is none', 'Error: no file.mjs:1:2 here'],
])('a place %s stays as it is', (_, stack) => {
  expect(withSourcePositions(stack)).toBe(stack);
});

test('what is no error is left alone', () => {
  expect(() => tellSourcePositions('thrown text')).not.toThrow();
});
