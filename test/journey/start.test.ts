import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { newDir } from './program.ts';

const START = fileURLToPath(new URL('../../cli/start.cjs', import.meta.url));
const node = (...args: string[]) => spawnSync(process.execPath, args, { encoding: 'utf8', env: {} });

describe('npm start says in one sentence what to type', () => {
  test('where the packages are not installed', () => {
    const alone = join(newDir(), 'start.cjs');
    copyFileSync(START, alone);
    const { status, stdout, stderr } = node(alone, 'runs');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^[^\n]*npm ci[^\n]*\n$/);
  });

  test('where Node is too old to read TypeScript', () => {
    const { status, stdout, stderr } = node('--no-experimental-strip-types', START, 'runs');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^[^\n]*Node [^\n]*too old[^\n]*\n$/);
  });

  test('where it was typed without "--"', () => {
    const options = { encoding: 'utf8', env: { npm_config_dry_run: 'true' } } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, [START, 'dlq', 'replay'], options);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('npm start -- dlq replay --dry-run');
  });
});
